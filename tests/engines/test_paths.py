"""Every path of the native engine against the reference engine: each number of rows, each width, each depth."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from campaign.comparing import differences
from campaign.drawing import Case, Layer, draw, instruction_sets

import chainrule as cr
from chainrule.engines import extension

SETS = instruction_sets()
DTYPES = ["float32", "float64"]
COMBINATIONS = 20_000  # of all instruction sets and dtypes together
NETWORKS = 2_000

HIDDEN = ("tanh", "logistic", "softplus", "silu", "sin", "gelu", "softsign", "relu")
WIDEST = 200

# What `run.plan` says of the paths of a training step.
PATHS = {
    "chain": "a chain that learns row by row",
    "narrow": "in one call",
    "panels": "a batch is 1 group of rows",
    "groups": r"a batch is [2-9] groups of rows",
    "layers": "layer by layer",
}


def faults(case: Case) -> list[str]:
    """Return the differences between the engines that rounding does not explain."""
    return [f"{one}\n{case.to_json()}" for one in differences(case) if one.cause == "fault"]


def rows_of_a_panel(isa: str, dtype: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Return how many rows go through the layers together."""
    monkeypatch.setenv("CHAINRULE_ISA", isa)
    net = cr.Network(40, [cr.Dense(40), cr.Dense(1)])
    run = cr.train(net, np.ones((100, 40)), np.ones(100), epochs=1, batch_size=100, dtype=dtype, engine="native")
    found = re.search(r"(\d+) rows at a time", str(run.plan))
    assert found is not None
    return int(found[1])


def shuffled(random: np.random.Generator, values: range) -> Iterator[int]:
    """Yield numbers of a range for ever, each of them once before any of them again."""
    while True:
        yield from map(int, random.permutation(values))


def combinations(isa: str, dtype: str, panel: int, count: int) -> Iterator[Case]:
    """Yield cases in which every number of rows up to three panels, every width and one to five layers occur."""
    random = np.random.default_rng([SETS.index(isa), DTYPES.index(dtype)])
    all_rows, widths = shuffled(random, range(1, 3 * panel + 1)), shuffled(random, range(1, WIDEST + 1))
    for k in range(count):
        sizes = [int(size) for size in random.integers(1, 13, 2 + k % 5)]  # of the input and of one to five layers
        sizes[int(random.integers(len(sizes)))] = next(widths)
        rows, values = next(all_rows), "normal"
        if k % 10 == 1:  # columns of zeros, which are left out
            sizes[0], sizes[1], values = max(sizes[0], 33), 32 + k % 40, "sparse"
        if k % 40 == 2:  # groups of rows
            rows = 256 + rows
        if k % 80 == 3:  # large layers, which several panels go through before the next layer
            sizes[0], rows = 190 + k % 11, 4 * panel + rows % panel
            sizes[1] = WIDEST
        if k % 40 == 4:  # a chain
            sizes = [1] * len(sizes)
        hidden = [Layer(size, HIDDEN[int(random.integers(len(HIDDEN)))]) for size in sizes[1:-1]]
        classes = sizes[-1] > 1 and k % 3 == 0
        case = Case(
            "train",
            seed=k,
            inputs=sizes[0],
            layers=(*hidden, Layer(sizes[-1], "softmax" if classes else "identity", bias=k % 7 > 0)),
            loss="cross_entropy" if classes else "squared_error",
            rows=rows,
            values=values,
            dtype=dtype,
            isa=isa,
            batch_size=rows,
        )
        if k % 40 == 4:
            alike = tuple(Layer(1, "tanh", bias=k % 80 == 4) for _ in case.layers)
            case = replace(case, layers=alike, loss="squared_error", rows=min(rows, 20), batch_size=1)
        yield case


@pytest.mark.slow
@pytest.mark.parametrize("isa", SETS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_step_and_a_prediction_are_those_of_the_reference_engine(
    dtype: str, isa: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel = rows_of_a_panel(isa, dtype, monkeypatch)
    plans: set[str] = set()
    plan_of = extension.plan_of

    def remembered(*arguments: Any) -> str:
        plans.add(plan_of(*arguments))
        return plan_of(*arguments)

    monkeypatch.setattr(extension, "plan_of", remembered)
    seen: dict[str, set[int]] = {"rows": set(), "widths": set(), "layers": set(), "rows predicted as few": set()}
    for case in combinations(isa, dtype, panel, -(-COMBINATIONS // len(SETS) // len(DTYPES))):
        assert not faults(case)
        assert not faults(replace(case, kind="predict"))
        seen["rows"].add(case.rows)
        seen["widths"].update([case.inputs, *(layer.units for layer in case.layers)])
        seen["layers"].add(len(case.layers))
        if 0 < case.rows % panel <= panel // 4:
            seen["rows predicted as few"].add(case.rows % panel)
    assert seen["rows"] >= {*range(1, 3 * panel + 1)}
    assert seen["widths"] == {*range(1, WIDEST + 1)}
    assert seen["layers"] == {1, 2, 3, 4, 5}
    assert seen["rows predicted as few"] == {*range(1, panel // 4 + 1)}
    for path, words in PATHS.items():
        assert any(re.search(words, plan) for plan in plans), path


CHUNKS = Case(
    "train",
    seed=0,
    inputs=700,
    layers=(Layer(20, "tanh", dropout=0.3), Layer(3, "identity")),
    loss="squared_error",
    rows=6000,
    batch_size=5400,
    epochs=2,
)


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(CHUNKS, id="chunks with dropout"),
        pytest.param(replace(CHUNKS, values="sparse", layers=(Layer(33, "tanh"), Layer(3, "identity"))), id="zeros"),
        pytest.param(
            replace(CHUNKS, inputs=1, layers=(Layer(1, "tanh"), Layer(1, "tanh")), rows=1100, batch_size=1, epochs=1),
            id="a chain of more steps than are made at once",
        ),
        pytest.param(replace(CHUNKS, kind="predict", inputs=7, rows=1500, threads=2), id="predictions by parts"),
    ],
)
def test_more_rows_than_are_taken_at_once(case: Case) -> None:
    assert not faults(replace(case, isa=SETS[0]))


@pytest.mark.slow
@pytest.mark.parametrize("isa", SETS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_row_has_the_same_outputs_by_itself_as_among_others(
    dtype: str, isa: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To 10⁻¹² of the largest in float64 and 2·10⁻⁶ in float32, but for rounding that the network amplifies."""
    monkeypatch.setenv("CHAINRULE_ISA", isa)
    for number in range(NETWORKS):
        case = draw(number, "predict")
        case = replace(case, rows=1 + number % 70, dtype=dtype, size=1.0, layout="plain")
        assert not faults(case)
