"""Lessons' files: what they say, which problems they draw, and what is said about those that are wrong."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from chainrule.errors import InputError
from chainrule.lessons import FAMILIES
from chainrule.lessons.lesson import Lesson, drill, looks
from chainrule.lessons.lesson_file import MAX_SIZE, LessonError, read, template

CHAIN = """\
title: Back-propagation in a chain
seed: 7                     # the same seed draws the same problems
show_solution: after correct
problems:
  - family: update rule
    points: 2
    attempts: 1
  - id: my-gradient
    family: full gradient
    count: 3
    parameters: {length: [3, 4], activation: tanh}
  - family: update rule
    attempts: unlimited
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "lesson.yaml"


def lesson(file: Path, content: str) -> Lesson:
    file.write_text(content, encoding="utf-8")
    return read(file)


def complaints(file: Path, content: str | bytes) -> list[str]:
    """Return what is wrong with a file, each as LINE:COLUMN: TEXT."""
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(LessonError) as caught:
        read(file)
    assert str(caught.value) == "\n".join(caught.value.problems)
    assert all(one.startswith(f"{file}:") and "\n" not in one for one in caught.value.problems)
    return [one.removeprefix(f"{file}:") for one in caught.value.problems]


def test_a_lesson_says_what_is_asked(file: Path) -> None:
    chain = lesson(file, CHAIN)
    assert (chain.title, chain.seed, chain.show_solution) == ("Back-propagation in a chain", 7, "after correct")
    drawn = dict(chain.problems())
    assert list(drawn) == ["update-rule-1", "my-gradient-1", "my-gradient-2", "my-gradient-3", "update-rule-2"]
    assert (drawn["update-rule-1"].points, drawn["update-rule-1"].attempts) == (2, 1)
    assert (drawn["update-rule-2"].points, drawn["update-rule-2"].attempts) == (1, None)
    assert {drawn[f"my-gradient-{k}"].parameters["activation"] for k in (1, 2, 3)} == {"tanh"}
    assert {drawn[f"my-gradient-{k}"].parameters["length"] for k in (1, 2, 3)} <= {3, 4}


def test_the_same_seed_draws_the_same_problems_whatever_stands_beside_them(file: Path) -> None:
    chain = lesson(file, CHAIN)
    first = dict(chain.problems())
    assert dict(lesson(file, CHAIN).problems(7)) == first
    assert dict(chain.problems(8)) != first
    more = lesson(file, CHAIN.replace("  - id: my", "  - family: dependence\n  - id: my"))
    assert {name: problem for name, problem in more.problems() if name in first} == first


def test_the_seeds_never_change(file: Path) -> None:
    drawn = lesson(file, "title: t\nseed: 7\nproblems: [{family: kink}]").problems()
    assert drawn[0][1].seed == 79237445863817


def test_one_problem_has_the_id_of_its_entry(file: Path) -> None:
    drawn = lesson(file, "title: t\nproblems: [{family: kink, id: relu}]").problems()
    assert [name for name, _ in drawn] == ["relu"]


def test_problems_of_an_entry_differ_as_long_as_its_family_has_others(file: Path) -> None:
    drawn = lesson(file, "title: t\nproblems: [{family: recursion, count: 15, parameters: {activation: tanh}}]")
    assert len({looks(problem) for _, problem in drawn.problems()}) == 10  # 1 + 2 + 3 + 4 errors of chains
    many = lesson(file, "title: t\nproblems: [{family: kink, count: 2}, {family: kink, count: 2}]").problems()
    assert len({looks(problem) for _, problem in many}) == 4


def test_a_whole_number_stands_for_the_same_decimal(file: Path) -> None:
    drawn = lesson(file, "title: t\nproblems: [{family: kink, parameters: {negative_slope: 0}}]").problems()
    assert drawn[0][1].parameters == {"negative_slope": 0.0}


def test_the_template_has_every_family_and_parameter(file: Path) -> None:
    written = lesson(file, template())
    assert [entry.family for entry in written.entries] == list(FAMILIES)
    assert len(written.problems()) == len(FAMILIES)
    for one in FAMILIES.values():
        assert all(parameter.meaning in template() for parameter in one.parameters.values())


def test_errors_of_the_yaml_library_have_a_line_and_column(file: Path) -> None:
    assert complaints(file, ":\n%YAML 9.9") == [
        "2:10: the YAML library failed before this place (KeyError: (9, 9)); simplify the YAML there"
    ]


