"""The manifest of a run: what another run needs to have the same bits."""

from __future__ import annotations

import gc
import json
import pickle
import weakref
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy

import chainrule as cr
from chainrule.engines import extension
from chainrule.optimizers import Optimizer

X = np.random.default_rng(0).normal(size=(30, 2))
Y = X[:, 0] * X[:, 1]
NET = cr.Network(2, [cr.Dense(3, "tanh"), cr.Dense(1)])


def test_the_manifest_says_what_a_run_was_made_with() -> None:
    run = cr.train(NET, X, Y, epochs=2, seed=5, optimizer=cr.SGD(0.1), validation=0.2)
    manifest = run.manifest
    assert json.loads(json.dumps(manifest)) == manifest
    assert (manifest["seed"], manifest["settings"]["optimizer"]["learning_rate"]) == (5, 0.1)
    assert (manifest["numpy_version"], manifest["engine"]) == (np.__version__, run.settings.engine)
    assert manifest["instruction_set"] == (extension.instruction_set() if manifest["engine"] == "native" else None)
    assert cr.Network.from_json(manifest["network"]) == NET
    assert cr.train(NET, X, Y, epochs=2, engine="reference").manifest["instruction_set"] is None


def test_the_fingerprint_tells_data_apart_and_is_the_same_in_every_way_to_train(tmp_path: Path) -> None:
    def fingerprint(run: cr.Run) -> Any:
        return run.manifest["data_fingerprint"]

    expected = fingerprint(cr.train(NET, X, Y, epochs=1, validation=0.2))
    assert fingerprint(cr.train(NET, X, Y, epochs=1, validation=0.2, checkpoint=tmp_path / "run")) == expected
    assert fingerprint(cr.train_many(NET, X, Y, epochs=1, validation=0.2)[0]) == expected
    assert fingerprint(cr.train(NET, X + 1e-9, Y, epochs=1, validation=0.2)) != expected
    run = cr.train(NET, X, Y, epochs=1, validation=0.2)
    assert fingerprint(pickle.loads(pickle.dumps(run))) == expected  # noqa: S301 - our own


@pytest.mark.parametrize("engine", ["reference", *(["native"] if extension.is_built() else [])])
@pytest.mark.parametrize("rate", [0.1, 1e300])
def test_a_run_does_not_keep_its_data_in_memory_even_if_it_diverged(rate: float, engine: str) -> None:
    settings: dict[str, Any] = {"optimizer": cr.SGD(rate), "epochs": 5, "engine": engine}

    def train(x: Any) -> Any:
        try:
            return cr.train(NET, x, Y, **settings)
        except cr.DivergenceError as error:
            return error.run

    x = X.copy()
    data = weakref.ref(x)
    runs = [train(x), *cr.train_many(NET, x, Y, seeds=[0], **settings)]
    assert [run.error is not None for run in runs] == [rate > 1.0] * 2
    del x
    gc.collect()
    assert data() is None
    assert runs[0].manifest["data_fingerprint"] == runs[1].manifest["data_fingerprint"]


@pytest.mark.skipif(
    not extension.is_built() or len(extension.instruction_sets()) < 2, reason="needs two instruction sets"
)
def test_a_resumed_run_has_the_manifest_of_its_beginning_and_says_where_it_was_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = cr.train(NET, X, Y, epochs=3, checkpoint=tmp_path / "run")
    assert cr.resume(tmp_path / "run", X, Y).manifest == run.manifest
    monkeypatch.setenv("CHAINRULE_ISA", "baseline")
    manifest = cr.resume(tmp_path / "run", X, Y).manifest
    assert manifest["instruction_set"] == run.manifest["instruction_set"] != "baseline"
    assert [one["instruction_set"] for one in manifest["resumed"]] == ["baseline"]


class Plain(Optimizer):
    name = "plain"

    def update(self, theta: Any, g: Any, memory: Any, rate: float, step: int) -> Any:
        return theta - rate * g, {}

    def to_json(self) -> Any:
        return {"name": "plain", "function": np.sin}


def test_a_setting_without_a_json_form_is_shown_as_text() -> None:
    settings = cr.train(NET, X, Y, epochs=1, optimizer=Plain()).manifest["settings"]
    assert settings["optimizer"]["function"] == "<ufunc 'sin'>"


def constant(value: float, random: Any, fan_in: int, fan_out: int) -> Any:
    return np.full((fan_in, fan_out), value)


def test_manifests_differ_where_the_run_begins_elsewhere() -> None:
    def manifest(**settings: Any) -> Any:
        return cr.train(NET, X, Y, **{"epochs": 1, **settings}).manifest

    first = cr.train(NET, X, Y, epochs=1)
    begun: list[dict[str, Any]] = [
        {"initial": NET.initial(0)},
        {"initial": NET.initial(1)},
        {"initial": first},
        {"initial": first.parameters},
    ]
    fingerprints = [manifest(**one)["initial_fingerprint"] for one in begun]
    assert len(set(fingerprints)) == len(begun)
    assert fingerprints[0] == manifest()["initial_fingerprint"]  # drawn from seed 0
    (beside,) = cr.train_many(NET, X, Y, epochs=1, initial=NET.initial(1))
    assert beside.manifest == manifest(initial=NET.initial(1))
    scaled = [cr.Initializer("scaled", partial(constant, k)) for k in (1.0, 2.0)]
    nets = [cr.Network(2, [cr.Dense(3, "tanh", initializer=one), cr.Dense(1)]) for one in scaled]
    runs = [cr.train(net, X, Y, epochs=1).manifest for net in nets]
    assert [key for key in runs[0] if runs[0][key] != runs[1][key]] == ["initial_fingerprint"]


class Scaled(Plain):
    name = "scaled"

    def update(self, theta: Any, g: Any, memory: Any, rate: float, step: int) -> Any:
        return theta - 2.0 * rate * g, {}


class HalfScaled(Scaled):
    def update(self, theta: Any, g: Any, memory: Any, rate: float, step: int) -> Any:
        return theta - 0.5 * rate * g, {}


def test_manifests_differ_where_functions_of_the_same_name_do(tmp_path: Path) -> None:
    def line(k: float) -> cr.Network:
        return cr.Network(2, [cr.Dense(1, cr.Activation("q", lambda z: k * z, lambda z, f: k + 0.0 * z))])

    one, other = (cr.train(line(k), X, Y, epochs=1).manifest for k in (1.0, 2.0))
    assert [key for key in one if one[key] != other[key]] == ["definitions"]
    assert [(record["kind"], record["name"]) for record in one["definitions"]] == [("activation", "q")]
    one, other = (cr.train(NET, X, Y, epochs=1, optimizer=kind()).manifest for kind in (Scaled, HalfScaled))
    assert [key for key in one if one[key] != other[key]] == ["definitions"]


def test_a_resumed_run_keeps_where_it_began(tmp_path: Path) -> None:
    run = cr.train(NET, X, Y, epochs=3, checkpoint=tmp_path / "run", initial=NET.initial(7))
    assert cr.resume(tmp_path / "run", X, Y).manifest == run.manifest
    assert run.manifest["scipy_version"] == scipy.__version__
