"""Practice in the page: nothing is given away before its time, every answer stays, and nonsense is no answer."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

import chainrule as cr
from chainrule.lab.endpoints import File, Lab
from chainrule.lab.problems import MAX_SEED
from chainrule.lessons import FAMILIES, ChooseAll, OneChoice, Policy, Problem, Progress, generate
from tests.helpers.asking import ask
from tests.helpers.replies import right, wrong

RECURSION = {"family": "recursion", "seed": 1, "parameters": {"length": 3, "layer": "last", "activation": "tanh"}}
"""δ₂ = δ₃w₃(1 − f₂²)."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "progress.sqlite3"


@pytest.fixture
def lab(path: Path) -> Iterator[Lab]:
    with Progress(path) as progress:
        yield Lab(lambda: progress)


def asked(lab: Lab, what: str, **body: Any) -> Any:
    return ask(lab, f"/api/practice/{what}", {"learner": "Ada", **body})


def previewed(lab: Lab, id: dict[str, Any], typed: str) -> Any:  # noqa: A002
    return ask(lab, "/api/practice/preview", {"id": id, "typed": typed})


def hints(lab: Lab, shown: dict[str, Any], number: int) -> Any:
    return ask(lab, "/api/practice/hints", {"id": shown["id"], "number": number})["hints"]


def drawn(shown: dict[str, Any]) -> Problem:
    one = shown["id"]
    return generate(one["family"], one["seed"], **one["parameters"])


def ids(answer: object) -> list[str]:
    return re.findall(r' id="([^"]*)"', "".join(_texts(answer)))


def without_ids(html: str) -> str:
    return re.sub(r' id="[^"]*"', "", html)


def _texts(answer: object) -> Iterator[str]:
    if isinstance(answer, str):
        yield answer
    elif isinstance(answer, (list, dict)):
        for part in answer.values() if isinstance(answer, dict) else answer:
            yield from _texts(part)


@pytest.mark.parametrize("family", FAMILIES)
def test_from_a_problem_over_wrong_answers_and_hints_to_the_right_one(lab: Lab, family: str) -> None:
    shown = asked(lab, "problem", family=family, seed=5)
    problem = drawn(shown)
    assert (shown["kind"], shown["left"], shown["history"], shown["solved"]) == (
        problem.kind,
        problem.attempts,
        [],
        False,
    )
    answered = asked(lab, "attempt", id=shown["id"], reply=wrong(problem))
    assert (answered["right"], answered["points"], answered["solution"]) == (False, 0, None)
    assert answered["feedback"]
    assert answered["left"] == shown["attempts"] - 1
    told = [one.to_html(f"h{place}-") for place, one in enumerate(problem.hints)]
    assert [hints(lab, shown, number) for number in (1, shown["hints"])] == [told[:1], told]
    with pytest.raises(cr.errors.InputError, match="there is no hint"):
        hints(lab, shown, shown["hints"] + 1)
    with pytest.raises(cr.errors.InputError, match="the solution cannot be seen: it is shown once"):
        asked(lab, "solution", id=shown["id"])
    solved = asked(lab, "attempt", id=shown["id"], reply=right(problem))
    assert (solved["right"], solved["points"], solved["left"]) == (True, problem.points, 0)
    assert len(solved["solution"]) == len(problem.solution)
    assert asked(lab, "solution", id=shown["id"])["solution"] == [
        one.to_html(f"s{place}-") for place, one in enumerate(problem.solution)
    ]
    again = asked(lab, "problem", **shown["id"])
    assert again["solved"]
    assert [(one["number"], one["reply"], one["right"]) for one in again["history"]] == [
        (1, wrong(problem), False),
        (2, right(problem), True),
    ]
    assert again["solution"]


@pytest.mark.parametrize("family", FAMILIES)
def test_nothing_shown_gives_the_answer_away(lab: Lab, family: str) -> None:
    for seed in range(4):
        shown = asked(lab, "problem", family=family, seed=seed)
        problem, answer = drawn(shown), drawn(shown).answer
        assert shown.keys() == {
            "id", "title", "kind", "difficulty", "points", "attempts", "left", "solved", "bookmarked", "prompt",
            "asked", "names", "options", "right_options", "hints", "history", "solution", "can_try",
        }  # fmt: skip
        assert (shown["solution"], shown["right_options"]) == (None, None)
        assert shown["id"] == {"family": family, "seed": seed, "parameters": {}}  # a fate would tell the answer
        secrets = [one.to_html("") for one in (*problem.hints, *problem.solution)]
        if isinstance(answer, (OneChoice, ChooseAll)):
            secrets += [option.feedback.to_html("") for option in answer.options]
            assert shown.pop("options") == [
                option.text.to_html(f"o{'abcdefgh'[place]}-") for place, option in enumerate(answer.options)
            ]
        else:
            assert shown["options"] is None
            secrets += [mistake.feedback.to_html("") for mistake in answer.mistakes]
            if right(problem) not in (shown["names"] or ()):  # where a symbol by itself is right, it is among others
                secrets.append(str(right(problem)))
        written = without_ids("\n".join(_texts(shown)))
        assert [one for one in secrets if without_ids(one) in written] == []


