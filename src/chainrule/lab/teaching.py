"""Teaching in the page: families become a lesson, which is previewed, saved as its file, and taken to platforms."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from typing import Annotated, Any, Literal, TypeAlias

from msgspec import Meta, Struct, ValidationError, convert
from msgspec.structs import fields
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from ..errors import InputError
from ..formula import expression, text
from ..lessons import FAMILIES, ChooseAll, FormulaAnswer, NumberAnswer, OneChoice, Problem, prose
from ..lessons.lesson import Lesson
from ..lessons.lesson_file import MAX_ATTEMPTS, MAX_POINTS, MAX_TITLE, LessonError, from_text
from ..lessons.policy import Shown
from . import problems, worksheet
from .downloads import download
from .endpoints import Endpoint, File, Lab
from .matching import matching
from .problems import FamilyName, Given, Seed, paragraphs
from .scene import Scene

MAX_ENTRIES, MAX_PROBLEMS = 30, 100

Count: TypeAlias = Annotated[int, Meta(ge=1, le=MAX_PROBLEMS)]


class LessonEntry(Struct, frozen=True, forbid_unknown_fields=True):
    """What a lesson asks of one family.

    Attributes
    ----------
    family : str
    count : int
        How many problems.
    points : int
        For each of them.
    attempts : int or "unlimited" or None
        At each of them; None for as many as problems of this kind have otherwise.
    parameters : mapping from str to a value, or to values to draw from
    """

    family: FamilyName
    count: Count = 1
    points: Annotated[int, Meta(ge=1, le=MAX_POINTS)] = 1
    attempts: Annotated[int, Meta(ge=1, le=MAX_ATTEMPTS)] | Literal["unlimited"] | None = None
    parameters: Given = {}


class Taught(Struct, frozen=True, forbid_unknown_fields=True):
    """A lesson as the page has it."""

    title: Annotated[str, Meta(min_length=1, max_length=MAX_TITLE)]
    entries: Annotated[tuple[LessonEntry, ...], Meta(min_length=1, max_length=MAX_ENTRIES)]
    seed: Seed = 1
    show_solution: Shown = "after last attempt"

    def yaml(self) -> str:
        """Return it as the lesson's file that ``chainrule lesson`` takes."""
        document = CommentedMap(title=self.title, seed=self.seed, show_solution=self.show_solution)
        document["problems"] = [_entry(one) for one in self.entries]
        yaml, target = YAML(), StringIO()
        yaml.width = 120
        yaml.indent(mapping=2, sequence=4, offset=2)
        yaml.dump(document, target)
        return target.getvalue()

    def lesson(self) -> Lesson:
        """Return the lesson.

        Raises
        ------
        InputError
            When there are too many problems, or something is wrong: a line for each thing, which says in which entry.
        """
        count = sum(one.count for one in self.entries)
        if count > MAX_PROBLEMS:
            raise InputError(
                f"these are {count} problems, and a lesson here has at most {MAX_PROBLEMS}: make two of it"
            )
        written = self.yaml()
        try:
            return from_text(written, "lesson")
        except LessonError as error:
            raise LessonError(_of_entries(error, written.splitlines())) from error


class Linked(Struct, frozen=True, forbid_unknown_fields=True):
    """The entries of a lesson as a link tells them, which may be anything."""

    entries: Annotated[list[Any], Meta(max_length=10_000)]


class OnTheScreen(Struct, frozen=True, forbid_unknown_fields=True):
    """A network that a lesson is wanted of."""

    scene: Scene


class ByHand(Struct, frozen=True, forbid_unknown_fields=True):
    """A sheet of a network with its numbers, with lines to write on or with solutions."""

    scene: Scene
    solutions: bool = False


