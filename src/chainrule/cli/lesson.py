"""``chainrule lesson``: lessons written, checked, practised, printed, and taken to course platforms."""

from __future__ import annotations

import getpass
import secrets
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import InputError, unknown_name

if TYPE_CHECKING:
    from ..lessons import Problem
    from ..lessons.progress import Progress

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

PLATFORMS = {"olx": "Open edX", "moodle": "Moodle", "sheet": "paper"}
_DUE = 5  # families that a session without a lesson takes, in the order of Learner.due

_File = Annotated[Path, typer.Argument(help="A lesson's file.", show_default=False)]
_Seed = Annotated[
    int | None, typer.Option(help="Draws other problems.", show_default="the lesson's own", min=0, max=2**63 - 1)
]
_Data = Annotated[
    Path | None, typer.Option(help="The folder that progress is kept in.", show_default="CHAINRULE_DATA, or your own")
]
_Learner = Annotated[str | None, typer.Option(help="Whose progress it is.", show_default="your user name")]


@app.callback()
def options() -> None:
    """Write, check, practise, print and export lessons on back-propagation."""


@app.command()
def new(
    file: Annotated[Path, typer.Argument(help="The file to write.", show_default=False)],
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
) -> None:
    """Write a lesson to begin with. It has every family of problems, explained."""
    from ..files import write_atomically
    from ..lessons.lesson_file import template

    _check_is_free(file, force)
    write_atomically(file, template().encode())
    _print(f"{file}: a lesson with every family of problems. Edit it, then: chainrule lesson check {file}")


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(help="Lessons' files.", show_default=False)],
) -> None:
    """Check lessons. Says how many problems and points they have, or what is wrong."""
    from ..lessons.lesson import looks
    from ..lessons.lesson_file import LessonError, read

    bad = False
    for file in files:
        try:
            lesson = read(file)
        except LessonError as error:
            print(error, file=sys.stderr)
            bad = True
            continue
        drawn = lesson.problems()
        _print(f"{file}: {_counted(problem for _, problem in drawn)}")
        alike: dict[object, list[str]] = {}
        for name, problem in drawn:
            alike.setdefault(looks(problem), []).append(name)
        for first, *others in alike.values():
            if others:
                print(f"note: {file}: the same problem as {first}: {', '.join(others)}", file=sys.stderr)
    if bad:
        raise typer.Exit(2)


@app.command()
def preview(
    file: _File,
    seed: _Seed = None,
    solutions: Annotated[
        bool, typer.Option("--solutions", help="Show the solutions too, whatever the lesson lets learners see.")
    ] = False,
    form: Annotated[str, typer.Option("--format", help="text or html.")] = "text",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file to write to.", show_default="the terminal")
    ] = None,
) -> None:
    """Show the problems of a lesson."""
    from ..files import write_atomically
    from ..lessons.export.sheet import page
    from ..lessons.lesson_file import read
    from ..lessons.practice import plain_text, transliterate

    if form not in ("text", "html"):
        raise unknown_name("format", form, ("text", "html"))
    lesson = read(file)
    if output is not None:
        _check_is_another(output, file)
    drawn = lesson.problems(seed)
    if form == "html":
        shown = page(lesson.title, [problem for _, problem in drawn], solutions)
    else:
        shown = plain_text(lesson.title, drawn, solutions)
    if output is not None:
        write_atomically(output, shown.encode())
    elif form == "html":
        sys.stdout.buffer.write(shown.encode())  # in UTF-8, as the page says
    else:
        sys.stdout.write(transliterate(shown, sys.stdout.encoding))


@app.command()
def practise(
    file: Annotated[
        Path | None,
        typer.Argument(help=f"A lesson's file; without it, {_DUE} families, due or new.", show_default=False),
    ] = None,
    learner: _Learner = None,
    family: Annotated[
        list[str] | None, typer.Option(help="Only this family of problems; may be repeated.", show_default=False)
    ] = None,
    count: Annotated[
        int | None,
        typer.Option(help="How many problems of each family, without a lesson.", show_default="1", min=1, max=100),
    ] = None,
    bookmarked: Annotated[bool, typer.Option("--bookmarked", help="The problems that you bookmarked.")] = False,
    seed: Annotated[
        int | None,
        typer.Option(help="Draws other problems.", show_default="the lesson's own, or by chance", min=0, max=2**63 - 1),
    ] = None,
    data: _Data = None,
) -> None:
    """Answer problems in the terminal.

    Those of a lesson, or of a few families: first what has been due longest, then what is new.
    """
    from ..lessons import FAMILIES
    from ..lessons.lesson import counted, drill
    from ..lessons.lesson_file import read
    from ..lessons.policy import Policy
    from ..lessons.practice import Console, practise

    for name in family or ():
        if name not in FAMILIES:
            raise unknown_name("family of problems", name, FAMILIES)
    for option, given in {"--count": count, "--bookmarked": bookmarked}.items():
        if given and file is not None:
            raise InputError(f"{option} does not go with a lesson: leave one of them out")
    lesson = None if file is None else read(file)
    with _progress(data) as progress:
        whose = progress.learner(_name(learner))
        if lesson is not None:
            drawn = lesson.problems(seed)
        elif bookmarked:
            drawn = tuple((problem.family, problem) for problem in whose.bookmarks())
        else:
            families = dict.fromkeys(family or whose.due(FAMILIES)[:_DUE])
            drawn = drill(families, count or 1, secrets.randbelow(2**32) if seed is None else seed).problems()
        if family:
            drawn = tuple(one for one in drawn if one[1].family in family)
        if not drawn and family:
            raise InputError(
                f"{file or 'what is bookmarked'} has no problem of {' or '.join(family)}; leave --family out"
            )
        if not drawn:
            raise InputError(f"{whose.name} has bookmarked no problem; * bookmarks one while you practise")
        policy = Policy() if lesson is None else Policy(lesson.show_solution)
        practise(drawn, whose, None if bookmarked else policy, Console())
        if lesson is not None and all(whose.left(problem) == 0 for _, problem in drawn):
            print("All is done. Another --seed draws other problems.")
        earned, possible = whose.total()
        if possible:
            _print(f"{whose.name} has {earned} of {counted(possible, 'point')} in all.")


