"""The manifest of a run: what another run needs to have the same bits."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines import native
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
    assert manifest["instruction_set"] == (native.instruction_set() if manifest["engine"] == "native" else None)
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


@pytest.mark.skipif(not native.is_built() or len(native.instruction_sets()) < 2, reason="needs two instruction sets")
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
