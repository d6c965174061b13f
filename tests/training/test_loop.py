"""Whole runs: what they learn, how they end, and that a killed one goes on to the same bits."""

from __future__ import annotations

import math
import multiprocessing
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import chainrule as cr
from chainrule.data import prepare
from chainrule.engines.stopping import Patience
from chainrule.files import read_tensors
from chainrule.optimizers import OPTIMIZERS
from chainrule.schedules import SCHEDULES
from chainrule.training.splitting import split_of

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(60, 3))
Y = np.sin(X[:, 0]) + X[:, 1] * X[:, 2]


def network(dropout: float = 0.0) -> cr.Network:
    return cr.Network(3, [cr.Dense(8, "tanh", dropout=dropout), cr.Dense(1)])


def test_training_makes_the_loss_fall_and_is_decided_by_the_seed() -> None:
    first, again, other = (cr.train(network(0.1), X, Y, epochs=20, seed=seed) for seed in (1, 1, 2))
    assert first.history["loss"][-1] < first.history["loss"][0]
    assert (first.parameters.vector == again.parameters.vector).all()
    assert (first.parameters.vector != other.parameters.vector).any()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimiser_learns(name: str) -> None:
    run = cr.train(network(), X, Y, optimizer=name, epochs=30, batch_size=len(X), l2=1e-4)
    assert run.history["loss"][-1] < run.history["loss"][0]


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_schedule_runs(name: str) -> None:
    assert len(cr.train(network(), X, Y, schedule=name, epochs=3).history["learning_rate"]) == 3


def test_the_history_has_training_and_validation_columns() -> None:
    run = cr.train(network(), X, Y, epochs=2, validation=(X[:9], Y[:9]), metrics=["r2"])
    assert list(run.history) == ["loss", "learning_rate", "r2", "validation_loss", "validation_r2"]
    assert run.history.epochs == 2


def test_a_row_of_weight_two_counts_as_two_rows() -> None:
    weights = np.where(np.arange(len(X)) < 10, 2.0, 1.0)
    settings: dict[str, Any] = {"epochs": 5, "shuffle": False, "optimizer": cr.SGD(0.1)}
    weighted = cr.train(network(), X, Y, sample_weight=weights, batch_size=60, **settings)
    repeated = cr.train(network(), np.vstack([X, X[:10]]), np.append(Y, Y[:10]), batch_size=70, **settings)
    np.testing.assert_allclose(weighted.parameters.vector, repeated.parameters.vector, rtol=1e-12)


def test_early_stopping_goes_back_to_the_best_epoch() -> None:
    run = cr.train(network(), X, Y, epochs=500, validation=0.3, patience=5, optimizer=cr.Adam(0.05))
    assert run.best is not None
    assert run.stopped == f"no lower validation loss since epoch {run.best.epoch}"
    short = cr.train(network(), X, Y, epochs=run.best.epoch, validation=0.3, optimizer=cr.Adam(0.05))
    assert (run.parameters.vector == short.parameters.vector).all()


def test_numpy_numbers_are_settings_like_any_others(tmp_path: Path) -> None:
    """They go to the checkpoint's JSON, and a float64 among them does not make a float32 run one of float64."""
    optimizer = cr.SGD(np.float32(0.01), momentum=np.float64(0.9))  # type: ignore[arg-type]
    settings: dict[str, Any] = {"epochs": np.int64(2), "l2": np.float64(0.1), "clip_norm": np.float64(1.0)}
    run = cr.train(network(), X.astype("float32"), Y, optimizer=optimizer, checkpoint=tmp_path / "run", **settings)
    assert run.parameters.vector.dtype == np.float32
    assert (cr.resume(tmp_path / "run", X.astype("float32"), Y).parameters.vector == run.parameters.vector).all()


