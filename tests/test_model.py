"""Model files: there and back, and nothing but a clear error from a bad one."""

from __future__ import annotations

import contextlib
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule.files import write_tensors

NET = cr.Network(2, [cr.Dense(3, "relu"), cr.Dense(1)])
MODEL = cr.Model(NET, NET.initial(), {"columns": ["a", "b"]})


def test_a_model_is_the_same_after_its_file(tmp_path: Path) -> None:
    MODEL.save(tmp_path / "m")
    again = cr.load(tmp_path / "m")
    assert (again.network, again.preprocessing) == (NET, MODEL.preprocessing)
    assert (again.predict([[1.0, 2.0]]) == MODEL.predict([[1.0, 2.0]])).all()


def test_your_own_activation_is_needed_again(tmp_path: Path) -> None:
    cubic = cr.Activation("cubic", value=lambda z: z**3, slope=lambda z, f: 3.0 * z**2)
    net = cr.chain(2, cubic)
    cr.Model(net, net.initial()).save(tmp_path / "m")
    with pytest.raises(cr.InputError, match="unknown activation 'cubic'"):
        cr.load(tmp_path / "m")
    assert cr.load(tmp_path / "m", own=[cubic]).network == net


def test_a_truncated_file_is_refused_at_every_length(tmp_path: Path) -> None:
    MODEL.save(tmp_path / "m")
    whole = (tmp_path / "m").read_bytes()
    for length in range(len(whole)):
        (tmp_path / "cut").write_bytes(whole[:length])
        with pytest.raises(cr.InputError) as caught:
            cr.load(tmp_path / "cut")
        assert "\n" not in str(caught.value)


@given(place=st.integers(0, 10**6), value=st.integers(0, 255))
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_changed_byte_gives_a_model_or_an_input_error(place: int, value: int, tmp_path: Path) -> None:
    MODEL.save(tmp_path / "m")
    content = bytearray((tmp_path / "m").read_bytes())
    content[place % len(content)] = value
    (tmp_path / "m").write_bytes(content)
    with contextlib.suppress(cr.InputError):  # any other exception fails the test
        cr.load(tmp_path / "m").predict([[1.0, 2.0]])


def test_hostile_files_are_refused(tmp_path: Path) -> None:
    path, network = tmp_path / "m", {"network": NET.to_json(), "preprocessing": None}
    path.write_bytes((2**62).to_bytes(8, "little") + b"{}")
    with pytest.raises(cr.InputError, match="header"):
        cr.load(path)
    for tensors, document, message in (
        ({"parameters": np.zeros(5)}, network, "has the shape"),
        ({"parameters": np.full(NET.parameter_count, np.nan)}, network, "NaN"),
        ({"parameters": np.zeros(NET.parameter_count, np.int64)}, network, "not of float32"),
        ({"other": np.zeros(NET.parameter_count)}, network, "no tensor named parameters"),
        ({"parameters": np.zeros(3)}, {"network": {}}, "does not describe a network"),
        ({"parameters": MODEL.parameters.vector}, network | {"feature_names": 5}, "feature_names must be strings"),
        ({"parameters": MODEL.parameters.vector}, network | {"feature_names": ["a"]}, "must be 2 different names"),
    ):
        write_tensors(path, "chainrule model 1", tensors, document)
        with pytest.raises(cr.InputError, match=message):
            cr.load(path)
    write_tensors(path, "something else", {}, None)
    with pytest.raises(cr.InputError, match="is not a chainrule model 1 file"):
        cr.load(path)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    MODEL.save(tmp_path / "m")
    before = (tmp_path / "m").read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(cr.InputError, match="No space left"):
        MODEL.save(tmp_path / "m")
    assert (tmp_path / "m").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_a_model_goes_to_another_process_after_it_has_predicted() -> None:
    expected = MODEL.predict([[1.0, 2.0]])
    assert (pickle.loads(pickle.dumps(MODEL)).predict([[1.0, 2.0]]) == expected).all()  # noqa: S301 - our own


def test_the_parameters_of_a_model_cannot_be_changed_behind_its_back() -> None:
    with pytest.raises(ValueError, match="read-only"):
        MODEL.parameters.weights[0][...] = 0.0


@pytest.mark.parametrize("path", [5, None, b"m", ["m"], "a\0b"], ids=repr)
def test_what_is_not_a_path_is_refused(path: Any) -> None:
    for use in (MODEL.save, cr.load):
        with pytest.raises(cr.InputError, match=r"^path must be a path, but is "):
            use(path)