def test_a_file_with_so_many_values_that_reading_it_would_take_long_is_refused(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chainrule.lessons.lesson_file.nodes.MAX_NODES", 20)
    assert complaints(file, "a: b\n" * 11) == ["10:4: it has more than 20 values; split it into two lessons"]


def test_long_strings_are_truncated_in_messages(file: Path) -> None:
    name = "x" * 100_000
    (told,) = complaints(file, f"title: t\nproblems: [{{family: update rule, parameters: {{{name}: 1}}}}]")
    assert len(told) < 1_100


def test_all_that_is_wrong_is_said_at_once_with_its_place(file: Path) -> None:
    found = complaints(
        file,
        """\
titel: A chain
seed: -1
problems:
  - family: recursoin
  - family: recursion
    count: 0
    points: 1.5
    attempts: 0
    parameters: {length: 9, actvation: tanh}
  - id: 7
""",
    )
    assert found == [
        "1:1: unknown key of a lesson 'titel': did you mean 'title'? Known: problems, seed, show_solution, title",
        "2:7: seed is a whole number from 0 to 9223372036854775807, but this is -1",
        *[
            one
            for one in found
            if one.startswith("4:13: unknown family of problems 'recursoin': did you mean 'recursi")
        ],
        "6:12: count is a whole number from 1 to 100, but this is 0",
        "7:13: points is a whole number from 1 to 1000, but this is 1.5",
        "8:15: attempts is a whole number from 1 to 1000, but this is 0; for as many as one likes, write unlimited",
        "9:26: recursion: length is 9, but may be a whole number from 2 to 5",
        "9:29: unknown parameter of recursion 'actvation': did you mean 'activation'? Known: activation, layer, length",
        '10:5: an entry needs "family: …"; add it',
        "10:9: id is a letter and up to 59 more letters, digits, hyphens and underscores, but this is 7; "
        "choose another",
    ]


@pytest.mark.parametrize(
    ("content", "place", "message"),
    [
        ("", "1:1", 'a lesson begins with "title: …"'),
        ("- title", "1:1", 'a lesson begins with "title: …"'),
        ("problems: [{family: kink}]", "1:1", 'a lesson needs "title: …"'),
        ("title: t", "1:1", 'a lesson needs "problems: …"'),
        ("title: [t]\nproblems: [{family: kink}]", "1:8", "title is text, but this is a list; write a text"),
        ("title: 2024\nproblems: [{family: kink}]", "1:8", "title is text, but this is 2024; put it in quotes"),
        ("title: ''\nproblems: [{family: kink}]", "1:8", "title is text"),
        ("title: t\nproblems: [{family: kink}]\nseed: x", "3:7", "a whole number from 0 to 92"),
        ("title: t\nproblems:", "2:1", "problems is a list"),
        ("title:\n\nproblems: [{family: kink}]", "1:1", "title is text, but this is nothing; write a text"),
        ("title: t\nproblems: []", "2:11", "problems is empty"),
        ("title: t\nproblems: [kink]", "2:12", 'begins with "family: …", but this is "kink"'),
        ("title: t\nproblems: [{family: {}}]", "2:21", "family is text, but this is a mapping"),
        ("title: t\nproblems: [{family: kink, parameters: 3}]", "2:39", "NAME: VALUE"),
        ("title: t\nproblems:\n- family: kink\n  parameters:\n", "4:3", "where there are none, remove parameters"),
        ("title: t\nproblems: [{family: kink, parameters: {negative_slope: []}}]", "2:56", "empty list"),
        ("title: t\nproblems: [{family: kink, parameters: {negative_slope: true}}]", "2:56", "but may be 0.0 or"),
        ("title: t\nproblems: [{family: kink, id: a b}]", "2:31", "id is a letter"),
        ("title: t\nproblems: [{family: kink, id: a}, {family: depth, id: a}]", "2:55", "a problem a above"),
        ("title: t\nproblems: [{family: kink}, {family: depth, id: kink-1}]", "2:48", "a problem kink-1 above"),
        ("title: t\ntitle: u\nproblems: [{family: kink}]", "2:1", "title stands in a lesson twice"),
        ("title: t\nproblems: [{family: kink, family: depth}]", "2:27", "family stands in an entry twice"),
        ("title: t\n? [x]\n: y\nproblems: [{family: kink}]", "2:3", "a key of a lesson is a word"),
        ("title: t\nproblems:\n" + "- {family: kink, count: 100}\n" * 11, "13:3", "more than 1000 problems"),
        ("title: t\nproblems: [{family: kink, count: 101}]", "2:34", "count is a whole number from 1 to 100"),
        ("title: t\nproblems: [{family: kink, count: true}]", "2:34", "but this is true"),
        ("title: t\nshow_solution: alway\nproblems: [{family: kink}]", "2:16", "unknown value 'alway'"),
        ("title: t\n\tproblems: x", "2:1", "a tab stands where YAML takes spaces"),
        ("title: 't\nproblems: [", "2:12", "this is not YAML"),
        ("title: {a", "1:10", "(of what began in line 1)"),
        ("title: a\x00b", "1:9", "remove the sign at this place"),
        ("title: t\n---\ntitle: u", "2:1", "remove the ---"),
        ("title: &t x\nproblems: *t", "1:8", "a lesson names no parts of itself"),
        ("title: t\nproblems: !!python/object:os.system x", "2:11", "a lesson has no tags"),
        ("title: t\nproblems: " + "[" * 5000, "2:20", "nested more than 10 deep"),
        (b"title: t\nproblems: \xff", "2:11", "byte 0xff is not UTF-8"),
        (b"#" * (MAX_SIZE + 1), "1:1", "more than 524,288 bytes"),
        ("seed: " + "9" * 5000 + "\ntitle: t\nproblems: [{family: kink}]", "1:7", "seed is a whole number"),
    ],
)
def test_a_bad_file(file: Path, content: str | bytes, place: str, message: str) -> None:
    (found,) = complaints(file, content)
    assert found.startswith(f"{place}: ")
    assert message in found


def test_a_billion_laughs_end_at_the_first(file: Path) -> None:
    lines = ["a0: &a0 [lol, lol]"] + [f"a{k}: &a{k} [*a{k - 1}, *a{k - 1}]" for k in range(1, 40)]
    (found,) = complaints(file, "\n".join(lines))
    assert found.startswith("1:5: a lesson names no parts of itself")


def test_a_hundred_complaints_are_enough(file: Path) -> None:
    found = complaints(file, "title: t\nproblems:\n" + "- {family: kink, points: 0}\n" * 150)
    assert len(found) == 101
    assert found[-1] == "103:26: and 50 more from here on; mend the others first"


@pytest.mark.parametrize("name", ["none.yaml", ".", "a\0b"])
def test_what_is_no_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(LessonError, match=r":1:1: cannot read it"):
        read(tmp_path / name)


def test_the_error_comes_back_from_another_process() -> None:
    error = pickle.loads(pickle.dumps(LessonError(["a", "b"])))  # noqa: S301
    assert error.problems == ("a", "b")
    assert str(error) == "a\nb"


PIECES = st.sampled_from(
    ["title", "problems", "family", "kink", "id", ": ", "\n", "- ", "  ", "{", "}", "[", "]", ",", "'", '"', "&a", "*a",
     "|", ">", "#", "!", "? ", "1", "-", "\t", "---", "...", "%YAML 1.1", "~", "0x", ".inf", "2020-01-01", "\ufeff"]
)  # fmt: skip


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(PIECES, max_size=30).map("".join) | st.text(max_size=60))
@example("title: t\nproblems: [{family: kink, parameters: {negative_slope: [[0.0]]}}]")
@example("title: t\nproblems: [{family: kink, parameters: {negative_slope: {a: {b: c}}}}]")
@example("title: t\nproblems: [{family: kink, parameters: {? {a: b} : c}}]")
@example("%YAML 1.1\n---\ntitle: t\nproblems: [{family: kink, points: 1:30}]")
@example("title: t\nproblems: [{family: kink, points: 0b1}]")
@example("%FOO\n---\ntitle: t")
def test_any_file_is_a_lesson_or_says_where_it_is_none(file: Path, content: str) -> None:
    file.write_bytes(content.encode("utf-8", "surrogatepass"))
    said: tuple[str, ...] = ()
    try:
        read(file)
    except LessonError as error:
        said = error.problems or ("nothing was said",)
    assert all(re.match(r":\d+:\d+: .", one.removeprefix(str(file))) for one in said)


def test_a_drill_needs_no_file() -> None:
    assert [name for name, _ in drill(["kink", "depth"], 2, 1).problems()] == ["kink-1", "kink-2", "depth-1", "depth-2"]
    with pytest.raises(InputError, match="did you mean 'kink'"):
        drill(["knik"], 1, 1)
