"""Problems as a course for Open edX: a tree of OLX files, as a folder or as the archive that Studio imports.

Open edX compares a formula at random points at which it draws every symbol by itself. How that is made safe is in
``sampling.py``.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import re
import shutil
import tarfile
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from html import unescape
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from ...errors import InputError
from ...files import write_atomically
from ..problems import ChooseAll, FormulaAnswer, NumberAnswer, OneChoice, Problem
from ..prose import Prose, listing, prose
from .sampling import TOLERANCE, Sampled, sampled, typed, typed_name

RUN, _CHAPTER, _SEQUENTIAL = "lesson", "all_problems", "all_problems_in_order"  # no two things may have one address
SHOW_SOLUTION = {"after correct": "correct_or_past_due", "after last attempt": "finished", "never": "never"}
"""When a solution is shown, and what Open edX calls that; ``finished`` is when no attempt is left, or is needed."""
SAMPLES = 10
_POLICY = {"language": "en", "course_image": "", "start": "2000-01-01T00:00:00Z", "end": "2099-12-31T00:00:00Z"}

CAPA = {
    "abs": "abs({})", "cos": "cos({})", "exp": "exp({})", "log": "ln({})", "sin": "sin({})", "sqrt": "sqrt({})",
    "tanh": "tanh({})", "sign": "(({0})/abs({0}))", "step": "((1+({0})/abs({0}))/2)",
    "max": "((({0})+({1})+abs(({0})-({1})))/2)", "min": "((({0})+({1})-abs(({0})-({1})))/2)",
}  # fmt: skip
"""How the calculator of Open edX writes each function; it has no sign, so one is made of the absolute value."""


def write_olx(title: str, problems: Sequence[tuple[str, Problem]], path: Path, show_solution: str) -> None:
    """Write problems as a course of Open edX, each on a page of its own.

    Parameters
    ----------
    title : str
        Of the course.
    problems : sequence of (str, Problem)
        With the name of each, from which its address is made.
    path : Path
        A new folder; or, where it ends in ``.tar.gz``, an archive, which has the same bytes every time.
    show_solution : str
        "after correct", "after last attempt" or "never".

    Raises
    ------
    InputError
        When a problem cannot be asked there, names are not unique, or the path cannot be written.
    """
    if show_solution not in SHOW_SOLUTION:
        raise InputError(f"a solution is shown {' or '.join(SHOW_SOLUTION)}, not {show_solution!r:.80}")
    files = _course(title, problems, SHOW_SOLUTION[show_solution])
    if path.name.endswith(".tar.gz"):
        write_atomically(path, _archive(files))
    else:
        _write_folder(files, path)


def _course(title: str, problems: Sequence[tuple[str, Problem]], showanswer: str) -> dict[str, bytes]:
    """Return the content of every file by its path."""
    places = [_url_name(name) for name, _ in problems]
    taken = [RUN, _CHAPTER, _SEQUENTIAL, *places, *(f"page_{place}" for place in places)]
    for place in places:
        if taken.count(place) > 1:
            raise InputError(
                f"the address {place!r:.80} would be there twice in Open edX: give that problem another name"
            )
    course = Element("course")
    SubElement(course, "chapter", url_name=_CHAPTER)
    chapter = Element("chapter", display_name=title)
    SubElement(chapter, "sequential", url_name=_SEQUENTIAL)
    sequential = Element("sequential", display_name=title, format="Homework", graded="true")
    overview = Element("section", {"class": "about"})
    SubElement(overview, "h2").text = title
    files = {
        "course.xml": _xml(Element("course", url_name=RUN, org="chainrule", course=_url_name(title) or RUN)),
        f"course/{RUN}.xml": _xml(course),
        f"chapter/{_CHAPTER}.xml": _xml(chapter),
        "about/overview.html": _content(overview),
        f"policies/{RUN}/policy.json": _json({f"course/{RUN}": _POLICY | {"display_name": title}}),
        f"policies/{RUN}/grading_policy.json": _json(
            {
                "GRADER": [
                    {"type": "Homework", "short_label": "HW", "min_count": 1, "drop_count": 0, "weight": 1.0},
                ],
                "GRADE_CUTOFFS": {"Pass": 0.5},
            }
        ),
    }
    for place, (name, problem) in zip(places, problems, strict=True):
        SubElement(sequential, "vertical", url_name=f"page_{place}")
        vertical = Element("vertical", display_name=problem.title)
        SubElement(vertical, "problem", url_name=place)
        files[f"vertical/page_{place}.xml"] = _xml(vertical)
        files[f"problem/{place}.xml"] = _content(problem_xml(name, problem, showanswer))
    return files | {f"sequential/{_SEQUENTIAL}.xml": _xml(sequential)}


def problem_xml(name: str, problem: Problem, showanswer: str) -> Element:
    """Return a problem as Open edX has it, with its hints and its solution."""
    root = Element(
        "problem", display_name=problem.title, weight=str(problem.points), showanswer=showanswer, rerandomize="never"
    )
    if problem.attempts is not None:
        root.set("max_attempts", str(problem.attempts))
    match problem.answer:
        case OneChoice(options=options):
            response = _question(SubElement(root, "multiplechoiceresponse"), problem)
            group = SubElement(response, "choicegroup", type="MultipleChoice", shuffle="false")
            for option in options:
                choice = SubElement(group, "choice", correct=str(option.right).lower())
                choice.text = _words(option.text)
                SubElement(choice, "choicehint").text = _words(option.feedback)
        case ChooseAll(options=options):
            # No hints of single boxes: each would tell of one option whether it is right, attempts being left.
            response = _question(SubElement(root, "choiceresponse"), problem)
            group = SubElement(response, "checkboxgroup")
            for option in options:
                SubElement(group, "choice", correct=str(option.right).lower()).text = _words(option.text)
        case FormulaAnswer() as formula:
            _formula(root, name, problem, formula)
        case NumberAnswer() as number:
            response = _question(SubElement(root, "numericalresponse", answer=repr(float(number.key))), problem)
            _tolerance(response, number.tolerance)
            SubElement(response, "formulaequationinput")
    _solution(root, problem)
    if problem.hints:
        demand = SubElement(root, "demandhint")
        for hint in problem.hints:
            SubElement(demand, "hint").text = _words(hint)
    return root


def _question(response: Element, problem: Problem, descriptions: Iterable[Prose] = ()) -> Element:
    """Write the paragraphs of a problem, the last as the label of what follows, and how it is answered."""
    for paragraph in problem.prompt[:-1]:
        SubElement(response, "p").text = _words(paragraph)
    SubElement(response, "label").text = _words(problem.prompt[-1])
    for description in descriptions:
        SubElement(response, "description").text = _words(description)
    return response


def _formula(root: Element, name: str, problem: Problem, answer: FormulaAnswer) -> None:
    sample = sampled(name, answer)
    names = ",".join(map(typed_name, sample.names))
    lower, upper = (",".join(f"{bounds[end]:g}" for bounds in sample.ranges) for end in (0, 1))
    samples = f"{names}@{lower}:{upper}#{SAMPLES}"  # a blank in it would be a part of a name
    response = SubElement(root, "formularesponse", type="cs", samples=samples, answer=typed(sample.key, CAPA))
    _question(response, problem, _instructions(sample))
    _tolerance(response, TOLERANCE)
    SubElement(response, "formulaequationinput", size="50")
    if sample.mistakes:
        group = SubElement(response, "hintgroup")
        for place, mistake in enumerate(sample.mistakes):
            wrong = typed(mistake.answer, CAPA)
            SubElement(group, "formulahint", type="cs", samples=samples, answer=wrong, name=f"mistake_{place}")
        for place, mistake in enumerate(sample.mistakes):
            part = SubElement(group, "hintpart", on=f"mistake_{place}")
            SubElement(part, "text").text = mistake.feedback.to_mathjax()  # put into the page as it is


def _instructions(sample: Sampled) -> list[Prose]:
    """Return how a formula is typed, with which names."""
    names = listing([prose("{} as {}", name, typed_name(name)) for name in sample.names], ", ")
    return [
        prose(
            "Type {}, and nothing else but numbers and functions such as exp, ln, tanh, sin and cos. Write * for every "
            "product and ^ for powers, and take every name as it stands, without writing it out.",
            names,
        ),
        *(prose("For {} write {}.", name, typed(formula, CAPA)) for name, formula in sample.written_out.items()),
        *(prose("Use {} rather than {}.", name, other) for other, name in sample.left_out.items()),
    ]


def _tolerance(response: Element, relative: float) -> None:
    # In per cent: an absolute tolerance would accept 0 for a gradient that vanishes.
    SubElement(response, "responseparam", type="tolerance", default=f"{100 * relative:g}%")


def _solution(root: Element, problem: Problem) -> None:
    box = SubElement(SubElement(root, "solution"), "div", {"class": "detailed-solution"})
    SubElement(box, "p").text = "Explanation"
    for step in problem.solution:
        SubElement(box, "p").text = _words(step)
    if isinstance(problem.answer, ChooseAll):
        options = SubElement(box, "ul")
        for option in problem.answer.options:
            verdict = ": right. " if option.right else ": wrong. "
            SubElement(options, "li").text = _words(option.text + prose(verdict) + option.feedback)


def _words(text: Prose) -> str:
    """Return the content of an element, which is escaped when the element is written."""
    return unescape(text.to_mathjax())


def _url_name(name: str) -> str:
    return re.sub("[^A-Za-z0-9_-]+", "_", name).strip("_")


def _content(element: Element) -> bytes:
    return f"{tostring(element, encoding='unicode')}\n".encode()


def _xml(element: Element) -> bytes:
    indent(element)
    return _content(element)


def _json(document: Mapping[str, object]) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def _archive(files: Mapping[str, bytes]) -> bytes:
    """Return the files as an archive without times and owners."""
    packed = io.BytesIO()
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for name in sorted(files):
            entry = tarfile.TarInfo(f"course/{name}")
            entry.size = len(files[name])
            archive.addfile(entry, io.BytesIO(files[name]))
    return packed.getvalue()


def _write_folder(files: Mapping[str, bytes], path: Path) -> None:
    """Write the files beside the path first, so that it never holds a part of a course."""
    temporary: Path | None = None
    try:
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise InputError(f"{path} exists already: a course is written to a new folder")
        temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent))
        temporary.chmod(0o755)  # mkdtemp makes folders that only their owner can read
        for name, content in files.items():
            file = temporary / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        with contextlib.suppress(FileNotFoundError):
            path.rmdir()
        temporary.rename(path)
        temporary = None
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
