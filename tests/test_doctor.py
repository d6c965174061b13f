"""What ``chainrule doctor`` tells."""

from __future__ import annotations

from pathlib import Path

import pytest

from chainrule import chain, doctor
from chainrule.engines import extension, native_build, threads
from chainrule.engines.choice import ENGINES


def test_every_package_has_a_version_and_the_engine_its_instruction_set() -> None:
    told = doctor.findings()
    assert "MISSING" not in " ".join(told.values())
    assert told["instruction set"].startswith(extension.instruction_set())
    assert told["threads"].startswith(str(threads.allowed()))


def test_a_failed_native_build_is_quoted_with_its_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extension, "_native", None)
    monkeypatch.setattr(native_build, "absence", lambda: "its build failed: fatal error: missing.hpp")
    monkeypatch.setattr(native_build, "log_path", lambda: Path("native-build.txt"))
    told = doctor.findings()
    assert told["reason"] == "its build failed: fatal error: missing.hpp"
    assert told["build log"] == "native-build.txt"
    extension.warn_of_absence.cache_clear()
    with pytest.warns(RuntimeWarning, match="no native engine: its build failed: fatal error: missing.hpp. The ref"):
        assert not ENGINES["native"].can_predict(chain(2))
    extension.warn_of_absence.cache_clear()


def test_what_is_missing_is_said_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extension, "_native", None)
    monkeypatch.setattr(doctor, "_EXTRAS", {"nothing-of-that-name": "chainrule[nothing]"})
    told = doctor.findings()
    assert told["native engine"].startswith("MISSING: the reference engine is used")
    assert "GCC or Clang" in told["remedy"]
    assert "--force-reinstall" in told["remedy"]
    assert told["nothing-of-that-name"] == "not installed: pip install 'chainrule[nothing]'"
