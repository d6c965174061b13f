"""An answer is tried: the right one learns, a wrong one is seen to go another way, and nothing typed is executed."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

import chainrule as cr
from chainrule.derivation import derive
from chainrule.formula import compare, text
from chainrule.lab import claims
from chainrule.lab.endpoints import Lab
from chainrule.lab.problems import id_of
from chainrule.lab.trying import can_try
from chainrule.lessons import FAMILIES, FormulaAnswer, OneChoice, Problem, Progress, generate
from tests.helpers.asking import ask
from tests.helpers.marking import slow_except

CAN_BE_TRIED = [
    "update rule", "output error", "recursion", "recursion choice", "unrolled error", "full gradient", "bias gradient",
    "several units", "softmax",
]  # fmt: skip
QUICK = ["recursion", "softmax"]
RECURSION = generate("recursion", 1, length=3, layer="last", activation="tanh")
"""δ₂ = δ₃w₃(1 − f₂²)."""


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with Progress(tmp_path / "progress.sqlite3") as progress:
        yield Lab(lambda: progress)


def tried(lab: Lab, problem: Problem, typed: str | int, **more: Any) -> Any:
    return ask(lab, "/api/practice/try", {"id": msgspec.to_builtins(id_of(problem)), "typed": typed, **more})


def drawn(family: str, seed: int) -> Problem:
    """Draw a problem of a family, one of those whose answers can be tried."""
    return generate(family, seed, **({"target": "symbols"} if family == "softmax" else {}))


def words(answer: dict[str, Any]) -> str:
    return unescape(re.sub("<[^>]*>", "", answer["words"]))


def replies(problem: Problem) -> tuple[str | int, list[str | int]]:
    """Return the right reply, and known wrong ones."""
    match problem.answer:
        case FormulaAnswer() as answer:
            return text(answer.key), [text(one.answer) for one in answer.mistakes]
        case OneChoice() as choice:
            return choice.key, [place for place in range(len(choice.options)) if place != choice.key]
    raise AssertionError


def test_which_problems_can_be_tried() -> None:
    assert [family for family in FAMILIES if can_try(drawn(family, 1))] == CAN_BE_TRIED
    for family in FAMILIES:
        if family != "softmax":
            assert len({can_try(generate(family, seed)) for seed in range(3)}) == 1


def test_what_holds_for_one_class_is_not_learnt_by() -> None:
    assert can_try(generate("softmax", 1, target="symbols"))
    assert not can_try(generate("softmax", 1, target="a class"))


@pytest.mark.parametrize("family", [one for one in FAMILIES if one not in CAN_BE_TRIED])
def test_the_others_say_that_they_cannot(lab: Lab, family: str) -> None:
    with pytest.raises(cr.errors.InputError, match="no answer to this problem can be tried"):
        tried(lab, generate(family, 1), "0")


@pytest.mark.parametrize("family", slow_except(QUICK, CAN_BE_TRIED))
def test_the_network_is_the_one_that_the_problem_is_about(family: str) -> None:
    for seed in range(10):
        problem = drawn(family, seed)
        right = claims.right(problem)
        assert right is not None
        made = derive(claims.network(problem))
        if isinstance(problem.answer, FormulaAnswer):
            assert set(problem.answer.names) <= set(made.symbols)
        definitions = claims.definitions(problem)
        if family != "softmax":  # which knows of the outputs alone, and that targets add up to 1
            assert all(
                compare(made.definitions[one], formula, made.definitions).equal for one, formula in definitions.items()
            )
        if right.left in made.definitions:
            assert compare(made.definitions[right.left], right.formula, {**definitions, **made.definitions}).equal


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("family", slow_except(QUICK, CAN_BE_TRIED))
def test_the_right_answer_learns_and_both_runs_are_one(lab: Lab, family: str, seed: int) -> None:
    problem = drawn(family, seed)
    answer = tried(lab, problem, replies(problem)[0])
    assert answer["same"]
    assert answer["right"] == answer["wrong"]
    losses = answer["right"]["losses"]
    assert len(losses) == len(answer["right"]["weights"]) == 301
    assert losses[-1] < 0.6 * losses[0]
    assert words(answer).startswith("The formula is right. Both runs are one: the loss goes from")


@pytest.mark.parametrize("family", slow_except(["softmax"], CAN_BE_TRIED))
def test_every_mistake_goes_another_way(lab: Lab, family: str) -> None:
    rises = seen = 0
    problem = drawn(family, 0)
    for wrong in replies(problem)[1][:4]:
        answer = tried(lab, problem, wrong)
        right, other = answer["right"]["losses"], answer["wrong"]["losses"]
        assert not answer["same"], wrong
        assert answer["right"]["stopped"] is None
        assert right[-1] < 0.9 * right[0]
        assert right[0] == other[0]
        assert answer["right"]["weights"][0] == answer["wrong"]["weights"][0]
        apart = max(abs(one - two) for one, two in zip(right, other, strict=False))
        assert apart > 0.01 * right[0] or answer["wrong"]["stopped"], wrong
        assert "The formula is right" not in words(answer)
        seen += 1
        rises += answer["wrong"]["stopped"] is not None or other[-1] > right[0]
    assert rises >= seen / 4  # training is seen to go astray, not only to be slow


def test_a_wrong_sign_goes_uphill(lab: Lab) -> None:
    answer = tried(lab, RECURSION, "-delta_3 w_3 (1 - f_2^2)")
    assert answer["what"] == "δ₂"
    said = words(answer)
    assert said.startswith("By this formula δ2 has the wrong sign: w1 and w2 are moved uphill. The loss rises from ")
    assert answer["wrong"]["losses"][-1] > answer["wrong"]["losses"][0]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("2 delta_3 w_3 (1 - f_2^2)", "twice as large as it should be: w1 and w2 are moved the right way, but twice"),
        ("delta_3 w_3 (1 - f_2^2)/2", "is half as large as it should be: w1 and w2 are moved the right way, but half"),
        ("-3 delta_3 w_3 (1 - f_2^2)", "has the wrong sign, and is 3 times as large"),
        ("0", "δ2 is 0, so nothing moves w1 and w2. The loss stays about where it was, at "),
        ("delta_3 w_3", "has the right sign to begin with, but not the right size"),
        ("delta_3 w_3 f_2", "has the wrong sign in "),
        ("1/0", "has no value here. It does not last: the formula has no value in step 1, where the right one"),
        ("log(-1 - f_2^2)", "has no value here"),
        ("exp(exp(exp(exp(9))))", "has no value here"),
        ("10^64*10^64*10^64*10^64*10^64*10^64", "has no value here"),
    ],
)  # fmt: skip
def test_what_is_seen_is_said(lab: Lab, typed: str, said: str) -> None:
    assert said in words(tried(lab, RECURSION, typed))


def test_numbers_beyond_all_bounds_end_a_run(lab: Lab) -> None:
    answer = tried(lab, RECURSION, "-10^6 f_2")
    assert re.fullmatch(r"the numbers grew beyond all bounds in step \d+", answer["wrong"]["stopped"])
    step = int(answer["wrong"]["stopped"].split()[-1])
    assert len(answer["wrong"]["losses"]) == len(answer["wrong"]["weights"]) == step
    assert len(answer["right"]["losses"]) == 301
    assert "It does not last: the numbers grew beyond all bounds" in words(answer)


def test_what_is_right_is_right_however_it_is_written(lab: Lab) -> None:
    for typed in (
        "delta_2 = δ₃·w₃·(1−f₂²)",
        "delta_2",
        "w_3 2(f_3-y)(1-f_3^2) (1-tanh(z_2)^2)",
        "delta_3 w_3 (1-f_2)(1+f_2)",
    ):
        assert tried(lab, RECURSION, typed)["same"]


def test_what_cannot_be_read_is_said_and_not_run(lab: Lab) -> None:
    for typed in ("((", "", "__import__('os')", "delta_3.real", "w_9", 3):
        assert tried(lab, RECURSION, typed).keys() == {"malformed"}
    choice = generate("update rule", 1)
    for place in (9, "0"):
        assert tried(lab, choice, place).keys() == {"malformed"}


def test_the_network_on_the_screen_can_be_where_it_begins(lab: Lab) -> None:
    layer = {"units": 1, "activation": "tanh", "bias": False}
    scene = {
        "layers": [layer] * 3, "weights": [[[0.8]], [[-0.6]], [[1.1]]], "x": [0.5], "y": [0.8], "learning_rate": 0.2,
    }  # fmt: skip
    answer = tried(lab, RECURSION, "-delta_3 w_3 (1 - f_2^2)", scene=scene, steps=1)
    assert answer["rows"] == {"x": [[0.5]], "y": [[0.8]]}
    net = cr.chain(3)
    trace = cr.backprop(net, net.pack([0.8, -0.6, 1.1]), 0.5, 0.8)
    slope = trace.gradient.vector
    start = np.array([0.8, -0.6, 1.1])
    np.testing.assert_allclose(answer["right"]["weights"], [start, start - 0.2 * slope], atol=1e-6)
    np.testing.assert_allclose(answer["wrong"]["weights"][1], start - 0.2 * slope * [-1, -1, 1], atol=1e-6)
    assert answer["network"]["weights"] == scene["weights"]
    with pytest.raises(
        cr.errors.InputError, match=r"the network on the screen has .* 1 relu, .* this problem is about .* 1 tanh"
    ):
        tried(lab, RECURSION, "0", scene={"layers": [{**layer, "activation": "relu"}]})


def test_a_right_number_may_be_almost_0(lab: Lab) -> None:
    scene = {"weights": [[[1.0]], [[1.0]], [[1e-310]]]}
    answer = tried(lab, RECURSION, "1", scene=scene)
    assert words(answer).startswith("By this formula δ2 has the wrong sign here")


def test_with_a_learning_rate_that_is_too_large_the_right_run_ends_too(lab: Lab) -> None:
    problem = generate("recursion", 1, length=2, layer="first", activation="identity")
    layer = {"activation": "identity"}
    scene = {"layers": [layer] * 2, "weights": [[[3.0]], [[3.0]]], "x": [2.0], "learning_rate": 10.0}
    answer = tried(lab, problem, "delta_2", scene=scene)
    assert answer["right"]["stopped"]
    assert "with this learning rate the right one does not last either" in words(answer)


@pytest.mark.parametrize("family", slow_except(QUICK, CAN_BE_TRIED))
def test_where_it_begins_is_a_scene_that_the_page_can_show(lab: Lab, family: str) -> None:
    problem = drawn(family, 2)
    answer = tried(lab, problem, replies(problem)[0], steps=1)
    scene = msgspec.convert(answer["network"], cr.lab.scene.Scene)
    net = scene.network()
    flat = scene.parameters(net).vector
    np.testing.assert_allclose(flat, answer["right"]["weights"][0], atol=1e-6)
    assert len(answer["parameters"]) == net.parameter_count
    assert set(answer["learning"]) <= set(answer["parameters"])
    cr.backprop(net, scene.parameters(net), *scene.sample())


def test_where_the_others_would_make_up_for_it_only_what_is_moved_learns(lab: Lab) -> None:
    problem = generate("full gradient", 1, length=4, activation="logistic", loss="squared_error")
    answer = tried(lab, problem, "0")
    assert answer["learning"] == ["w₁"]
    weights = np.array(answer["right"]["weights"])
    assert (weights[:, 1:] == weights[0, 1:]).all()
    assert words(answer).endswith("Only w1 learns here; the other parameters are right from the start, and stay.")


def test_before_a_problem_is_done_only_what_was_answered_can_be_tried(lab: Lab) -> None:
    ada = lab.progress().learner("Ada")
    with pytest.raises(cr.errors.InputError, match="answer it first"):
        tried(lab, RECURSION, "delta_3 w_3", learner="Ada")
    ada.attempt(RECURSION, "delta_3 w_3")
    assert not tried(lab, RECURSION, "delta_3 w_3", learner="Ada")["same"]
    with pytest.raises(cr.errors.InputError, match="answer it first"):
        tried(lab, RECURSION, "delta_3 w_3 (1-f_2^2)", learner="Ada")
    ada.attempt(RECURSION, "delta_3 w_3 (1-f_2^2)")
    assert tried(lab, RECURSION, "delta_3", learner="Ada")["wrong"]["losses"]
    choice = generate("update rule", 1)
    ada.attempt(choice, 1)
    assert tried(lab, choice, 1, learner="Ada")["what"].startswith("w")


@pytest.mark.parametrize("steps", [0, 501])
def test_steps_have_bounds(lab: Lab, steps: int) -> None:
    with pytest.raises(msgspec.ValidationError):
        tried(lab, RECURSION, "0", steps=steps)


def test_the_longest_formula_does_not_take_long(lab: Lab) -> None:
    typed = "+".join(["tanh(z_1)"] * 40)
    begun = time.perf_counter()
    assert tried(lab, RECURSION, typed, steps=500)["what"] == "δ₂"
    assert time.perf_counter() - begun < 10  # on a machine that is busy with other things; here a third of a second


def test_the_same_is_tried_alike_every_time(lab: Lab) -> None:
    assert tried(lab, RECURSION, "delta_3") == tried(lab, RECURSION, "delta_3")
