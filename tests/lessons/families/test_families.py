"""Every family, drawn by many seeds, keeps what a problem promises; and the lecture's questions are among them."""

import json
import re
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chainrule.formula import Symbol, evaluate, parse, text
from chainrule.lessons import FAMILIES, ChooseAll, FormulaAnswer, NumberAnswer, OneChoice, generate
from chainrule.lessons.grading import check
from chainrule.lessons.proof import flaws
from tests.helpers.marking import slow_except

FEW, MORE = range(4), range(4, 25)  # seeds: with some twenty families more than 500 problems


@pytest.mark.parametrize("seeds", [FEW, pytest.param(MORE, marks=pytest.mark.slow)], ids=["few", "more"])
@pytest.mark.parametrize("family", FAMILIES)
def test_every_problem_has_one_key_and_no_wrong_answer_is_equal_to_it(family: str, seeds: range) -> None:
    """No two options are equal, key and mistakes are graded as such, and the solution ends in the key."""
    for seed in seeds:
        problem = generate(family, seed)
        assert flaws(problem) == (), (family, seed)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_same_seed_draws_the_same_problem_and_another_seed_others(family: str) -> None:
    assert repr(generate(family, 5)) == repr(generate(family, 5))
    drawn = (repr((one.prompt, one.answer)) for one in (generate(family, seed) for seed in range(12)))
    first = next(drawn)
    assert any(one != first for one in drawn)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_problem_is_made_again_from_its_family_parameters_and_seed(family: str) -> None:
    problem = generate(family, 3)
    parameters = json.loads(json.dumps(dict(problem.parameters)))
    assert repr(generate(family, 3, **parameters)) == repr(problem)


@pytest.mark.parametrize("family", slow_except(["shapes", "recursion", "softmax"], FAMILIES))
def test_each_value_of_each_parameter_gives_a_sound_problem(family: str) -> None:
    for name, parameter in FAMILIES[family].parameters.items():
        for value in parameter.values:
            problem = generate(family, 1, **{name: value})
            assert problem.parameters[name] == value
            assert flaws(problem) == ()


# The five questions of the lecture


def test_the_update_rule() -> None:
    answer = generate("update rule", 0, length=2).answer
    assert isinstance(answer, OneChoice)
    key = str(answer.options[answer.key].text)
    assert key in ("w₁ ← w₁−η·∂ℒ/∂w₁", "w₂ ← w₂−η·∂ℒ/∂w₂")


def test_the_gradient_by_the_chain_rule_choose_all() -> None:
    answer = generate("chain rule", 1, length=3, layer="first").answer
    assert isinstance(answer, ChooseAll)
    assert 1 <= len(answer.key) < len(answer.options)
    for place in answer.key:
        formula = answer.options[place].formula
        assert formula is not None
        assert Symbol("x") in formula.symbols() or text(formula) == "x·δ₁"


def test_delta_1_from_delta_2_for_tanh() -> None:
    problem = generate("recursion", 0, length=2, activation="tanh")
    assert check(problem, "delta_2 w_2 (1 - f_1^2)").right
    assert check(problem, "delta_2 w_2 (1 - tanh(z_1)^2)").right
    wrong = check(problem, "delta_2 w_2")
    assert not wrong.right
    assert wrong.mistake == "derivative"


def test_the_full_gradient() -> None:
    problem = generate("full gradient", 0, length=2, activation="tanh", loss="squared_error")
    assert check(problem, "-2(y-f_2)(1-f_2^2) w_2 (1-f_1^2) x").right
    assert check(problem, "2(y-f_2)(1-f_2^2) w_2 (1-f_1^2) x").mistake == "sign"
    assert check(problem, "(f_2-y)(1-f_2^2) w_2 (1-f_1^2) x").mistake == "factor 2"