def test_lbfgs_says_whether_the_gradient_is_zero() -> None:
    net = cr.chain(1, "identity")
    flat = cr.train(net, X[:, 0], 2 * X[:, 0], optimizer="lbfgs")
    assert flat.stopped == "converged: the gradient is zero within the tolerance"
    strict = cr.train(network(), X.astype("float32"), Y, optimizer=cr.LBFGS(tolerance=0.0), epochs=5000)
    assert strict.stopped == "converged: no step finds a lower loss in float32"


@pytest.mark.parametrize("engine", ["native", "reference"])
def test_lbfgs_ends_where_it_is_told_to(engine: str) -> None:
    few = cr.train(network(), X, Y, optimizer=cr.LBFGS(evaluations=7), epochs=50, engine=engine)
    assert few.stopped == "the objective was evaluated as often as allowed"
    assert 0 < few.epoch <= 7
    rough = cr.train(network(), X, Y, optimizer=cr.LBFGS(relative_tolerance=0.1), epochs=50, engine=engine)
    assert rough.stopped == "converged: the objective fell by less than 0.1 of itself"


@pytest.mark.parametrize("name", [name for name in OPTIMIZERS if name != "lbfgs"])
@pytest.mark.parametrize("engine", ["native", "reference"])
def test_a_run_can_be_gone_on_from_to_the_bits_of_a_long_one(name: str, engine: str) -> None:
    settings: dict[str, Any] = {"optimizer": name, "seed": 3, "engine": engine, "validation": (X[:9], Y[:9])}
    long = cr.train(network(0.2), X, Y, epochs=9, **settings)
    short = cr.train(network(0.2), X, Y, epochs=4, **settings)
    rest = cr.train(network(0.2), X, Y, epochs=5, initial=short, **settings)
    assert (rest.parameters.vector == long.parameters.vector).all()
    assert dict(rest.history) == dict(long.history)
    assert (short.epoch, rest.epoch) == (4, 9)


def test_a_run_of_another_kind_is_not_gone_on_from() -> None:
    given: dict[str, Any] = {"net": network(), "x": X, "y": Y, "epochs": 1, "initial": cr.train(network(), X, Y)}
    wrong: dict[str, Any] = {"net": network(0.1), "dtype": "float32", "optimizer": "sgd"}
    for what, value in wrong.items():
        with pytest.raises(cr.InputError, match=f"a run can only be continued with its own {what}"):
            cr.train(**given | {what: value})


def test_a_callback_that_returns_true_ends_the_run() -> None:
    run = cr.train(network(), X, Y, epochs=50, callbacks=[lambda run: np.equal(run.epoch, 3)])
    assert (run.epoch, run.stopped) == (3, "a callback asked to stop")


@pytest.mark.parametrize("engine", ["native", "reference"])
@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_an_error_of_a_callback_leaves_train(optimizer: str, engine: str) -> None:
    """StopIteration, too, by which callbacks of SciPy's L-BFGS end it."""
    with pytest.raises(StopIteration):
        cr.train(network(), X, Y, optimizer=optimizer, engine=engine, callbacks=lambda run: next(iter([])))


