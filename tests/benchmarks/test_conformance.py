"""The campaign itself: it finds an error, makes it small, and takes rounding for what it is."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from campaign.comparing import Numbers, differences
from campaign.drawing import KINDS, Case, Layer, draw
from campaign.mutations import MUTATIONS
from campaign.shrinking import shrunk, snippet
from conformance import faults_of
from mutants import unfit

from chainrule.engines import extension

SMALL = Case("predict", seed=0, inputs=3, layers=(Layer(4, "tanh"), Layer(2, "identity")), loss="squared_error", rows=5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_case_is_drawn_from_an_integer_and_written_as_json(kind: str) -> None:
    for number in range(50):
        case = draw(number, kind)
        assert case == draw(number, kind)
        assert Case.from_json(case.to_json()) == case


@pytest.mark.parametrize("kind", KINDS)
def test_the_engines_agree(kind: str) -> None:
    for number in range(20):
        assert not faults_of(draw(number, kind))


class WrongPredictor(extension.NativePredictor):
    """Adds a millionth where a batch has more than one row and more than one input."""

    def __call__(self, x: Any, allowed_threads: int | None = None) -> Any:
        outputs = super().__call__(x, allowed_threads)
        return outputs + 1e-6 if x.shape[0] > 1 and x.shape[1] > 1 else outputs


def test_an_error_is_found_and_made_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extension, "NativePredictor", WrongPredictor)
    case = replace(SMALL, rows=40, values="sparse", layout="fortran")
    assert [one.cause for one in differences(case)][:1] == ["fault"]
    small = shrunk(case, lambda smaller: bool(faults_of(smaller)))
    assert (small.rows, small.inputs, len(small.layers), small.layout) == (2, 2, 1, "plain")
    assert small.layers[0].units == 1


def test_a_step_by_the_sign_of_a_gradient_that_is_0_but_for_rounding_is_no_fault() -> None:
    """Errors of ±1 cancel in the sum, to 0 or nearly, and Rprop takes a whole step or none."""
    found = [one for number in range(60) for one in differences(_balanced(number))]
    assert {one.cause for one in found} <= {"a sign in Rprop"}


def test_a_sum_of_terms_that_are_too_large_is_no_fault() -> None:
    """∞ − ∞ is NaN, but a fused product is not rounded, so that it has no infinity; and terms come in another order."""
    cases = [Case("train", n, 4, (Layer(1, "identity"),), "absolute_error", rows=34, size=1e250) for n in range(40)]
    found = [one for case in cases for one in differences(replace(case, batch_size=26, validation=0.25))]
    assert {one.cause for one in found} <= {"a number near the largest"}


def test_the_sign_of_an_activation_below_the_smallest_number_is_no_fault() -> None:
    """At z = −749, z σ(z) = −4·10⁻³²³; the reference engine rounds σ(z) to 0 first, and takes no step."""
    layers = (Layer(8, "silu", bias=False), Layer(18, "softmax", bias=False))
    case = Case("train", 773603457, 6, layers, "cross_entropy", rows=3, size=1000.0, optimizer="rprop", batch_size=2)
    assert {one.cause for one in differences(case)} <= {"a sign in Rprop"}


def _balanced(seed: int) -> Case:
    layers = (Layer(9, "identity"),)
    return Case("train", seed, 1, layers, "absolute_error", rows=46, optimizer="rprop", batch_size=46, shuffle=True)


@pytest.mark.parametrize("kind", ["predict", "train"])
def test_a_snippet_stands_by_itself(kind: str) -> None:
    case = replace(SMALL, kind=kind, layout="reversed", isa=extension.instruction_sets()[0], batch_size=5)
    shown = subprocess.run([sys.executable, "-c", snippet(case)], capture_output=True, text=True, check=True)
    assert "reference" in shown.stdout


def test_distances_are_relative_to_the_block() -> None:
    ours, theirs = Numbers(np.array([100.0, 1.0]), (0, 1)), Numbers(np.array([100.0, 1.1]), (0, 1))
    assert ours.distance(theirs) == pytest.approx(0.1)
    assert Numbers(ours.values).distance(Numbers(theirs.values)) == pytest.approx(0.001)
    assert ours.distance(Numbers(np.array([np.nan, 1.0]))) == np.inf


def test_each_mutation_applies_once() -> None:
    assert [flaw for mutation in MUTATIONS if (flaw := unfit(mutation))] == []