def test_who_depends_on_whom() -> None:
    """What comes before the weight stays; its weighted input and all that follows moves."""
    for seed in FEW:
        problem = generate("dependence", seed)
        answer = problem.answer
        assert isinstance(answer, ChooseAll)
        weight = str(problem.prompt[1]).split()[1]
        layer = parse(weight, [Symbol("w", (i,)) for i in range(1, 7)]).expression.indices[0]  # type: ignore[attr-defined]
        for option in answer.options:
            symbol = option.formula
            assert isinstance(symbol, Symbol)
            assert option.right == (symbol.name in "zf" and int(symbol.indices[0]) >= layer)


# Against what nobody here wrote


@pytest.mark.parametrize("seed", range(12))
def test_numbers_by_hand_are_those_of_automatic_differentiation(seed: int) -> None:
    problem = generate("gradient by hand", seed, layer="first", activation="tanh")
    answer = problem.answer
    assert isinstance(answer, NumberAnswer)
    given = _given(str(problem.prompt[1]))
    length = problem.parameters["length"]

    def loss(first: Any) -> Any:
        f: Any = given["x"]
        for i in range(1, length + 1):
            weight = first if i == 1 else given[f"w_{i}"]
            f = jnp.tanh(f * weight + given.get(f"b_{i}", 0.0))
        return (given["y"] - f) ** 2

    np.testing.assert_allclose(answer.key, jax.grad(loss)(given["w_1"]), rtol=1e-6)


def _given(sentence: str) -> dict[str, float]:
    """Read "Let x = −0.3, w₁ = 0.6 and w₂ = 2."."""
    below = str.maketrans({chr(0x2080 + k): str(k) for k in range(10)} | {"−": "-"})
    found = {}
    for part in sentence.removeprefix("Let ").removesuffix(".").replace(" and ", ", ").split(", "):
        name, value = part.split(" = ")
        plain = name.translate(below)
        found[plain if len(plain) == 1 else f"{plain[0]}_{plain[1:]}"] = float(value.translate(below))
    return found


@pytest.mark.parametrize("seed", range(20))
def test_of_matrices_only_the_key_is_what_differentiation_gives(seed: int) -> None:
    """∂ of a sum of squares, by automatic differentiation, for one layer that leads into another."""
    answer = generate("matrix form", seed, asked="gradient").answer
    assert isinstance(answer, OneChoice)
    random = np.random.default_rng(seed)
    x, w, delta = random.normal(size=(5, 3)), random.normal(size=(3, 4)), random.normal(size=(5, 4))
    gradient = jax.grad(lambda w: jnp.sum(delta * (x @ w)))(w)
    np.testing.assert_allclose(x.T @ delta, gradient)
    key = answer.options[answer.key].text.pieces[0]
    assert not isinstance(key, str)
    names = {symbol.name: symbol for symbol in key.symbols()}  # type: ignore[union-attr]
    found = evaluate(key, {names.get("x", names.get("f")): x, names["δ"]: delta})  # type: ignore[arg-type]
    np.testing.assert_allclose(found, gradient)


@pytest.mark.parametrize("classes", [2, 3, 4])
@pytest.mark.parametrize("target", ["symbols", "a class"])
@pytest.mark.parametrize("seed", range(4))
def test_softmax_with_cross_entropy_is_what_differentiation_gives(classes: int, target: str, seed: int) -> None:
    problem = generate("softmax", seed, classes=classes, target=target)
    answer = problem.answer
    assert isinstance(answer, FormulaAnswer)
    told = re.search(r"belongs to class (\d)", " ".join(map(str, problem.prompt)))
    z, y = np.random.default_rng(0).normal(size=classes), np.eye(classes)[int(told[1]) - 1 if told else 1]
    gradient = jax.grad(lambda z: -jnp.sum(y * jax.nn.log_softmax(z)))(z)
    outputs = jax.nn.softmax(z)
    values = {Symbol("f", (1, k + 1)): float(outputs[k]) for k in range(classes)}
    values |= {Symbol("y", (k + 1,)): float(y[k]) for k in range(classes)}
    k = int(str(answer.left.indices[1])) - 1  # type: ignore[attr-defined]
    np.testing.assert_allclose(evaluate(answer.key, values), gradient[k], atol=1e-12)
