"""Problems on paper: a page to print, with lines to write on, and the solutions on another; as HTML or PDF."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from html import escape
from pathlib import Path
from string import ascii_lowercase
from typing import Literal, TypeAlias

from ...errors import InputError, unknown_name
from ...files import write_atomically
from ...formula.text import Notation
from ..lesson import counted
from ..problems import ChooseAll, FormulaAnswer, NumberAnswer, OneChoice, Option, Problem
from ..prose import Prose, prose

_Write: TypeAlias = Callable[[Prose, str], str]  # prose, and what ids begin with, to HTML

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
BROWSER_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
ENDINGS = (".html", ".htm", ".pdf")
_BEFORE_A_STOP = re.compile(r"<math>(?:(?!</?math>).)*</math>[,.;:?!]")
_PATIENCE = 120  # seconds for a browser to print

_STYLE = """
@page { size: A4; margin: 18mm 18mm 20mm; @bottom-center { content: counter(page); font: 9pt serif; } }
:root { color-scheme: light; }
body { max-width: 44em; margin: 2em auto; padding: 0 1em; color: #000; background: #fff;
  font: 11pt/1.5 "Source Serif 4", "Noto Serif", "DejaVu Serif", Georgia, serif; }
h1 { font-size: 1.6em; line-height: 1.2; margin: 0; }
h2 { font-size: 1.05em; margin: 0 0 .3em; display: flex; gap: 1em; justify-content: space-between; }
h3 { font-size: 1em; margin: .8em 0 .2em; }
p { margin: .35em 0; break-inside: avoid; }
math { font-size: 1.06em; math-style: normal; font-family: "STIX Two Math", "Latin Modern Math", "Cambria Math",
  "TeX Gyre DejaVu Math", math; }