def test_ctrl_c_ends_the_run_and_keeps_what_was_learnt() -> None:
    def press(run: cr.Run) -> None:
        if run.epoch == 3:
            signal.raise_signal(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    run = cr.train(network(), X, Y, epochs=50, callbacks=[press])
    assert (run.epoch, run.stopped) == (3, "interrupted")
    assert (run.parameters.vector == cr.train(network(), X, Y, epochs=3, seed=0).parameters.vector).all()
    after = signal.getsignal(signal.SIGINT)
    assert after is before


def test_float32_data_are_trained_in_float32() -> None:
    assert cr.train(network(), X.astype("float32"), Y, epochs=1).parameters.vector.dtype == np.float32


def test_divergence_says_where_and_keeps_the_last_good_parameters() -> None:
    net = cr.Network(3, [cr.Dense(8, "relu"), cr.Dense(1)])
    with pytest.raises(cr.DivergenceError, match=r"epoch \d+, batch \d+: the .* of layer \d") as caught:
        cr.train(net, X * 1e3, Y, optimizer=cr.SGD(1e6), epochs=50)
    assert np.isfinite(caught.value.run.parameters.vector).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"batch_size": 61}, "batch_size 61 is larger than the 60 rows"),
        ({"optimizer": "adm"}, "did you mean 'adam'"),
        ({"schedule": "cosin"}, "did you mean 'cosine'"),
        ({"metrics": ["acuracy"]}, "did you mean 'accuracy'"),
        ({"epochs": 0}, "epochs must be a whole number of at least 1"),
        ({"l2": -1.0}, "l2 must be"),
        ({"clip_norm": 0.0}, "clip_norm must be"),
        ({"validation": 1.5}, "validation fraction"),
        ({"validation": (X[:, :2], Y)}, r"validation x has the shape \(60, 2\), but must be \(n, 3\)"),
        ({"x": X[:, :2]}, r"x has the shape \(60, 2\), but must be \(n, 3\)"),
        ({"y": Y[:50]}, "y has 50 rows, but x has 60"),
        ({"x": np.where(X[4, 1] == X, np.nan, X)}, "x contains NaN in row 5 in column 2"),
        ({"y": np.append(Y[:59], np.inf)}, "y contains infinity in row 60"),
        ({"y": ["a"] * 60}, "y cannot be read as numbers"),
        ({"sample_weight": -np.ones(60)}, "sample_weight must not be negative"),
        ({"dtype": "float16"}, "dtype must be"),
    ],
)
def test_bad_input_is_refused_in_one_line(arguments: dict[str, Any], message: str) -> None:
    x, y = arguments.pop("x", X), arguments.pop("y", Y)
    with pytest.raises(cr.InputError, match=message) as caught:
        cr.train(network(), x, y, **arguments)
    assert "\n" not in str(caught.value)


def test_no_class_loses_its_last_row_to_validation() -> None:
    net = cr.Network(3, [cr.Dense(3, "softmax")], "cross_entropy")
    y = np.array([0] * 29 + [1] * 29 + [2] * 2)
    for seed in range(20):
        split = split_of(net, prepare(net, X, y), None, 0.5, seed, "float64")
        assert split.training.y.sum(axis=0).min() >= 1.0
        assert split.validation is not None
        assert len(split.training) + len(split.validation) == 60


def test_a_loss_that_was_infinite_or_nan_is_not_the_best_for_ever(tmp_path: Path) -> None:
    for first in (math.inf, math.nan):
        values = iter([first, 0.5, 0.7, 0.9])
        odd = cr.Loss("odd", lambda y, f: (y - f) ** 2, slope=lambda y, f: 2.0 * (f - y))
        run = cr.train(cr.Network(3, [cr.Dense(1)], odd), X, Y, epochs=1, patience=9)
        for value in values:
            run.state.losses[-1] = value
            run.state.epoch += 1
            Patience(9).check(run.state, None)
        assert run.best is not None
        assert run.best.loss == 0.5


def test_ctrl_c_brings_the_checkpoint_up_to_the_last_whole_epoch(tmp_path: Path) -> None:
    def press(run: cr.Run) -> None:
        if run.epoch == 7:
            signal.raise_signal(signal.SIGINT)

    settings: dict[str, Any] = {"epochs": 20, "checkpoint_every": 50}
    cr.train(network(), X, Y, checkpoint=tmp_path / "a", callbacks=[press], **settings)
    resumed = cr.resume(tmp_path / "a", X, Y, callbacks=[lambda run: True])
    assert resumed.epoch == 8
    assert (
        cr.resume(tmp_path / "a", X, Y).parameters.vector == cr.train(network(), X, Y, epochs=8).parameters.vector
    ).all()


def test_callbacks_may_be_none() -> None:
    assert cr.train(network(), X, Y, epochs=2, callbacks=None).epoch == 2


def test_one_callback_need_not_be_in_a_list() -> None:
    assert cr.train(network(), X, Y, epochs=9, callbacks=lambda run: run.epoch == 2).epoch == 2


