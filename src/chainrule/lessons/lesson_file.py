"""Lessons' files: readable YAML; what is wrong with one is told with its line and column."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer, ComposerError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from ..errors import InputError, one_line, unknown_name
from .catalogue import FAMILIES
from .lesson import Entry, Lesson
from .policy import Shown
from .problems import ATTEMPTS, POINTS

SHOW_SOLUTION: tuple[Shown, ...] = get_args(Shown)
"""When a learner may see the solution; the first where nothing is said."""
UNLIMITED = "unlimited"

MAX_SIZE = 2**19
MAX_DEPTH = 10
MAX_NODES = 40_000  # words, lists and mappings, of which the YAML library reads some ten thousand in a second
MAX_TITLE = 200
MAX_COUNT, MAX_PROBLEMS = 100, 1000
MAX_POINTS, MAX_ATTEMPTS = 1000, 1000
MAX_SEED = 2**63 - 1
MAX_TOLD = 100

_ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,59}")
_PLAIN = re.compile(r"[A-Za-z][\w.-]*(?: [\w.-]+)*")
_NOT_PLAIN = {"true", "false", "null"}
_TAG = "tag:yaml.org,2002:"
_T = TypeVar("_T")


class LessonError(InputError):
    """A lesson's file that cannot be used.

    Attributes
    ----------
    problems : tuple of str
        What is wrong, in the order of the file; each begins with FILE:LINE:COLUMN and says what to do.
    """

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(self.problems)


def read(path: str | Path) -> Lesson:
    """Read a lesson's file.

    Raises
    ------
    LessonError
        When there is no such file, or it is not a lesson. It says all that is wrong with it, each with its place.
    """
    path = Path(path)
    return from_text(_content(path), path)


def from_text(content: str, name: str | Path) -> Lesson:
    """Read a lesson from the text of its file, by whose name errors call it.

    Raises
    ------
    LessonError
        When it is not a lesson. It says all that is wrong with it, each with its place.
    """
    return _Reader(Path(name)).lesson(content)


def template() -> str:
    """Return a lesson with an entry for every family, with comments that explain it."""
    lines = [
        "# A lesson: problems on back-propagation, drawn from families of problems.",
        "# Keep the entries that you want, as many as you like of one family, in any order.",
        "title: Back-propagation",
        "seed: 1  # the same seed draws the same problems; another draws others",
        f"show_solution: {SHOW_SOLUTION[0]}  # or: {', '.join(SHOW_SOLUTION[1:])}",
        "",
        "# An entry may have",
        "#   id: my-gradient     its name, of letters, digits and hyphens",
        "#   count: 3            how many problems to draw",
        f"#   points: 2           of each of them; {POINTS} where nothing is said",
        f"#   attempts: 5         at each of them, or {UNLIMITED}",
        "#   parameters:         a value, or a list of values from which the seed draws; without, from all",
        "problems:",
    ]
    for one in FAMILIES.values():
        lines += ["", f"  # {one.about} ({one.kind})", f"  - family: {_written(one.name)}"]
        lines.append(f"    attempts: {ATTEMPTS[one.kind]}")
        if one.parameters:
            lines.append("    parameters:")
            for name, parameter in one.parameters.items():
                values = ", ".join(map(_written, parameter.values))
                lines.append(f"      {name}: [{values}]  # {parameter.meaning}")
    return "\n".join([*lines, ""])


def _written(value: Any) -> str:
    """Return a value as YAML."""
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _NOT_PLAIN:
        return value
    return json.dumps(value, ensure_ascii=False)


def _content(path: Path) -> str:
    """Return the text of a file."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_SIZE + 1)
    except OSError as error:
        why = "it is a folder" if path.is_dir() else error.strerror or str(error)
        raise LessonError(
            [f"{path}:1:1: cannot read it: {why}; `chainrule lesson new FILE` writes a lesson to begin with"]
        ) from error
    except ValueError as error:  # a zero byte in the name
        raise LessonError([f"{path!s:.80}:1:1: cannot read it: {error}"]) from error
    if len(content) > MAX_SIZE:
        raise LessonError([f"{path}:1:1: it has more than {MAX_SIZE:,} bytes; a lesson is a short text"])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line, column = before.count(b"\n") + 1, error.start - (before.rfind(b"\n") + 1) + 1
        raise LessonError(
            [f"{path}:{line}:{column}: byte 0x{content[error.start]:02x} is not UTF-8; save the file as UTF-8"]
        ) from error