@app.command()
def export(
    file: _File,
    to: Annotated[str, typer.Option(help="olx (Open edX), moodle, or sheet (to print).", show_default=False)],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="olx: a folder or a .tar.gz; moodle: an .xml; sheet: an .html or .pdf, with NAME-solutions beside.",
            show_default=False,
        ),
    ],
    seed: _Seed = None,
) -> None:
    """Write a lesson for Open edX, Moodle or paper."""
    from ..lessons.lesson_file import read

    if to not in PLATFORMS:
        raise unknown_name("form of export", to, PLATFORMS)
    lesson = read(file)
    _check_is_another(output, file)
    drawn = lesson.problems(seed)
    paths: Sequence[Path] = (output,)
    if to == "olx":
        from ..lessons.export.olx import write_olx

        write_olx(lesson.title, drawn, output, lesson.show_solution)
    elif to == "moodle":
        from ..lessons.export.moodle import write_moodle

        write_moodle(lesson.title, drawn, output)
    else:
        from ..lessons.export.sheet import write_sheet

        paths = write_sheet(lesson.title, [problem for _, problem in drawn], output)
    _print(f"{' and '.join(map(str, paths))}: {_counted(problem for _, problem in drawn)} for {PLATFORMS[to]}")


@app.command()
def progress(
    learner: _Learner = None,
    csv: Annotated[Path | None, typer.Option(help="Write all attempts to this CSV file.", show_default=False)] = None,
    json: Annotated[Path | None, typer.Option(help="Write them to this JSON file.", show_default=False)] = None,
    data: _Data = None,
) -> None:
    """Show what a learner knows.

    For each family that was practised: how many of its problems were solved, and when it is due again.
    """
    from ..lessons.lesson import counted

    with _progress(data) as kept:
        name, known = _name(learner), kept.learners()
        if name not in known:
            if known:
                raise unknown_name("learner", name, known)
            raise InputError(f"{name} has answered nothing yet; begin with: chainrule lesson practise")
        whose = kept.learner(name)
        if csv is not None:
            whose.to_csv(csv)
        if json is not None:
            whose.to_json(json)
        now = datetime.now(UTC)
        rows = [
            (
                family,
                f"{known.solved} of {known.attempted} solved",
                _when(known.due, now),
            )
            for family, known in whose.mastery().items()
        ]
        earned, possible = whose.total()
    _print(f"{name}: {earned} of {counted(possible, 'point')}")
    _print_table(rows)


@app.command()
def families() -> None:
    """List the families of problems. Says what each practises, and its parameters."""
    from ..lessons import FAMILIES

    for one in FAMILIES.values():
        _print(f"{one.name} ({one.kind}): {one.about}")
        _print_table(
            [(f"  {name}", parameter.description, parameter.meaning) for name, parameter in one.parameters.items()]
        )


def _check_is_free(file: Path, force: bool) -> None:
    from ..files import check_is_file_or_free

    check_is_file_or_free(file)
    if file.exists() and not force:
        raise InputError(f"{file} is there already; choose another name, or write over it with --force")


def _check_is_another(output: Path, file: Path) -> None:
    """Refuse to write over the lesson that is being read."""
    if output.exists() and output.samefile(file):
        raise InputError(f"{output} is the lesson itself: name another file with --output")


def _progress(data: Path | None) -> Progress:
    """Open the file of progress in a folder."""
    from ..lessons.progress import Progress, default_path

    return Progress(None if data is None else data / default_path().name)


def _name(learner: str | None) -> str:
    """Return the learner's name, by default that of the user."""
    if learner is not None:
        return learner
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # in a container, a user may have no name
        return "learner"


def _counted(problems: Iterable[Problem]) -> str:
    from ..lessons.lesson import counted

    points = [problem.points for problem in problems]
    return f"{counted(len(points), 'problem')}, {counted(sum(points), 'point')}"


def _when(due: datetime | None, now: datetime) -> str:
    """Return when a family is to be practised again."""
    if due is None:
        return "not finished"
    if due <= now:
        return "due now"
    days = (due.astimezone().date() - now.astimezone().date()).days  # by the calendar of the learner
    return {0: "due today", 1: "due tomorrow"}.get(days, f"due in {days} days")


def _print_table(rows: Sequence[tuple[str, ...]]) -> None:
    """Print rows, whose columns begin below one another."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        _print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _print(text: str) -> None:
    """Print a line with signs that the terminal has."""
    from ..lessons.practice import transliterate

    print(transliterate(text, sys.stdout.encoding))
