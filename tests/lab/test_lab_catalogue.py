"""What the page may offer is what the library knows."""

from __future__ import annotations

from typing import Any

import pytest

from chainrule import Dense, Network
from chainrule.lab.catalogue import catalogue
from chainrule.lab.endpoints import Lab, Nothing
from chainrule.lab.scene import Layer, Scene


@pytest.fixture
def offered() -> Any:
    return catalogue(Lab(pytest.fail), Nothing())


def test_everything_that_is_offered_makes_a_network(offered: Any) -> None:
    hidden = [one["name"] for one in offered["activations"] if not one["output_only"]]
    for loss in offered["losses"]:
        for output in loss["output_activations"]:
            layers = [*(Dense(2, name) for name in hidden), Dense(2, output)]
            assert Network(1, layers, loss["name"]).loss.name == loss["name"]


def test_softmax_is_for_the_output_only(offered: Any) -> None:
    assert [one["name"] for one in offered["activations"] if one["output_only"]] == ["softmax"]


def test_a_formula_stands_beside_each_name(offered: Any) -> None:
    losses = {one["name"]: one for one in offered["losses"]}
    assert losses["squared_error"]["about"].startswith("ℒ = (y − f)², ∂ℒ/∂f = 2 (f − y)")
    assert losses["cross_entropy"]["about"] == "ℒ = −Σₖ yₖ log fₖ over the classes"
    assert all("=" in one["about"] for one in [*offered["activations"], *offered["losses"]])


def test_where_targets_may_lie(offered: Any) -> None:
    targets = {one["name"]: one["targets"] for one in offered["losses"]}
    assert targets["squared_error"] == [None, None]
    assert targets["binary_cross_entropy"] == [0, 1]


def test_what_a_scene_has_by_default_is_offered(offered: Any) -> None:
    assert Layer().activation in [one["name"] for one in offered["activations"]]
    assert Scene().loss in [one["name"] for one in offered["losses"]]
    assert offered["limits"]["layers"] == 8
    assert offered["limits"]["units"] == 12