class _Composer(Composer):
    """Refuses what a lesson does not need, before it can grow: names for parts of a file, and endless nesting.

    A value that is left empty is placed at its key, and not where the next one begins. Whatever the YAML library raises
    has a place.
    """

    within = 0
    nodes = 0

    def get_single_node(self) -> Any:
        try:
            return super().get_single_node()
        except YAMLError:
            raise
        except Exception as error:  # its scanner, parser and resolver have errors that are not meant for users
            why = (
                f"the YAML library failed before this place ({type(error).__name__}: {error}); simplify the YAML there"
            )
            raise ComposerError(None, None, why, self.loader.reader.get_mark()) from error

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.parser.peek_event()
        if getattr(event, "anchor", None) is not None:
            why = "a lesson names no parts of itself with & and *; write the part out, and text in quotes"
            raise ComposerError(None, None, why, event.start_mark)
        if getattr(event, "tag", None) is not None:
            raise ComposerError(
                None, None, f"a lesson has no tags such as {event.tag:.40}; remove it", event.start_mark
            )
        if self.within == MAX_DEPTH:
            raise ComposerError(None, None, f"it is nested more than {MAX_DEPTH} deep", event.start_mark)
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise ComposerError(
                None, None, f"it has more than {MAX_NODES:,} values; split it into two lessons", event.start_mark
            )
        self.within += 1
        node = super().compose_node(parent, index)
        self.within -= 1
        return node

    def compose_mapping_node(self, anchor: Any) -> Any:
        node = super().compose_mapping_node(anchor)
        for key, value in node.value:
            if isinstance(value, ScalarNode) and value.start_mark.index == value.end_mark.index:
                value.start_mark = key.start_mark
        return node


