"""Practice in the page: problems without end, answers that are stored before they are graded, and what is due."""

from __future__ import annotations

import getpass
import json
import secrets
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from ..formula import text
from ..lessons import FAMILIES, Attempt, FormulaAnswer, Learner, MalformedReply, prose
from ..lessons.grading import understood
from . import problems
from .downloads import download
from .endpoints import Endpoint, File, Lab
from .problems import FamilyName, Given, Name, Place, ProblemId, Seed, Typed, paragraphs, plain
from .trying import can_try

_SEEDS = 2**32  # short enough to be told to someone else


class Whose(Struct, frozen=True, forbid_unknown_fields=True):
    """A learner: None is the user of the machine, as in the terminal."""

    learner: Name | None = None


class Wanted(Struct, frozen=True, forbid_unknown_fields=True):
    """A problem that is wanted; a seed that is None is drawn."""

    learner: Name
    family: FamilyName
    seed: Seed | None = None
    parameters: Given = {}


class Typing(Struct, frozen=True, forbid_unknown_fields=True):
    """What is being typed."""

    id: ProblemId
    typed: Typed


class Looked(Struct, frozen=True, forbid_unknown_fields=True):
    """A learner and a problem."""

    learner: Name
    id: ProblemId


class Answered(Looked, frozen=True, forbid_unknown_fields=True):
    """A reply: the place of an option, places of options, or what was typed."""

    reply: Place | Annotated[list[Place], Meta(max_length=100)] | Typed


class Hinted(Struct, frozen=True, forbid_unknown_fields=True):
    """So many hints that are wanted, the first ones."""

    id: ProblemId
    number: Annotated[int, Meta(ge=1, le=100)]


class Marked(Looked, frozen=True, forbid_unknown_fields=True):
    """A bookmark, to be set or taken away."""

    on: bool


class Exported(Struct, frozen=True, forbid_unknown_fields=True):
    """Progress that is to be saved as a file."""

    learner: Name
    format: Literal["csv", "json"]


def families(lab: Lab, body: Whose) -> dict[str, Any]:
    """Return all families, how well the learner knows each, and what is due."""
    progress = lab.progress()
    learner = progress.learner(body.learner or _user())
    now = datetime.now(UTC)
    known = learner.mastery(now)
    order = learner.due(FAMILIES, now)
    return {
        "learner": learner.name,
        "families": [
            {
                "name": one.name,
                "about": one.about,
                "kind": one.kind,
                "parameters": {
                    name: {"values": parameter.values, "meaning": parameter.meaning}
                    for name, parameter in one.parameters.items()
                },
                "mastery": {
                    "attempted": mastery.attempted,
                    "solved": mastery.solved,
                    "recall": mastery.retrievability,
                    "due": mastery.due,
                }
                if (mastery := known.get(one.name))
                else None,
            }
            for one in FAMILIES.values()
        ],
        "points": learner.total(),
        "due": [name for name in order if (of := known.get(name)) and of.due and of.due <= now],
        "next": order,
        "learners": progress.learners(),
    }


def problem(lab: Lab, body: Wanted) -> dict[str, Any]:
    """Return a problem, and what the learner has answered to it."""
    seed = secrets.randbelow(_SEEDS) if body.seed is None else body.seed
    return _shown(lab.progress().learner(body.learner), ProblemId(body.family, seed, body.parameters))


def preview(_: Lab, body: Typing) -> dict[str, Any]:
    """Return how a formula or number is understood; it is no attempt, and nothing is said about whether it is right."""
    try:
        parsed = understood(body.id.draw(), body.typed)
    except MalformedReply as error:
        return problems.malformed(error)
    return {"understood": prose(parsed.expression).to_html("u-"), "warnings": plain(parsed.warnings)}


def attempt(lab: Lab, body: Answered) -> dict[str, Any]:
    """Store an answer, and return its grade."""
    learner, answered = lab.progress().learner(body.learner), body.id.draw()
    try:
        made = learner.attempt(answered, body.reply, learner.policy(answered))
    except MalformedReply as error:
        return problems.malformed(error)
    grade, ids = made.grade, f"g{made.number}-"
    assert grade is not None  # noqa: S101 - for the type checker: only one that is read again can be without
    return {
        "number": made.number,
        "right": grade.right,
        "points": grade.points,
        "left": learner.left(answered),
        "feedback": paragraphs(grade.feedback, f"{ids}f"),
        "understood": None if grade.understood is None else grade.understood.to_html(f"{ids}u-"),
        "warnings": plain(grade.warnings),
        "mistake": grade.mistake,
        "solution": paragraphs(made.solution, f"{ids}s") if made.solution else None,
        "right_options": problems.right_options(answered) if made.solution else None,
    }


