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


def change_checkpoint(path: Path, document: dict[str, Any], tensors: dict[str, Any]) -> None:
    before, content = read_tensors(path, "chainrule checkpoint 1")
    write_tensors(path, "chainrule checkpoint 1", before | tensors, content | document)


def complaint(path: Path) -> str:
    """Return the one line that resuming ends in."""
    with pytest.raises(cr.InputError) as caught:
        cr.resume(path, X, Y, own=[CUBIC], metrics=["r2", worst])
    assert "\n" not in str(caught.value)
    return str(caught.value)


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
    with pytest.raises(cr.InputError, match=f"{name} contains NaN or infinity"):
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
        ({"settings": {}}, "settings of a run: optimizer is missing"),
        ({"settings": 5}, "settings of a run must be an object, not a whole number"),
        ({"epoch": 1, "best": None}, "tensor losses has the shape (2,), but must be (1,): one per epoch"),
        ({"epoch": 3, "step": 3}, "epoch must be a whole number of at least 0 and at most 2"),
        ({"epoch": -1}, "epoch must be a whole number, at least 0"),
        ({"step": "many"}, "step must be a whole number"),
        ({"step": 1}, "step must be a whole number of at least 2"),
        ({"step": 2**40}, "step must be a whole number of at least 2 and at most"),
        ({"step": 2**63 - 1}, "step must be a whole number, at most"),
        ({"step": 3}, "step must be 2 after 2 epochs, but is 3"),
        ({"origin": {"epoch": 0, "step": 5}}, "step must be 7 after 2 epochs, but is 2"),
        ({"origin": {"epoch": 3, "step": 3}}, "origin.epoch must be a whole number of at least 0 and at most 2"),
        ({"best": [1, "low"]}, "best[1] must be a number, not a string"),
        ({"best": [3, 0.5]}, "best epoch must be a whole number of at least 1 and at most 2"),
        ({"best": [1, float("nan")]}, "its best loss is nan, but in epoch 1 the loss was"),
        ({"best": [1, 1e-9]}, "its best loss is 1e-09, but in epoch 1 the loss was"),
        ({"columns": ["nothing"]}, "no tensor named history.nothing"),
        ({"columns": []}, "its history has no losses"),
        ({"columns": "loss"}, "columns must be a list, not a string"),
        ({"stopped": 5}, "stopped must be a string or null, not a whole number"),
        ({"more": 5}, "its document: unknown field 'more'; remove it"),
    ],
)
def test_a_checkpoint_whose_parts_do_not_fit_is_refused_in_one_line(
    change: dict[str, Any], message: str, tmp_path: Path
) -> None:
    begin(tmp_path / "a", patience=2)
    change_checkpoint(tmp_path / "a", change, {})
    assert message in complaint(tmp_path / "a")


@pytest.mark.parametrize(
    ("where", "value", "message"),
    [
        (["optimizer", "epsilon_hat"], [], "epsilon_hat of optimizer 'adam' must be true or false, not a list"),
        (["optimizer", "beta1"], None, "beta1 of optimizer 'adam' must be a number, not null"),
        (["optimizer"], {"name": "adam", "beta3": 0.5}, "unknown parameter of optimizer 'adam' 'beta3'"),
        (["optimizer"], {"name": "lbfgs", "history": 10**6}, "history must be a whole number of at least 1 and at"),
        (["penalty", "by_weight"], None, "by_weight of penalty must be true or false, not null"),
        (["penalty", "l1"], "0", "l1 of penalty must be a number, not a string"),
        (["penalty"], None, "penalty must be an object, not null"),
        (["schedule"], {"name": "step", "every": 2.5}, "every of schedule 'step' must be a whole number, not a number"),
        (["schedule"], {"name": "warm_up", "then": 5}, "schedule: expected a name"),
        (["loss_weighting"], 5, "loss_weighting of settings of a run must be a string"),
        (["loss_weighting"], "row", "unknown loss_weighting 'row': did you mean 'rows'"),
        (["stopping"], 5, "stopping rule: expected a name"),
        (["stopping"], {"name": "patience", "epochs": 0}, "patience must be a whole number of at least 1"),
        (["stopping"], {"name": "plateau"}, "stopping rule 'plateau': epochs is missing"),
        (["shuffle"], 1, "shuffle of settings of a run must be true or false"),
        (["engine"], [], "engine of settings of a run must be a string"),
        (["clip_norm"], "1", "clip_norm of settings of a run must be a number or null"),
        (["batch_size"], 2**62, "batch_size 4611686018427387904 is larger than the 9 rows to train on"),
    ],
)
def test_a_setting_of_the_wrong_type_or_out_of_range_is_refused_in_one_line(
    where: list[str], value: Any, message: str, tmp_path: Path
) -> None:
    begin(tmp_path / "a")
    _, document = read_tensors(tmp_path / "a", "chainrule checkpoint 1")
    part = document["settings"]
    for name in where[:-1]:
        part = part[name]
    part[where[-1]] = value
    change_checkpoint(tmp_path / "a", document, {})
    assert message in complaint(tmp_path / "a")