mfrac { padding: 0 .12em; }
.keep { white-space: nowrap; }
header { border-bottom: 1.5pt solid #000; padding-bottom: .7em; }
header p { display: flex; gap: 2em; margin: .9em 0 0; }
header .line { flex: 1; }
header .score { min-width: 9em; text-align: right; }
.points { font-weight: normal; white-space: nowrap; }
.problem { break-inside: avoid; padding: 1.4em 0 .8em; }
.solved .problem { break-inside: auto; }
.solved .problem > p { break-after: avoid; }
h2, h3 { break-after: avoid; }
.options { list-style: none; margin: .5em 0; padding: 0; }
.options li { display: flex; gap: .6em; align-items: baseline; margin: .5em 0; break-inside: avoid; }
.options .mark { flex: none; width: .8em; height: .8em; border: .8pt solid #000; position: relative; top: .1em; }
.options .round { border-radius: 50%; }
.options .chosen { background: #000; box-shadow: inset 0 0 0 1.5pt #fff; }
.options .why { display: block; font-size: .9em; color: #333; }
.answer { display: flex; gap: .5em; align-items: flex-end; margin: 1.1em 0 0; }
.line { border-bottom: .5pt solid #555; min-height: 1.7em; }
.answer .line { flex: 1; }
.solution { margin: .6em 0 0; padding-left: .8em; border-left: 2pt solid #777; }
.solution h3 { margin-top: 0; }
@media print { body { max-width: none; margin: 0; padding: 0; } }
"""


def write_sheet(
    title: str, problems: Sequence[Problem], path: Path, solutions: bool | Literal["separate"] = "separate"
) -> tuple[Path, ...]:
    """Write problems as a page to print.

    Parameters
    ----------
    title : str
    problems : sequence of Problem
    path : Path
        Ends in .html, or in .pdf, which a Chromium prints.
    solutions : bool or "separate"
        Whether each problem is followed by its solution instead of lines to write on; "separate" writes the problems
        without, and a second file NAME-solutions with them.

    Returns
    -------
    tuple of Path
        What was written.

    Raises
    ------
    InputError
        When the path has another ending or cannot be written, or a PDF is asked for and no Chromium is there.
    """
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise unknown_name("ending of a sheet", path.suffix, ENDINGS)
    pages = {path: page(title, problems, solutions is True)}
    if solutions == "separate":
        pages[path.with_name(f"{path.stem}-solutions{path.suffix}")] = page(title, problems, solutions=True)
    contents = [printed(text) if ending == ".pdf" else text.encode() for text in pages.values()]
    for where, content in zip(pages, contents, strict=True):
        write_atomically(where, content)
    return tuple(pages)


def page(title: str, problems: Sequence[Problem], solutions: bool = False, notation: Notation = "lecture") -> str:
    """Return problems as an HTML page that needs nothing from elsewhere, with lines to write on or with solutions.

    In the notation "superscript" the formulae of problems have a⁽²⁾ and w⁽²⁾ for f₂ and w₂.
    """
    write = partial(_html, notation=notation)
    possible = sum(problem.points for problem in problems)
    if solutions:
        head = f"<p><span>Solutions</span><span>{counted(possible, 'point')}</span></p>"
    else:
        head = (
            '<p><span>Name</span><span class="line"></span><span>Date</span><span class="line"></span>'
            f'<span class="score">of {counted(possible, "point")}</span></p>'
        )
    sections = [_section(number, problem, solutions, write) for number, problem in enumerate(problems, start=1)]
    heading = escape(f"{title} — solutions" if solutions else title)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8"/>\n'
        '<meta name="viewport" content="width=device-width"/>\n'
        f"<title>{heading}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f'<body class="{"solved" if solutions else "blank"}">\n'
        f"<header>\n<h1>{escape(title)}</h1>\n{head}\n</header>\n<main>\n{''.join(sections)}</main>\n</body>\n</html>\n"
    )


def printed(text: str) -> bytes:
    """Return an HTML page as a PDF, printed by a Chromium.

    Raises
    ------
    InputError
        When there is none, or it fails.
    """
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise InputError(
            "a PDF needs Chromium or Chrome, and none is on the PATH; write an .html file, which any browser prints"
        )
    with tempfile.TemporaryDirectory(prefix="chainrule-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        source, target = folder / "sheet.html", folder / "sheet.pdf"
        source.write_text(text, encoding="utf-8")
        command = [
            browser,
            *BROWSER_FLAGS,
            f"--user-data-dir={folder / 'profile'}",
            "--no-pdf-header-footer",
            f"--print-to-pdf={target}",
            source.as_uri(),
        ]
        try:
            # The browser is the user's own, and the page holds no script.
            ended = subprocess.run(command, capture_output=True, timeout=_PATIENCE, check=False)  # noqa: S603
            return target.read_bytes()
        except subprocess.TimeoutExpired:
            why = f"it did not end within {_PATIENCE} seconds"
        except FileNotFoundError:
            why = f"it ended with status {ended.returncode}"
        except OSError as error:
            why = error.strerror or str(error)
    raise InputError(f"{browser} printed no PDF: {why}; write an .html file, which any browser prints")


def _section(number: int, problem: Problem, solutions: bool, write: _Write) -> str:
    """Return a problem, with lines to write on or its solution."""
    ids = f"p{number}-"
    points = f'<span class="points">{counted(problem.points, "point")}</span>'
    parts = [
        f"<h2><span>{number}. {escape(problem.title)}</span>{points}</h2>",
        *(f"<p>{write(words, f'{ids}q{place}-')}</p>" for place, words in enumerate(problem.prompt)),
    ]
    answer = problem.answer
    if isinstance(answer, (OneChoice, ChooseAll)):
        parts.append(_options(answer, ids, solutions, write))
    elif not solutions:
        parts.append(_lines(problem, answer, ids, write))
    if solutions:
        steps = "\n".join(f"<p>{write(step, f'{ids}s{place}-')}</p>" for place, step in enumerate(problem.solution))
        parts.append(f'<div class="solution">\n<h3>Solution</h3>\n{steps}\n</div>')
    return '<section class="problem">\n' + "\n".join(parts) + "\n</section>\n"


def _options(answer: OneChoice | ChooseAll, ids: str, solutions: bool, write: _Write) -> str:
    shape = "mark round" if isinstance(answer, OneChoice) else "mark"
    items = [
        _option(option, letter, f"{ids}o{letter}-", shape, solutions, write)
        for letter, option in zip(ascii_lowercase, answer.options, strict=False)
    ]
    return '<ul class="options">\n' + "\n".join(items) + "\n</ul>"


def _option(option: Option, letter: str, ids: str, shape: str, solutions: bool, write: _Write) -> str:
    text, mark = write(option.text, ids), f'<span class="{shape}"></span>'
    if solutions:
        verdict = "Right." if option.right else "Wrong."
        why = f"{verdict} {write(option.feedback, f'{ids}w')}"
        text += f'<span class="why">{why}</span>'
        mark = f'<span class="{shape}{" chosen" if option.right else ""}"></span>'
    return f"<li>{mark}<span>{letter})</span><span>{text}</span></li>"


def _lines(problem: Problem, answer: FormulaAnswer | NumberAnswer, ids: str, write: _Write) -> str:
    """Return lines to write on: the more difficult a problem is, the more of them, the last for the answer."""
    label = prose("Answer:") if answer.left is None else prose("{} =", answer.left)
    digits = f"<span>({answer.digits} digits)</span>" if isinstance(answer, NumberAnswer) else ""
    blank = '<div class="line"></div>\n' * (1 + problem.difficulty)
    return f'{blank}<div class="answer"><span>{write(label, f"{ids}a")}</span><span class="line"></span>{digits}</div>'


def _html(text: Prose, ids: str, notation: Notation) -> str:
    """Return prose as HTML in which no line begins with the comma after a formula."""
    return _BEFORE_A_STOP.sub(r'<span class="keep">\g<0></span>', text.to_html(ids, notation))