def hints(_: Lab, body: Hinted) -> dict[str, Any]:
    """Return the first hints."""
    return {"hints": problems.hints(body.id.draw(), body.number)}


def solution(lab: Lab, body: Looked) -> dict[str, Any]:
    """Return how a problem is solved, once the learner may see it."""
    looked_at = body.id.draw()
    learner = lab.progress().learner(body.learner)
    steps = learner.solution(looked_at, learner.policy(looked_at))
    return {"solution": paragraphs(steps, "s"), "right_options": problems.right_options(looked_at)}


def bookmark(lab: Lab, body: Marked) -> dict[str, Any]:
    """Set a bookmark, or take it away."""
    lab.progress().learner(body.learner).bookmark(body.id.draw(), body.on)
    return {"bookmarked": body.on}


def bookmarks(lab: Lab, body: Whose) -> dict[str, Any]:
    """Return the bookmarked problems, the first one first."""
    marked = lab.progress().learner(body.learner or _user()).bookmarks()
    return {"problems": [{"id": problems.id_of(one), "title": one.title} for one in marked]}


def progress(lab: Lab, body: Exported) -> File:
    """Return all attempts of a learner as a file."""
    learner = lab.progress().learner(body.learner)
    write = learner.to_csv if body.format == "csv" else learner.to_json
    return download(f"progress {learner.name}", f".{body.format}", write)


def _user() -> str:
    """Return the learner that the terminal takes where no name is given, so that both have one progress."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # in a container, a user may have no name
        return "learner"


def _shown(learner: Learner, id: ProblemId) -> dict[str, Any]:  # noqa: A002 - as the page calls it
    """Return a problem without its key, unless the solution may be seen.

    Of its parameters the page is told those alone that it gave itself: others may tell the answer.
    """
    shown = id.draw()
    answer, left, attempts = shown.answer, learner.left(shown), learner.attempts(shown)
    names = None
    if isinstance(answer, FormulaAnswer):
        names = [text(one) for one in (answer.names if answer.allowed is None else answer.allowed)]
    may_see = learner.may_see_solution(shown, learner.policy(shown))
    return {
        "id": id,
        "title": shown.title,
        "kind": shown.kind,
        "difficulty": shown.difficulty,
        "points": shown.points,
        "attempts": shown.attempts,
        "left": left,
        "solved": any(one.grade is not None and one.grade.right for one in attempts),
        "bookmarked": learner.is_bookmarked(shown),
        "prompt": paragraphs(shown.prompt, "q"),
        "asked": problems.asked(shown),
        "names": names,
        "options": problems.options(shown),
        "hints": len(shown.hints),
        "history": [_remembered(one) for one in attempts],
        "solution": paragraphs(shown.solution, "s") if may_see else None,
        "right_options": problems.right_options(shown) if may_see else None,
        "can_try": can_try(shown),
    }


def _remembered(one: Attempt) -> dict[str, Any]:
    """Return an attempt that was read again, with what was said then."""
    grade = one.grade
    return {
        "number": one.number,
        "reply": json.loads(one.reply),
        "at": one.at,
        "right": None if grade is None else grade.right,
        "points": None if grade is None else grade.points,
        "feedback": [] if grade is None else plain(grade.feedback),
    }


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "/api/practice/families", Whose, families, "All families of problems, how well they are known, what is due"
    ),
    Endpoint("/api/practice/problem", Wanted, problem, "A problem of a family, and what was answered to it"),
    Endpoint("/api/practice/preview", Typing, preview, "How what is typed is understood; no attempt"),
    Endpoint("/api/practice/attempt", Answered, attempt, "Answer a problem: stored first, then graded"),
    Endpoint("/api/practice/hints", Hinted, hints, "The first hints"),
    Endpoint("/api/practice/solution", Looked, solution, "How a problem is solved, once it may be seen"),
    Endpoint("/api/practice/bookmark", Marked, bookmark, "Set a bookmark, or take it away"),
    Endpoint("/api/practice/bookmarks", Whose, bookmarks, "The bookmarked problems"),
    Endpoint("/api/practice/progress", Exported, progress, "All attempts as a file"),
)