@pytest.mark.parametrize("name", ["history.loss", "losses", "memory.mean", "best", "parameters"])
def test_a_tensor_of_another_shape_or_type_is_refused_in_one_line(name: str, tmp_path: Path) -> None:
    begin(tmp_path / "a", patience=2)
    whole = (tmp_path / "a").read_bytes()
    tensors, _ = read_tensors(tmp_path / "a", "chainrule checkpoint 1")
    for changed in (tensors[name][:, None], tensors[name][:-1], np.float64(1.0), tensors[name].astype(np.float32)):
        (tmp_path / "a").write_bytes(whole)
        change_checkpoint(tmp_path / "a", {}, {name: changed})
        if changed.dtype == np.float64 or name not in ("history.loss", "losses"):
            assert "but" in complaint(tmp_path / "a")


def test_a_run_that_continues_another_with_other_batches_can_be_resumed(tmp_path: Path) -> None:
    net = cr.Network(1, [cr.Dense(3), cr.Dense(1)])
    first = cr.train(net, X, Y, epochs=2, batch_size=2)
    train: dict[str, Any] = {"initial": first, "epochs": 3, "batch_size": 5}
    unbroken = cr.train(net, X, Y, **train, checkpoint=tmp_path / "a")
    cr.train(net, X, Y, **train, checkpoint=tmp_path / "b", callbacks=[lambda run: run.epoch == 4])
    change_checkpoint(tmp_path / "b", {"stopped": None}, {})
    assert (cr.resume(tmp_path / "b", X, Y).parameters.vector == unbroken.parameters.vector).all()


@pytest.mark.parametrize(("before", "now"), [({"validation": 0.25, "metrics": "r2"}, {}), ({}, {"validation": 0.25})])
def test_a_run_that_continues_another_with_other_columns_can_be_resumed(
    before: dict[str, Any], now: dict[str, Any], tmp_path: Path
) -> None:
    net = cr.Network(1, [cr.Dense(3), cr.Dense(1)])
    train: dict[str, Any] = {"initial": cr.train(net, X, Y, epochs=2, patience=2, **before), "epochs": 3, **now}
    unbroken = cr.train(net, X, Y, **train, checkpoint=tmp_path / "a")
    cr.train(net, X, Y, **train, checkpoint=tmp_path / "b", callbacks=[lambda run: run.epoch == 4])
    change_checkpoint(tmp_path / "b", {"stopped": None}, {})
    resumed = cr.resume(tmp_path / "b", X, Y)
    assert (resumed.state.theta == unbroken.state.theta).all()
    np.testing.assert_equal(dict(resumed.history), dict(unbroken.history))


def test_the_checkpoint_of_an_earlier_version_can_be_resumed(tmp_path: Path) -> None:
    begin(tmp_path / "a")
    tensors, document = read_tensors(tmp_path / "a", "chainrule checkpoint 1")
    del document["origin"]
    del document["settings"]["loss_weighting"]
    document["settings"] |= {"patience": document["settings"].pop("stopping"), "tolerance": 0.0}
    write_tensors(tmp_path / "a", "chainrule checkpoint 1", tensors, document)
    assert cr.resume(tmp_path / "a", X, Y, own=[CUBIC], metrics=["r2", worst]).epoch == 2


def test_a_best_loss_that_is_not_a_number_is_resumed_where_the_history_says_so(tmp_path: Path) -> None:
    net = cr.Network(1, [cr.Dense(1, "exponential")])
    far = ([1e3], [1.0])  # where the validation loss overflows
    run = cr.train(net, X, Y, epochs=2, validation=far, patience=5, initial=net.pack([2.0]), checkpoint=tmp_path / "a")
    assert not np.isfinite(run.history["validation_loss"]).any()
    assert run.best is not None
    assert cr.resume(tmp_path / "a", X, Y, validation=far).epoch == 2