def test_boxes_do_not_tell_which_of_them_were_right_until_the_problem_is_done(lab: Lab) -> None:
    shown = asked(lab, "problem", family="dependence", seed=3)
    problem = drawn(shown)
    assert isinstance(problem.answer, ChooseAll)
    one_short = sorted(problem.answer.key)[1:] or sorted(problem.answer.key ^ {0})
    first = asked(lab, "attempt", id=shown["id"], reply=one_short)
    second = asked(lab, "attempt", id=shown["id"], reply=wrong(problem))
    assert first["feedback"] == second["feedback"] == ["Not all is right yet."]
    assert (second["mistake"], second["right_options"]) == (None, None)
    last = asked(lab, "attempt", id=shown["id"], reply=wrong(problem))
    assert (last["left"], last["right_options"]) == (0, sorted(problem.answer.key))
    assert last["solution"]


def test_a_mistake_is_named_and_what_was_typed_is_shown_as_it_was_understood(lab: Lab) -> None:
    answered = asked(lab, "attempt", id=RECURSION, reply="delta_3 w_3")
    assert (answered["right"], answered["mistake"], answered["number"]) == (False, "derivative", 1)
    assert "left out" in answered["feedback"][0]
    assert 'data-symbol="delta_3"' in answered["understood"]


def test_what_cannot_be_read_is_no_attempt(lab: Lab) -> None:
    refused = asked(lab, "attempt", id=RECURSION, reply="delta_3 w_3 (1-")
    assert refused["malformed"]["message"].startswith("the formula ends here")
    assert (refused["malformed"]["begin"], refused["malformed"]["end"]) == (15, 15)
    for reply in ("", "import os", "__class__", "delta_9", "delta_3 w_3 (1-tanh(f_1 w_2)^2)", 2, [0, 1], "x" * 2_000):
        assert asked(lab, "attempt", id=RECURSION, reply=reply).keys() == {"malformed"}
    choice = asked(lab, "problem", family="shapes", seed=0)["id"]
    for reply in ("0", [0], 100):
        assert asked(lab, "attempt", id=choice, reply=reply).keys() == {"malformed"}
    assert asked(lab, "problem", **RECURSION)["left"] == 5
    assert asked(lab, "problem", **choice)["left"] == 2


def test_a_preview_says_how_it_is_understood_and_not_whether_it_is_right(lab: Lab) -> None:
    key, other = (previewed(lab, RECURSION, typed) for typed in ("δ_3w_3(1−f_2^2)", "δ_3w_3(1−f_1^2)"))
    assert key.keys() == other.keys() == {"understood", "warnings"}
    assert 'data-symbol="f_2"' in key["understood"]
    assert 'id="u-0-1"' in key["understood"]
    # right in another form than the one asked for, which as an attempt would be said
    assert previewed(lab, RECURSION, "δ_2").keys() == {"understood", "warnings"}
    assert previewed(lab, RECURSION, "1/2 f_2")["warnings"] == ["1/2 f₂ is read as (1/2)·f₂"]
    assert previewed(lab, RECURSION, "(1")["malformed"]["begin"] == 0
    number = asked(lab, "problem", family="depth", seed=1)["id"]
    assert "<mn" in previewed(lab, number, "0.25")["understood"]
    assert previewed(lab, number, "0,25")["malformed"]["message"].startswith("a number has a decimal point")
    choice = asked(lab, "problem", family="shapes", seed=0)["id"]
    assert previewed(lab, choice, "0").keys() == {"malformed"}
    assert asked(lab, "problem", **RECURSION)["history"] == []


def test_when_no_attempt_is_left_there_is_none(lab: Lab) -> None:
    choice = asked(lab, "problem", family="saturation", seed=2)
    problem = drawn(choice)
    for left in (1, 0):
        assert asked(lab, "attempt", id=choice["id"], reply=wrong(problem))["left"] == left
    with pytest.raises(cr.lessons.NoAttemptsLeft, match="Ada has used all 2 attempts"):
        asked(lab, "attempt", id=choice["id"], reply=right(problem))
    assert asked(lab, "problem", **choice["id"])["solution"]


