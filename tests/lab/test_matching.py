"""Problems about the network on the screen."""

from __future__ import annotations

from typing import Any

import pytest

import chainrule as cr
from chainrule.lab import claims
from chainrule.lab.matching import matching
from chainrule.lessons import FAMILIES, generate
from chainrule.network import Dense, Network

CHAINS = ["output error", "recursion", "recursion choice", "unrolled error", "full gradient"]


def biased(length: int, activation: str) -> Network:
    return Network(1, [Dense(1, activation)] * length)


def found(net: Network) -> dict[str, dict[str, Any]]:
    return matching(net, "y-f")


def test_the_chain_of_the_lecture_has_all_that_is_asked_about_it() -> None:
    told = found(cr.chain(3))
    assert list(told) == [
        "update rule", "weighted input", *CHAINS, "chain rule", "absent weights", "dependence", "forward by hand",
        "error by hand", "gradient by hand", "update by hand", "depth", "saturation", "held fixed",
    ]  # fmt: skip
    assert told["full gradient"] == {"length": 3, "activation": "tanh", "loss": "squared_error", "sign": "y-f"}
    assert told["error by hand"] == {"length": 3, "activation": "tanh", "bias": False}
    assert told["update rule"] == {"length": 3, "activation": "tanh"}
    assert list(found(cr.chain(3, "logistic"))) == list(told)


@pytest.mark.parametrize(
    "net",
    [
        cr.chain(2, "softplus"),
        cr.chain(3, "sin", "half_squared_error"),
        biased(4, "tanh"),
        cr.chain(2, "relu"),
        cr.chain(10),
        Network(1, [Dense(3, "logistic", bias=False), Dense(2, "logistic", bias=False)]),
        Network(4, [Dense(5), Dense(3, "softmax")], "cross_entropy"),
    ],
)
def test_problems_are_about_the_network_and_no_other(net: Network) -> None:
    for family, told in found(net).items():
        problem = generate(family, 1, **told)
        if "length" in FAMILIES[family].parameters:
            assert f"A chain of {len(net.layers)} layers" in str(problem.prompt[0])
        if claims.right(problem) is not None and family != "softmax":
            drawn = claims.network(problem)
            assert drawn.widths == net.widths
            assert {one.activation.name for one in drawn.layers} == {one.activation.name for one in net.layers}


@pytest.mark.parametrize(
    ("net", "families"),
    [
        (cr.chain(3, "logistic", "half_squared_error"), [
            "output error", "unrolled error", "full gradient", "saturation",
        ]),
        (biased(2, "relu"), ["forward by hand", "error by hand", "gradient by hand", "update by hand", "kink"]),
        (biased(3, "tanh"), [
            "weighted input", "bias gradient", "forward by hand", "error by hand", "gradient by hand", "update by hand",
            "saturation",
        ]),
        (Network(1, [Dense(2, "sin", bias=False), Dense(3, "sin", bias=False)]), ["several units", "matrix form"]),
        (Network(2, [Dense(4, "leaky_relu"), Dense(1)]), ["kink", "matrix form"]),
        (Network(2, [Dense(4, "tanh"), Dense(2, "softmax")], "cross_entropy"), [
            "saturation", "matrix form", "softmax",
        ]),
        (Network(1, [Dense(1, "tanh"), Dense(1, "identity")]), ["saturation"]),
        (Network(1, [Dense(1, "sin"), Dense(1, "gelu")]), []),
    ],
)  # fmt: skip
def test_what_is_about_another_network_is_left_out(net: Network, families: list[str]) -> None:
    assert list(found(net)) == families
