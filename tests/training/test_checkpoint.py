"""Checkpoint files: what a run needs to go on, and a clear error from anything else."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule.files import read_tensors, write_tensors

X = np.linspace(-1.0, 1.0, 12)
Y = X**3
CUBIC = cr.Activation("cubic", value=lambda z: z**3, slope=lambda z, f: 3.0 * z**2)


def worst(y: Any, outputs: Any) -> float:
    return float(np.abs(y - outputs).max())


def begin(path: Path, epochs: int = 2, **more: Any) -> cr.Run:
    net = cr.Network(1, [cr.Dense(3, CUBIC), cr.Dense(1)])
    return cr.train(net, X, Y, epochs=epochs, checkpoint=path, validation=0.25, metrics=["r2", worst], **more)


def test_a_run_with_definitions_and_metrics_of_your_own_resumes_when_they_are_handed_in(tmp_path: Path) -> None:
    unbroken = begin(tmp_path / "a", epochs=6)
    begin(tmp_path / "b", epochs=6, callbacks=[lambda run: run.epoch == 3])
    tensors, document = read_tensors(tmp_path / "b", "chainrule checkpoint 1")
    write_tensors(tmp_path / "b", "chainrule checkpoint 1", tensors, document | {"stopped": None})
    with pytest.raises(cr.InputError, match="unknown activation 'cubic'"):
        cr.resume(tmp_path / "b", X, Y, metrics=["r2", worst])
    with pytest.raises(cr.InputError, match=r"resume with the metrics of the run; it recorded loss, .*worst"):
        cr.resume(tmp_path / "b", X, Y, own=[CUBIC])
    resumed = cr.resume(tmp_path / "b", X, Y, own=[CUBIC], metrics=["r2", worst])
    assert (resumed.parameters.vector == unbroken.parameters.vector).all()
    assert dict(resumed.history) == dict(unbroken.history)


@pytest.mark.parametrize("name", ["memory.mean", "best"])
def test_nan_in_what_a_run_remembers_is_refused(name: str, tmp_path: Path) -> None:
    begin(tmp_path / "a", patience=2)
    tensors, document = read_tensors(tmp_path / "a", "chainrule checkpoint 1")
    write_tensors(tmp_path / "a", "chainrule checkpoint 1", tensors | {name: np.nan * tensors[name]}, document)
    with pytest.raises(cr.InputError, match="contain NaN or infinity"):
        cr.resume(tmp_path / "a", X, Y, own=[CUBIC], metrics=["r2", worst])


def test_a_finished_run_is_given_back_as_it_ended(tmp_path: Path) -> None:
    run = begin(tmp_path / "a")
    again = cr.resume(tmp_path / "a", X, Y, own=[CUBIC], metrics=["r2", worst])
    assert again.stopped == run.stopped == "all epochs done"
    assert (again.parameters.vector == run.parameters.vector).all()


@given(place=st.integers(0, 10**6), value=st.integers(0, 255))
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_changed_byte_gives_a_run_or_an_input_error(place: int, value: int, tmp_path: Path) -> None:
    path = tmp_path / "a"
    if not path.exists():
        begin(path)
        (tmp_path / "whole").write_bytes(path.read_bytes())
    content = bytearray((tmp_path / "whole").read_bytes())
    content[place % len(content)] = value
    path.write_bytes(content)
    with contextlib.suppress(cr.ChainruleError):  # any other exception fails the test
        cr.resume(path, X, Y, own=[CUBIC], metrics=["r2", worst])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"network": None}, "expected an object with inputs, layers, loss"),
        ({"settings": {}}, "settings of a run do not fit"),
        ({"epoch": 1, "best": None}, "its history does not have one row for each epoch"),
        ({"epoch": 3}, "epoch must be a whole number of at least 0 and at most 2"),
        ({"step": "many"}, "step must be a whole number"),
        ({"best": [1, "low"]}, "a loss must be a number"),
        ({"columns": ["nothing"]}, "lacks a part"),
        ({"stopped": 5}, "why it stopped"),
    ],
)
def test_a_checkpoint_whose_parts_do_not_fit_is_refused_in_one_line(
    change: dict[str, Any], message: str, tmp_path: Path
) -> None:
    begin(tmp_path / "a", patience=2)
    tensors, document = read_tensors(tmp_path / "a", "chainrule checkpoint 1")
    write_tensors(tmp_path / "a", "chainrule checkpoint 1", tensors, document | change)
    with pytest.raises(cr.InputError) as caught:
        cr.resume(tmp_path / "a", X, Y, own=[CUBIC], metrics=["r2", worst])
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