def test_two_learners_do_not_see_of_each_other(lab: Lab) -> None:
    asked(lab, "attempt", id=RECURSION, reply="δ_3w_3(1−f_2^2)")
    asked(lab, "attempt", learner="Emmy", id=RECURSION, reply="δ_3")
    emmy = asked(lab, "problem", learner="Emmy", **RECURSION)
    assert (emmy["solved"], emmy["left"], emmy["solution"]) == (False, 4, None)
    assert [asked(lab, "families", learner=name)["points"] for name in ("Ada", "Emmy")] == [[1, 1], [0, 1]]
    assert asked(lab, "families")["learners"] == ["Ada", "Emmy"]


def test_ids_of_formulae_are_unique_within_an_answer(lab: Lab) -> None:
    for family in FAMILIES:
        shown = asked(lab, "problem", family=family, seed=1)
        problem = drawn(shown)
        found = ids(shown)
        asked(lab, "attempt", id=shown["id"], reply=wrong(problem))
        found += ids(asked(lab, "attempt", id=shown["id"], reply=right(problem)))
        found += ids(hints(lab, shown, shown["hints"]))
        assert len(found) == len(set(found))


def test_families_say_what_is_known_and_what_is_due(lab: Lab) -> None:
    before = asked(lab, "families")
    assert [one["name"] for one in before["families"]] == list(FAMILIES)
    assert all(one["mastery"] is None for one in before["families"])
    assert before["families"][3]["parameters"]["layer"]["values"] == ["any", "first", "last"]
    assert (before["due"], before["next"], before["points"]) == ([], list(FAMILIES), [0, 0])
    for _ in range(5):
        asked(lab, "attempt", id=RECURSION, reply="0")
    after = asked(lab, "families")
    known = next(one["mastery"] for one in after["families"] if one["name"] == "recursion")
    assert (known["attempted"], known["solved"]) == (1, 0)
    assert known["recall"] == pytest.approx(1, abs=0.01)
    assert known["due"] > "2025"
    assert after["next"][-1] == "recursion"  # due in some minutes


def test_without_a_name_it_is_the_user_of_the_machine_as_in_the_terminal(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "noether")
    assert ask(lab, "/api/practice/families", {})["learner"] == "noether"