class _Reader:
    """From the nodes of a YAML file to a lesson; collects what is wrong."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.found: list[tuple[int, int, str]] = []

    def wrong(self, at: Any, message: object) -> None:
        """Note what is wrong at a node or a mark."""
        mark = getattr(at, "start_mark", at)
        place = (0, 0) if mark is None else (mark.line, mark.column)
        self.found.append((*place, one_line(" ".join(str(message).split()))))

    def give_up(self) -> LessonError:
        """Return all that is wrong, in the order of the file."""
        told = sorted(self.found)
        if len(told) > MAX_TOLD:
            told[MAX_TOLD:] = [
                (*told[MAX_TOLD][:2], f"and {len(told) - MAX_TOLD} more from here on; mend the others first")
            ]
        return LessonError(f"{self.path}:{line + 1}:{column + 1}: {text}" for line, column, text in told)

    def lesson(self, content: str) -> Lesson:
        """Return the lesson that the text of a file is."""
        root = self.composed(content)
        if not isinstance(root, MappingNode):
            self.wrong(root, 'a lesson begins with "title: …" and "problems:"; see `chainrule lesson new FILE`')
            raise self.give_up()
        items = self.items(root, "a lesson", ("title", "seed", "show_solution", "problems"), ("title", "problems"))
        title = self.value(items.get("title"), "title", _title, "a lesson")
        seed = self.value(items.get("seed"), "seed", _whole(0, MAX_SEED), 0)
        show = self.value(items.get("show_solution"), "show_solution", _one_of(SHOW_SOLUTION), SHOW_SOLUTION[0])
        entries = tuple(self.entries(items["problems"])) if "problems" in items else ()
        if self.found:
            raise self.give_up()
        return Lesson(title, seed, show, entries)

    def composed(self, content: str) -> Any:
        """Return the nodes of a file, None of an empty one."""
        yaml = YAML(typ="safe", pure=True)
        yaml.Composer = _Composer
        try:
            return yaml.compose(content)
        except MarkedYAMLError as error:
            what = str(error.problem or error.context)
            if r"'\t'" in what:
                what = "a tab stands where YAML takes spaces; put spaces in its place"
            elif isinstance(error, ComposerError) and "another document" in what:
                what = "a second document begins here; a lesson is one, so remove the ---"
            elif not isinstance(error, ComposerError):
                began = error.context_mark
                since = f" (of what began in line {began.line + 1})" if began is not None else ""
                what = (
                    f"this is not YAML: {what}{since}; put text with special signs in quotes, and check the indentation"
                )
            self.wrong(error.problem_mark or error.context_mark, what)
        except YAMLError as error:
            at = content[: getattr(error, "position", None) or 0]
            where = _Place(at.count("\n"), len(at) - (at.rfind("\n") + 1))
            self.wrong(where, f"this is not YAML: {getattr(error, 'reason', error)}; remove the sign at this place")
        raise self.give_up()

    def items(self, node: Node, what: str, known: Sequence[str], needed: Sequence[str] = ()) -> dict[str, Node]:
        """Return what a mapping has under each of its known keys."""
        items: dict[str, Node] = {}
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                self.wrong(key, f"a key of {what} is a word; write KEY: VALUE")
            elif key.value not in known:
                self.wrong(key, unknown_name(f"key of {what}", key.value, known))
            elif key.value in items:
                self.wrong(key, f"{key.value} stands in {what} twice; remove one of them")
            else:
                items[key.value] = value
        for name in needed:
            if name not in items and not any(_near(key.value, name) for key, _ in node.value):
                self.wrong(node, f'{what} needs "{name}: …"; add it')
        return items

    def value(self, node: Node | None, what: str, check: Callable[[Any], _T], otherwise: _T) -> _T:
        """Return what a key is, checked; `otherwise` where it is not given, or wrong."""
        if node is None:
            return otherwise
        try:
            return check(_plain(node))
        except InputError as error:
            self.wrong(node, f"{what} {error}")
            return otherwise

    def entries(self, node: Node) -> Iterator[Entry]:
        """Yield the entries that can be read."""
        if not isinstance(node, SequenceNode):
            self.wrong(node, 'problems is a list; begin each of them with "- family: …"')
            return
        if not node.value:
            self.wrong(node, 'problems is empty; write "- family: …" below it')
        taken: set[str] = set()
        numbers: dict[str, int] = {}
        total = 0
        for one in node.value:
            if not isinstance(one, MappingNode):
                self.wrong(one, f'an entry of problems begins with "family: …", but this is {_shown(_plain(one))}')
                continue
            items = self.items(
                one, "an entry", ("id", "family", "count", "points", "attempts", "parameters"), ("family",)
            )
            count = self.value(items.get("count"), "count", _whole(1, MAX_COUNT), 1)
            points = self.value(items.get("points"), "points", _whole(1, MAX_POINTS), POINTS)
            family = self.value(items.get("family"), "family", _text, "")
            if family and family not in FAMILIES:
                self.wrong(items["family"], unknown_name("family of problems", family, FAMILIES))
            kind = FAMILIES[family].kind if family in FAMILIES else "formula"
            usual: int | None = ATTEMPTS[kind]
            attempts = self.value(items.get("attempts"), "attempts", _attempts, usual)
            parameters = self.parameters(items["parameters"], family) if "parameters" in items else {}
            id = self.value(items.get("id"), "id", _id, "") or family.replace(" ", "-")  # noqa: A001
            own = "id" in items
            first = 1 if own else numbers.get(id, 0) + 1
            numbers[id] = first + count - 1
            ids = (id,) if own and count == 1 else tuple(f"{id}-{number}" for number in range(first, first + count))
            if total <= MAX_PROBLEMS < total + count:
                self.wrong(
                    one, f"with this entry, the lesson has more than {MAX_PROBLEMS} problems; make two lessons of it"
                )
            total += count
            twice = [one_id for one_id in ids if one_id in taken or (own and id in taken)]
            if twice and id:
                self.wrong(
                    items.get("id", one), f"there is a problem {twice[0]} above already; give this one another id"
                )
            taken.update(ids, (id,) if own else ())
            yield Entry(id, family, ids, first, points, attempts, parameters)

    def parameters(self, node: Node, family: str) -> dict[str, Any]:
        """Return what a family is told, checked."""
        if not isinstance(node, MappingNode):
            self.wrong(
                node,
                'parameters are written as "NAME: VALUE", one below the other; where there are none, remove parameters',
            )
            return {}
        if family not in FAMILIES:
            return {}
        known = FAMILIES[family].parameters
        chosen: dict[str, Any] = {}
        for key, value in node.value:
            name = str(key.value) if isinstance(key, ScalarNode) else "…"
            if not known:
                self.wrong(key, f"{family} has no parameters; remove {name}")
            elif name not in known:
                self.wrong(key, unknown_name(f"parameter of {family}", name, known))
            elif name in chosen:
                self.wrong(key, f"{name} stands in parameters twice; write one list of values")
            else:
                chosen[name] = None
                given = _plain(value)
                try:
                    chosen[name] = list(known[name].choices(family, name, given))
                except InputError as error:
                    self.wrong(value, error)
        return chosen


@dataclass(frozen=True)
class _Place:
    line: int
    column: int


def _plain(node: Node) -> Any:
    """Return what a node says: text, a number, true or false, nothing, or a list or mapping of these."""
    if isinstance(node, SequenceNode):
        return [_plain(one) for one in node.value]
    if isinstance(node, MappingNode):
        return {str(key.value): _plain(value) for key, value in node.value}
    written, tag = str(node.value), str(node.tag).removeprefix(_TAG)
    try:
        if tag == "int":
            return int(written.replace("_", ""), 0 if written.lstrip("+-")[:2] in ("0x", "0o") else 10)
        if tag == "float":
            return float(written.replace("_", "").replace(".inf", "inf").replace(".nan", "nan"))
    except ValueError:
        return written
    if tag == "bool":
        return written.lower() in ("true", "yes", "on", "y")
    return None if tag == "null" else written


def _shown(value: Any) -> str:
    """Return a value as an error names it."""
    if isinstance(value, (list, dict)):
        return "a list" if isinstance(value, list) else "a mapping"
    return "nothing" if value is None else f"{json.dumps(value, ensure_ascii=False):.60}"


def _near(typed: object, name: str) -> bool:
    """Tell whether a key was meant to be another one, of which unknown_name speaks then."""
    return f"did you mean {name!r}" in str(unknown_name("key", typed, [name]))


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        mend = "write a text" if value is None or isinstance(value, (str, list, dict)) else "put it in quotes"
        raise InputError(f"is text, but this is {_shown(value)}; {mend}")
    return value.strip()


def _title(value: Any) -> str:
    title = _text(value)
    if len(title) > MAX_TITLE:
        raise InputError(f"is one line of at most {MAX_TITLE} characters, but has {len(title):,}; shorten it")
    for place, sign in enumerate(title, start=1):
        if not sign.isprintable():
            raise InputError(f"is a line to be printed, but character {place} is U+{ord(sign):04X}; remove it")
    return title


def _id(value: Any) -> str:
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise InputError(
            f"is a letter and up to 59 more letters, digits, hyphens and underscores, but this is {_shown(value)}; "
            "choose another"
        )
    return value


def _whole(least: int, most: int) -> Callable[[Any], int]:
    """Return a check that something is a whole number in a range."""

    def check(value: Any) -> int:
        if type(value) is not int or not least <= value <= most:
            raise InputError(f"is a whole number from {least} to {most}, but this is {_shown(value)}")
        return value

    return check


def _attempts(value: Any) -> int | None:
    if value == UNLIMITED:
        return None
    try:
        return _whole(1, MAX_ATTEMPTS)(value)
    except InputError as error:
        raise InputError(f"{error}; for as many as one likes, write {UNLIMITED}") from None


def _one_of(known: Sequence[_T]) -> Callable[[Any], _T]:
    def check(value: Any) -> _T:
        for one in known:
            if value == one:
                return one
        raise InputError(f"has an {unknown_name('value', value, map(str, known))}")

    return check