@pytest.mark.parametrize(
    ("callbacks", "message"),
    [
        ([5], "a callback must be a function, but is 5"),
        (lambda: None, r"is called with the arguments \(run\), but does not accept"),
    ],
)
def test_a_callback_that_cannot_be_called_is_refused_before_the_first_epoch(callbacks: Any, message: str) -> None:
    with pytest.raises(cr.InputError, match=message):
        cr.train(network(), X, Y, callbacks=callbacks)


def test_a_checkpoint_that_cannot_be_a_file_is_refused_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    wrong: dict[Any, str] = {
        tmp_path: "it is a folder",
        tmp_path / "none" / "run": "there is no folder .*none; create it first",
        tmp_path / "file" / "run": "there is no folder .*file; create it first",
        "/dev/null": "a device",
        5: "checkpoint must be a path, but is 5",
        "a\0b": "checkpoint must be a path",
    }
    for path, message in wrong.items():
        with pytest.raises(cr.InputError, match=message):
            cr.train(network(), X, Y, checkpoint=path)


def test_a_run_lists_the_folder_of_its_checkpoints_only_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside many files, that takes longer than writing a checkpoint."""
    iterdir, listed = Path.iterdir, []

    def count(folder: Path) -> Iterator[Path]:
        listed.append(folder)
        return iterdir(folder)

    monkeypatch.setattr(Path, "iterdir", count)
    (tmp_path / ".run.x1y2abcd.cr~").touch()
    cr.train(network(), X, Y, epochs=5, checkpoint=tmp_path / "run")
    assert listed == [tmp_path]
    assert [path.name for path in iterdir(tmp_path)] == ["run"]


@pytest.mark.parametrize("dtype", [np.float32, np.dtype("float32"), "float32"])
def test_any_name_of_a_dtype_is_taken(dtype: Any) -> None:
    assert cr.train(network(), X, Y, epochs=1, dtype=dtype).parameters.vector.dtype == np.float32
    assert cr.train_many(network(), X, Y, epochs=1, dtype=dtype)[0].settings.dtype == "float32"


def test_the_columns_of_a_frame_are_found_by_their_names_in_everything_that_follows(tmp_path: Path) -> None:
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    turned = frame.assign(y=Y)[["y", "c", "a", "b"]]
    settings: dict[str, Any] = {"epochs": 3, "checkpoint": tmp_path / "run"}
    expected = cr.train(network(), X, Y, epochs=3, validation=(X[:9], Y[:9]))
    run = cr.train(network(), frame, Y, validation=(turned[:9], Y[:9]), **settings)
    assert dict(run.history) == dict(expected.history)
    run.save(tmp_path / "model")
    resumed = cr.resume(tmp_path / "run", turned, Y, validation=(frame[:9], Y[:9]))
    (many,) = cr.train_many(network(), frame, Y, epochs=3, validation=(turned[:9], Y[:9]))
    for trained in (run, resumed, many, cr.load(tmp_path / "model")):
        assert (trained.predict(turned) == expected.predict(X)).all()
        assert (trained.predict(X) == expected.predict(X)).all()
        with pytest.raises(cr.InputError, match="x has no column 'b'"):
            trained.predict(frame[["a", "c"]])
    longer = cr.train(network(), turned, Y, epochs=2, initial=run)
    assert (longer.predict(frame) == cr.train(network(), X, Y, epochs=2, initial=expected).predict(X)).all()


def test_initial_parameters_know_the_columns_that_they_were_trained_on() -> None:
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    turned = frame[["c", "a", "b"]]
    before = cr.train(network(), frame, Y, epochs=2).parameters
    expected = cr.train(network(), frame, Y, epochs=2, initial=before)
    run = cr.train(network(), turned, Y, epochs=2, initial=before)
    (many,) = cr.train_many(network(), turned, Y, epochs=2, initial=before)
    varied, drawn = cr.train_many(network(), turned, Y, epochs=2, settings=[{"initial": before}, {}])
    for trained in (run, many, varied):
        assert (trained.predict(frame) == expected.predict(X)).all()
    assert drawn.feature_names == ("c", "a", "b")


def test_names_of_columns_outlast_a_run_on_an_array() -> None:
    """As the array has its columns in the order of the initial parameters, later frames are put in this order."""
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    turned = frame[["c", "a", "b"]]
    first = cr.train(network(), frame, Y, epochs=2)
    for initial in (first, first.parameters):
        run = cr.train(network(), X, Y, epochs=2, validation=(turned, Y), initial=initial)
        expected = cr.train(network(), X, Y, epochs=2, validation=(X, Y), initial=initial)
        assert dict(run.history) == dict(expected.history)
        assert (run.predict(turned) == run.predict(X)).all()
    for settings in ({"initial": first.parameters}, {"settings": [{"initial": first.parameters}]}):
        (many,) = cr.train_many(network(), X, Y, epochs=2, validation=(turned, Y), **settings)
        assert many.feature_names == ("a", "b", "c")
        assert dict(many.history) == dict(run.history)


class KilledError(Exception):
    """Stands for whatever ends a process in the middle of a run."""


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_resumed_run_has_the_bits_of_an_unbroken_one(name: str, tmp_path: Path) -> None:
    def fail(run: cr.Run) -> None:
        if run.epoch == 8:
            raise KilledError

    net = network(0.0 if name == "lbfgs" else 0.2)
    settings: dict[str, Any] = {"optimizer": name, "epochs": 12, "validation": 0.2, "patience": 12, "seed": 3}
    unbroken = cr.train(net, X, Y, checkpoint=tmp_path / "a", checkpoint_every=3, **settings)
    with pytest.raises(KilledError):
        cr.train(net, X, Y, checkpoint=tmp_path / "b", checkpoint_every=3, callbacks=[fail], **settings)
    resumed = cr.resume(tmp_path / "b", X, Y)
    assert (resumed.state.theta == unbroken.state.theta).all()
    assert (resumed.parameters.vector == unbroken.parameters.vector).all()
    assert dict(resumed.history) == dict(unbroken.history)


def test_a_checkpoint_is_not_overwritten_and_not_resumed_on_other_data(tmp_path: Path) -> None:
    path = tmp_path / "run"
    cr.train(network(), X, Y, epochs=2, checkpoint=path)
    with pytest.raises(cr.InputError, match="continue that run with resume"):
        cr.train(network(), X, Y, epochs=2, checkpoint=path)
    with pytest.raises(cr.InputError, match="belongs to a run on other data"):
        cr.resume(path, X + 1.0, Y)
    with pytest.raises(cr.InputError, match="cannot read"):
        cr.resume(tmp_path / "none", X, Y)


def train_slowly(checkpoint: Path) -> None:
    pause = [lambda run: time.sleep(0.001)]
    cr.train(network(0.1), X, Y, epochs=300, checkpoint=checkpoint, checkpoint_every=2, seed=7, callbacks=pause)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="the system has no SIGKILL")
def test_a_run_killed_at_a_random_moment_resumes_to_the_same_bits_twenty_times(tmp_path: Path) -> None:
    unbroken = cr.train(network(0.1), X, Y, epochs=300, checkpoint=tmp_path / "whole", checkpoint_every=2, seed=7)
    chance = random.Random(0)
    processes = multiprocessing.get_context("forkserver")  # which imports this module once for all of them
    processes.set_forkserver_preload([__name__])
    for trial in range(20):
        path = tmp_path / f"run{trial}"
        child = processes.Process(target=train_slowly, args=(path,))
        child.start()
        while not path.exists():
            assert child.is_alive()
            time.sleep(0.001)
        time.sleep(chance.uniform(0.0, 0.3))
        child.kill()
        child.join()
        assert child.exitcode == -signal.SIGKILL
        _, document = read_tensors(path, "chainrule checkpoint 1")
        assert document["epoch"] < 300
        resumed = cr.resume(path, X, Y)
        assert (resumed.parameters.vector == unbroken.parameters.vector).all()
        assert not list(tmp_path.glob(".*.cr~"))
