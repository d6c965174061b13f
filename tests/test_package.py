"""The package as a whole: what it lists, how quickly it loads, and its floors."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import chainrule as cr


@pytest.mark.parametrize("name", cr.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(cr, name) is not None


def test_importing_chainrule_loads_nothing_heavy() -> None:
    script = "import sys, chainrule; print([m for m in ('numpy', 'scipy', 'sklearn', 'polars') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout == "[]\n"


def test_a_model_needs_neither_msgspec_nor_the_metadata_of_packages() -> None:
    script = (
        "import sys, chainrule; chainrule.Model; print({'msgspec', 'importlib.metadata', 'scipy'} & {*sys.modules})"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout == "set()\n"


def test_a_module_imports_only_from_floors_below_it() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([linter], cwd=Path(__file__).parents[1], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout


@pytest.mark.slow
def test_the_tour_in_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    tour = readme.split("```python\n")[1].split("```")[0]
    monkeypatch.chdir(tmp_path)
    script = subprocess.run(
        [sys.executable, "-c", tour], env={**os.environ, "MPLBACKEND": "Agg"}, capture_output=True, text=True
    )
    assert script.returncode == 0, script.stderr
    assert "gradient right" in script.stdout