class Handed(Taught, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A lesson, and as what it is to be saved."""

    format: Literal["olx", "moodle", "sheet", "solutions", "yaml"]


def _of_entries(error: LessonError, lines: list[str]) -> Iterator[str]:
    """Yield what is wrong with a lesson's file, told of its entries in place of its lines."""
    first = lines.index("problems:")
    for problem in error.problems:
        _, line, _, wrong = problem.split(":", maxsplit=3)
        entry = sum(one.startswith("  - ") for one in lines[first : int(line)]) - 1
        yield wrong.strip() if entry < 0 else f"entries[{entry}]:{wrong}"


def _entry(one: LessonEntry) -> CommentedMap:
    """Return an entry as it stands in the file, without what goes without saying."""
    entry = CommentedMap(family=one.family)
    if one.count != 1:
        entry["count"] = one.count
    entry["points"] = one.points
    if one.attempts is not None:
        entry["attempts"] = one.attempts
    if one.parameters:
        entry["parameters"] = CommentedMap(
            {name: CommentedSeq(value) if isinstance(value, list) else value for name, value in one.parameters.items()}
        )
        entry["parameters"].fa.set_flow_style()
    return entry


def entries(_: Lab, body: Linked) -> dict[str, Any]:
    """Return the entries of a link, as far as they can be, and the names of what is left out."""
    known, left_out = [], []
    for place, one in enumerate(body.entries):
        told = {"family": None, **(one if isinstance(one, dict) else {})}
        entry = {name: value for name, value in told.items() if _can_be(name, value)}
        left_out += [f"teach.entries[{place}].{name}" for name in told if name not in entry]
        if "family" in entry:
            known.append(entry)
    return {"entries": known, "left_out": left_out}


def _can_be(name: str, value: object) -> bool:
    """Tell whether an entry may have such a member. What a family's parameters may be, it says itself."""
    if name == "family":
        return isinstance(value, str) and value in FAMILIES
    form = _FORMS.get(name)
    try:
        return form is not None and convert(value, form) == value
    except ValidationError:
        return False


_FORMS = {one.name: one.type for one in fields(LessonEntry)}


def of_network(_: Lab, body: OnTheScreen) -> dict[str, Any]:
    """Return an entry for each family that is about a network, with the parameters that tell it of this one."""
    found = matching(body.scene.network(), body.scene.sign)
    if not found:
        raise InputError(
            "no family of problems is about this network: most are about chains of two to five layers of one unit that "
            "share an activation"
        )
    return {"entries": [LessonEntry(name, parameters=told) for name, told in found.items()]}


def preview(_: Lab, body: Taught) -> dict[str, Any]:
    """Return the problems of a lesson with keys and solutions, and the lesson's file."""
    drawn = body.lesson().problems()
    return {
        "yaml": body.yaml(),
        "problems": [_told(name, one, f"p{place}-") for place, (name, one) in enumerate(drawn, start=1)],
    }


def _told(name: str, problem: Problem, ids: str) -> dict[str, Any]:
    """Return a problem with everything that a teacher may know."""
    answer = problem.answer
    key = None
    if isinstance(answer, FormulaAnswer):
        key = prose(answer.key).to_html(f"{ids}k-")
    elif isinstance(answer, NumberAnswer):
        key = text(expression(float(f"{answer.key:.{answer.digits}g}")))
    options = []
    if isinstance(answer, (OneChoice, ChooseAll)):
        written = problems.options(problem, f"{ids}o") or ()
        options = [{"html": html, "right": one.right} for html, one in zip(written, answer.options, strict=True)]
    return {
        "id": name,
        "problem": problems.id_of(problem),
        "title": problem.title,
        "kind": problem.kind,
        "difficulty": problem.difficulty,
        "points": problem.points,
        "attempts": problem.attempts,
        "prompt": paragraphs(problem.prompt, f"{ids}q"),
        "asked": problems.asked(problem, f"{ids}a-"),
        "options": options,
        "key": key,
        "hints": paragraphs(problem.hints, f"{ids}h"),
        "solution": paragraphs(problem.solution, f"{ids}s"),
    }


def export(_: Lab, body: Handed) -> File:
    """Return a lesson as a file for Open edX, Moodle, paper, or ``chainrule lesson``."""
    lesson = body.lesson()
    title = lesson.title
    if body.format == "yaml":
        content = body.yaml().encode()
        return download(title, ".yaml", lambda path: path.write_bytes(content))
    drawn = lesson.problems()
    if body.format == "olx":
        from ..lessons.export.olx import write_olx

        return download(title, ".tar.gz", lambda path: write_olx(title, drawn, path, lesson.show_solution))
    if body.format == "moodle":
        from ..lessons.export.moodle import write_moodle

        return download(title, ".xml", lambda path: write_moodle(title, drawn, path))
    from ..lessons.export.sheet import write_sheet

    solutions = body.format == "solutions"
    called = f"{title} solutions" if solutions else title
    return download(called, ".html", lambda path: write_sheet(title, [one for _, one in drawn], path, solutions))


def sheet(_: Lab, body: ByHand) -> File:
    """Return a page to print on which every number of one pass through a network is worked out, or to be."""
    from ..lessons.export.sheet import page

    title = "The network on the screen"
    content = page(title, worksheet.problems(body.scene), body.solutions, body.scene.notation).encode()
    called = f"{title} solutions" if body.solutions else title
    return download(called, ".html", lambda path: path.write_bytes(content))


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("/api/teach/entries", Linked, entries, "The entries of a lesson, without what cannot be"),
    Endpoint("/api/teach/of-network", OnTheScreen, of_network, "The families that are about a network, told of it"),
    Endpoint("/api/teach/sheet", ByHand, sheet, "A sheet on which a network is worked out by hand, with its numbers"),
    Endpoint("/api/teach/preview", Taught, preview, "The problems of a lesson, with keys and solutions"),
    Endpoint("/api/teach/export", Handed, export, "A lesson for Open edX, Moodle, paper or the terminal"),
)
