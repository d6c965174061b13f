"""What CI requires of tests: that none is skipped because a program is missing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SKIPS = {
    "test_marked.py": "import pytest\n@pytest.mark.skipif(True, reason='needs Chromium')\ndef test_it(): ...",
    "test_called.py": "import pytest\ndef test_it(): pytest.skip('there is no browser')",
    "test_module.py": "import pytest\npytest.importorskip('no_such_module')\ndef test_it(): ...",
    "test_optional.py": "import pytest\ndef test_it(): pytest.skip('CHAINRULE_MNIST names no file with MNIST')",
    "test_expected.py": "import pytest\n@pytest.mark.xfail\ndef test_it(): assert False",
}


def outcome(folder: Path, require_all: str) -> str:
    """Return the last line of a run of tests that are all skipped."""
    for name, source in SKIPS.items():
        (folder / name).write_text(source, encoding="utf-8")
    options = ["-p", "conftest", "-p", "no:cacheprovider", "-o", "addopts=", "--continue-on-collection-errors", "-q"]
    command = [sys.executable, "-m", "pytest", *options, str(folder)]
    variables = {"PYTHONPATH": str(Path(__file__).parent), "CHAINRULE_REQUIRE_ALL": require_all}
    variables["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # plugins take seconds to load
    done = subprocess.run(command, cwd=folder, env=os.environ | variables, capture_output=True, text=True, check=False)
    return str(done.stdout).splitlines()[-1]


def test_skips_are_failures_where_everything_is_required_unless_a_variable_allows_them(tmp_path: Path) -> None:
    assert outcome(tmp_path, "0").startswith("4 skipped, 1 xfailed")
    assert outcome(tmp_path, "1").startswith("1 failed, 1 skipped, 1 xfailed, 2 errors")