def test_problems_never_end_and_can_be_told_what_they_are_about(lab: Lab) -> None:
    seeds = {asked(lab, "problem", family="shapes", seed=None)["id"]["seed"] for _ in range(20)}
    assert len(seeds) > 15
    parameters = {"activation": ["tanh", "sin"], "length": 4}
    some = [asked(lab, "problem", family="recursion", seed=seed, parameters=parameters)["id"] for seed in range(20)]
    told = [drawn({"id": one}).parameters for one in some]
    assert {(one["activation"], one["length"]) for one in told} == {("tanh", 4), ("sin", 4)}
    plain = asked(lab, "problem", family="kink", seed=1, parameters={"negative_slope": 0})  # JavaScript has no 0.0
    assert "max(z, 0)" in plain["prompt"][0]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"family": "recursion?"}, "unknown family of problems 'recursion.': did you mean 'recursion'"),
        ({"family": "recursion", "parameters": {"seed": 1}}, "unknown parameter of recursion 'seed'"),
        ({"family": "recursion", "parameters": {"self": 1}}, "unknown parameter of recursion 'self'"),
        ({"family": "recursion", "parameters": {"length": 9}}, "length is 9, but may be a whole number from 2 to 5"),
        ({"family": "recursion", "parameters": {"length": True}}, "length is True"),
        ({"family": "recursion", "parameters": {"length": []}}, "length is an empty list"),
        ({"family": "recursion", "parameters": {"activation": "tanh\n"}}, "activation is"),
        ({"family": "shapes", "learner": "a\x00b"}, "has no control characters"),
        ({"family": "shapes", "learner": "  "}, "has 1 to 80 characters"),
    ],
)
def test_what_there_is_not_is_refused(lab: Lab, body: dict[str, Any], message: str) -> None:
    with pytest.raises(cr.errors.InputError, match=message) as caught:
        asked(lab, "problem", **body)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("problem", {"family": "shapes", "seed": -1}),
        ("problem", {"family": "shapes", "seed": MAX_SEED + 1}),
        ("problem", {"family": "s" * 61}),
        ("problem", {"family": "shapes", "parameters": {str(number): 1 for number in range(21)}}),
        ("problem", {"family": "shapes", "parameters": {"asked": [1] * 61}}),
        ("problem", {"family": "shapes", "parameters": {"asked": {"a": 1}}}),
        ("problem", {"family": "shapes", "learner": "a" * 81}),
        ("problem", {"family": "shapes", "more": 1}),
        ("attempt", {"id": RECURSION, "reply": "x" * 2_001}),
        ("attempt", {"id": RECURSION, "reply": -1}),
        ("attempt", {"id": RECURSION, "reply": [0] * 101}),
        ("attempt", {"id": RECURSION, "reply": None}),
        ("attempt", {"id": RECURSION, "reply": {"a": 1}}),
        ("attempt", {"id": RECURSION}),
        ("progress", {"format": "xlsx"}),
        ("bookmark", {"id": RECURSION, "on": "yes"}),
    ],
)
def test_what_is_sent_has_bounds(lab: Lab, what: str, body: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        asked(lab, what, **body)


def test_bookmarks(lab: Lab) -> None:
    other = asked(lab, "problem", family="depth", seed=MAX_SEED)["id"]
    assert other == {"family": "depth", "seed": MAX_SEED, "parameters": {}}
    # what the seed draws by itself is left out of an id
    marked = {"family": "recursion", "seed": 1, "parameters": {"length": 3, "layer": "last"}}
    for one in (RECURSION, other):
        assert asked(lab, "bookmark", id=one, on=True) == {"bookmarked": True}
    assert asked(lab, "problem", **RECURSION)["bookmarked"]
    assert not asked(lab, "problem", learner="Emmy", **RECURSION)["bookmarked"]
    assert asked(lab, "bookmarks") == {
        "problems": [{"id": marked, "title": "One step back"}, {"id": other, "title": "Errors through many layers"}]
    }
    assert asked(lab, "bookmark", id=RECURSION, on=False) == {"bookmarked": False}
    assert [one["id"] for one in asked(lab, "bookmarks")["problems"]] == [other]


def test_a_bookmark_keeps_hidden_what_its_lesson_hides(lab: Lab) -> None:
    shown = asked(lab, "problem", family="depth", seed=1)
    lab.progress().learner("Ada").bookmark(drawn(shown), policy=Policy("never"))
    answered = asked(lab, "attempt", id=shown["id"], reply=right(drawn(shown)))
    assert (answered["right"], answered["solution"]) == (True, None)
    assert asked(lab, "problem", **shown["id"])["solution"] is None
    with pytest.raises(cr.InputError, match="the solution cannot be seen"):
        asked(lab, "solution", id=shown["id"])


def test_progress_is_saved_as_a_file(lab: Lab) -> None:
    asked(lab, "attempt", learner="Ada Lovelace/É", id=RECURSION, reply="δ_3 w_3")
    table = asked(lab, "progress", learner="Ada Lovelace/É", format="csv")
    assert isinstance(table, File)
    assert (table.name, table.media_type) == ("progress-ada-lovelace-e.csv", "text/csv; charset=utf-8")
    (row,) = csv.DictReader(table.content.decode().splitlines())
    assert (row["family"], row["right"], row["reply"]) == ("recursion", "false", '"δ_3 w_3"')
    document = asked(lab, "progress", learner="Ada Lovelace/É", format="json")
    assert json.loads(document.content)["attempts"][0]["mistake"] == "derivative"


def test_a_server_that_is_killed_loses_no_answer(path: Path) -> None:
    script = (
        "import os, sys, msgspec\n"
        "from chainrule.lab import practice\n"
        "from chainrule.lab.endpoints import Lab\n"
        "from chainrule.lessons import Progress\n"
        f"progress = Progress(__import__('pathlib').Path({str(path)!r}))\n"
        f"body = msgspec.convert({{'learner': 'Ada', 'id': {RECURSION!r}, 'reply': 'δ_3 w_3'}}, practice.Answered)\n"
        "answer = practice.attempt(Lab(lambda: progress), body)\n"
        "print(answer['mistake'], flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)
    assert (ended.returncode, ended.stdout) == (-9, "derivative\n"), ended.stderr
    with Progress(path) as progress:
        shown = asked(Lab(lambda: progress), "problem", **RECURSION)
    assert (shown["left"], shown["history"][0]["right"]) == (4, False)


def test_what_was_typed_is_text_on_the_page(lab: Lab) -> None:
    # what cannot be read is no attempt, so only known names and numbers come back; the rest is escaped all the same
    message = previewed(lab, RECURSION, "<b>x</b>")["malformed"]["message"]
    assert "<math" not in message
    shown = asked(lab, "attempt", id=RECURSION, reply="1 − f_2 < 3")
    assert shown.keys() == {"malformed"}
