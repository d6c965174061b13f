"""What ``chainrule doctor`` tells."""

from __future__ import annotations

import pytest

from chainrule import doctor
from chainrule.engines import native, threads


def test_every_package_has_a_version_and_the_engine_its_instruction_set() -> None:
    told = doctor.findings()
    assert "MISSING" not in " ".join(told.values())
    assert told["instruction set"].startswith(native.instruction_set())
    assert told["threads"].startswith(str(threads.allowed()))


def test_what_is_missing_is_said_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "_native", None)
    monkeypatch.setattr(doctor, "_EXTRAS", {"nothing-of-that-name": "chainrule[nothing]"})
    told = doctor.findings()
    assert told["native engine"].startswith("MISSING: install GCC or Clang")
    assert told["nothing-of-that-name"] == "not installed: pip install 'chainrule[nothing]'"
