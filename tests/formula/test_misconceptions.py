"""A wrong formula is told what is wrong with it, however it is written."""

from __future__ import annotations

import random

import pytest

import chainrule as cr
from chainrule.formula import Expression, Negative, Product, Symbol, compare, diagnose, expression, parse, substituted
from chainrule.formula.tree import joined
from tests.helpers.chains import Chain, chain

TWO = chain(2)


@pytest.mark.parametrize(
    ("typed", "kind", "sentence"),
    [
        ("x(1-f1^2)(1-f2^2)w2*2(y-f2)", "sign", "The sign is wrong"),
        ("x(1-f1^2)(1-f2^2)w2(f2-y)", "factor 2", "A factor 2 is missing"),
        ("-x(1-f1^2)(1-f2^2)w2(f2-y)", "factor 2", "The sign is wrong, too."),
        ("x(1-f1^2)(1-f2^2)w2*4(f2-y)", "factor 2", "too many"),
        ("x(1-z1^2)(1-f2^2)w2*2(f2-y)", "f for z", "z₁ stands where f₁ belongs"),
        ("x(1-z1^2)(1-z2^2)w2*2(f2-y)", "f for z", "z stands where f belongs"),
        ("x(1-f1^2)(1-f2^2)w2*2(z2-y)", "f for z", "z₂ stands where f₂ belongs"),
        ("x(1-f1^2)(1-f2^2)w1*2(f2-y)", "weight", "w₁ stands where w₂ belongs"),
        ("f1(1-f1^2)(1-f2^2)w2*2(f2-y)", "index", "f₁ stands where x belongs"),
        ("x(1-f1^2)(1-f2^2)w2*2(f1-y)", "index", "f₁ stands where f₂ belongs"),
        ("x(1-f1^2)w2*2(f2-y)", "derivative", "The derivative of the activation at z₂ is left out: 1−f₂²."),
        ("x w2*2(f2-y)", "derivative", "derivatives of the activations"),
        ("x(1-f1^2)w2*2(y-f2)", "derivative", "The sign is wrong, too."),
        ("(1-f1^2)(1-f2^2)w2*2(f2-y)", "missing factor", "A factor is missing: x."),
        ("x(1-f1^2)(1-f2^2)*2(f2-y)", "missing factor", "A factor is missing: w₂."),
        ("x w1(1-f1^2)(1-f2^2)w2*2(f2-y)", "extra factor", "a factor too many: w₁"),
        ("3x(1-f1^2)(1-f2^2)w2*2(f2-y)", "constant", "It is 3 times"),
        ("x δ2 w2", "derivative", "at z₁"),
        ("δ1", "missing factor", "x"),
    ],
)
def test_each_misconception_has_a_sentence(typed: str, kind: str, sentence: str) -> None:
    found = diagnose(parse(typed, TWO.names).expression, TWO.gradient, TWO.definitions)
    assert found is not None
    assert found.kind == kind
    assert sentence in found.sentence


@pytest.mark.parametrize("typed", ["y", "x + y", "1/0", "x(1-f1)(1-f2)w2*2(f2-y)", "exp(x)"])
def test_what_nobody_could_name_is_not_named(typed: str) -> None:
    assert diagnose(parse(typed, TWO.names).expression, TWO.gradient, TWO.definitions) is None


def test_a_right_formula_has_nothing_wrong() -> None:
    assert diagnose(TWO.gradient, TWO.gradient, TWO.definitions) is None


def test_the_sign_of_a_negative_right_formula_counts() -> None:
    derivation = cr.derive(cr.chain(2), sign="y-f")
    wrong = parse("-x(1-f_1^2)w_2*2(y-f_2)", derivation.symbols).expression
    found = diagnose(wrong, derivation.gradient("w_1"), derivation.definitions)
    assert found is not None
    assert found.sentence == "The derivative of the activation at z₂ is left out: 1−f₂²."


def test_a_slope_of_several_factors_is_named_whole() -> None:
    derivation = cr.derive(cr.chain(2, "logistic"))
    right = derivation.gradient("w_1")
    f1 = Symbol("f", (1,))
    rest = [factor for factor in right.parts if factor not in (f1, 1 - f1)]
    found = diagnose(joined(Product, *rest), right, derivation.definitions)
    assert found is not None
    assert found.sentence == "The derivative of the activation at z₁ is left out: f₁(1−f₁)."


KINDS = ("sign", "factor 2", "f for z", "derivative", "missing factor", "extra factor", "weight", "index")


def mistaken(kind: str, network: Chain, draw: random.Random) -> Expression:
    """Return the gradient with a mistake of this kind, its factors in any order."""
    length = len(network.f) - 1
    slopes = [1 - f**2 for f in network.f[1:]]
    last, weights = network.f[-1] - network.y, network.w[2:]
    factors: list[Expression] = [network.x, *slopes, *weights, expression(2), last]
    k = draw.randrange(length)
    match kind:
        case "factor 2":
            factors.remove(expression(2))
        case "f for z":
            factors[1 + k] = 1 - network.z[k + 1] ** 2
        case "derivative":
            del factors[1 + k]
        case "missing factor":
            factors.remove(draw.choice([network.x, *weights]))
        case "extra factor":
            factors.append(draw.choice([network.w[1], *network.f[1:]]))
        case "weight":
            i = draw.randrange(2, length + 1)
            factors[factors.index(network.w[i])] = network.w[i - 1]
        case "index":
            i = draw.randrange(1, length)
            factors[i] = substituted(slopes[i - 1], {network.f[i]: network.f[i + 1]})
    draw.shuffle(factors)
    formula = joined(Product, *factors)
    return Negative(formula) if kind == "sign" else formula


@pytest.mark.parametrize("kind", KINDS)
def test_mistakes_are_named_correctly_nineteen_times_in_twenty(kind: str) -> None:
    draw, wrong = random.Random(kind), []
    for _ in range(40):
        network = chain(draw.randint(2 if kind in ("weight", "index") else 1, 6))
        formula = mistaken(kind, network, draw)
        assert not compare(formula, network.gradient, network.definitions)
        found = diagnose(formula, network.gradient, network.definitions)
        if found is None or found.kind != kind:
            wrong.append((formula, found))
    assert len(wrong) <= 2, wrong


def test_the_first_of_two_occurrences_may_be_the_wrong_one() -> None:
    x, y, f = Symbol("x"), Symbol("y"), Symbol("f", (1,))
    z = Symbol("z", (1,))
    found = diagnose((z - y) * (1 - f**2), (f - y) * (1 - f**2), {z: x})
    assert found is not None
    assert found.sentence == "z₁ stands where f₁ belongs."
