"""From the text of a lesson file to a lesson; what is wrong is named with its line and column."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from ruamel.yaml import YAML
from ruamel.yaml.composer import ComposerError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from ...errors import InputError, one_line, unknown_name
from ..catalogue import FAMILIES
from ..lesson import Entry, Lesson
from ..problems import ATTEMPTS, POINTS
from .fields import (
    MAX_COUNT,
    MAX_POINTS,
    MAX_PROBLEMS,
    MAX_SEED,
    SHOW_SOLUTION,
    check_attempts,
    check_id,
    check_text,
    check_title,
    describe_value,
    member_of,
    whole_number,
)
from .nodes import LimitedComposer, value_of

MAX_SIZE = 2**19
MAX_FAULTS = 100
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


class _Reader:
    """From the nodes of a YAML file to a lesson; collects what is wrong."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.faults: list[tuple[int, int, str]] = []

    def report(self, at: Any, message: object) -> None:
        """Note what is wrong at a node or a mark."""
        mark = getattr(at, "start_mark", at)
        place = (0, 0) if mark is None else (mark.line, mark.column)
        self.faults.append((*place, one_line(" ".join(str(message).split()))))

    def error(self) -> LessonError:
        """Return all that is wrong, in the order of the file."""
        faults = sorted(self.faults)
        if len(faults) > MAX_FAULTS:
            faults[MAX_FAULTS:] = [
                (*faults[MAX_FAULTS][:2], f"and {len(faults) - MAX_FAULTS} more from here on; mend the others first")
            ]
        return LessonError(f"{self.path}:{line + 1}:{column + 1}: {text}" for line, column, text in faults)

    def lesson(self, content: str) -> Lesson:
        """Return the lesson that the text of a file is."""
        root = self.composed(content)
        if not isinstance(root, MappingNode):
            self.report(root, 'a lesson begins with "title: …" and "problems:"; see `chainrule lesson new FILE`')
            raise self.error()
        items = self.items(root, "a lesson", ("title", "seed", "show_solution", "problems"), ("title", "problems"))
        title = self.value(items.get("title"), "title", check_title, "a lesson")
        seed = self.value(items.get("seed"), "seed", whole_number(0, MAX_SEED), 0)
        show = self.value(items.get("show_solution"), "show_solution", member_of(SHOW_SOLUTION), SHOW_SOLUTION[0])
        entries = tuple(self.entries(items["problems"])) if "problems" in items else ()
        if self.faults:
            raise self.error()
        return Lesson(title, seed, show, entries)

    def composed(self, content: str) -> Any:
        """Return the nodes of a file, None of an empty one."""
        yaml = YAML(typ="safe", pure=True)
        yaml.Composer = LimitedComposer
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
            self.report(error.problem_mark or error.context_mark, what)
        except YAMLError as error:
            at = content[: getattr(error, "position", None) or 0]
            where = _Place(at.count("\n"), len(at) - (at.rfind("\n") + 1))
            self.report(where, f"this is not YAML: {getattr(error, 'reason', error)}; remove the sign at this place")
        raise self.error()

    def items(self, node: Node, what: str, known: Sequence[str], needed: Sequence[str] = ()) -> dict[str, Node]:
        """Return what a mapping has under each of its known keys."""
        items: dict[str, Node] = {}
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                self.report(key, f"a key of {what} is a word; write KEY: VALUE")
            elif key.value not in known:
                self.report(key, unknown_name(f"key of {what}", key.value, known))
            elif key.value in items:
                self.report(key, f"{key.value} stands in {what} twice; remove one of them")
            else:
                items[key.value] = value
        for name in needed:
            if name not in items and not any(_near(key.value, name) for key, _ in node.value):
                self.report(node, f'{what} needs "{name}: …"; add it')
        return items

    def value(self, node: Node | None, what: str, check: Callable[[Any], _T], otherwise: _T) -> _T:
        """Return what a key is, checked; `otherwise` where it is not given, or wrong."""
        if node is None:
            return otherwise
        try:
            return check(value_of(node))
        except InputError as error:
            self.report(node, f"{what} {error}")
            return otherwise

    def entries(self, node: Node) -> Iterator[Entry]:
        """Yield the entries that can be read."""
        if not isinstance(node, SequenceNode):
            self.report(node, 'problems is a list; begin each of them with "- family: …"')
            return
        if not node.value:
            self.report(node, 'problems is empty; write "- family: …" below it')
        ids = _Ids()
        for entry_node in node.value:
            if isinstance(entry_node, MappingNode):
                yield self.entry(entry_node, ids)
            else:
                what = describe_value(value_of(entry_node))
                self.report(entry_node, f'an entry of problems begins with "family: …", but this is {what}')

    def entry(self, node: Node, ids: _Ids) -> Entry:
        """Return an entry, with defaults in the place of what is wrong."""
        known = ("id", "family", "count", "points", "attempts", "parameters")
        items = self.items(node, "an entry", known, ("family",))
        count = self.value(items.get("count"), "count", whole_number(1, MAX_COUNT), 1)
        points = self.value(items.get("points"), "points", whole_number(1, MAX_POINTS), POINTS)
        family = self.value(items.get("family"), "family", check_text, "")
        if family and family not in FAMILIES:
            self.report(items["family"], unknown_name("family of problems", family, FAMILIES))
        kind = FAMILIES[family].kind if family in FAMILIES else "formula"
        usual: int | None = ATTEMPTS[kind]
        attempts = self.value(items.get("attempts"), "attempts", check_attempts, usual)
        parameters = self.parameters(items["parameters"], family) if "parameters" in items else {}
        id = self.value(items.get("id"), "id", check_id, "") or family.replace(" ", "-")  # noqa: A001
        first, problem_ids, duplicate = ids.assign(id, count, is_own="id" in items)
        if ids.total - count <= MAX_PROBLEMS < ids.total:
            self.report(
                node, f"with this entry, the lesson has more than {MAX_PROBLEMS} problems; make two lessons of it"
            )
        if duplicate and id:
            self.report(
                items.get("id", node), f"there is a problem {duplicate} above already; give this one another id"
            )
        return Entry(id, family, problem_ids, first, points, attempts, parameters)

    def parameters(self, node: Node, family: str) -> dict[str, Any]:
        """Return the parameters of a family, checked."""
        if not isinstance(node, MappingNode):
            self.report(
                node,
                'parameters are written as "NAME: VALUE", one below the other; where there are none, remove parameters',
            )
            return {}
        if family not in FAMILIES:
            return {}
        known = FAMILIES[family].parameters
        parameters: dict[str, Any] = {}
        for key, value in node.value:
            name = str(key.value) if isinstance(key, ScalarNode) else "…"
            if not known:
                self.report(key, f"{family} has no parameters; remove {name}")
            elif name not in known:
                self.report(key, unknown_name(f"parameter of {family}", name, known))
            elif name in parameters:
                self.report(key, f"{name} stands in parameters twice; write one list of values")
            else:
                parameters[name] = None
                try:
                    parameters[name] = list(known[name].choices(family, name, value_of(value)))
                except InputError as error:
                    self.report(value, error)
        return parameters


class _Ids:
    """The ids of a lesson's problems, as its entries get them one after the other."""

    def __init__(self) -> None:
        self.total = 0
        self._assigned: set[str] = set()
        self._last_numbers: dict[str, int] = {}

    def assign(self, id: str, count: int, is_own: bool) -> tuple[int, tuple[str, ...], str | None]:  # noqa: A002
        """Return the number of an entry's first problem, the ids of all, and the first id that is already taken.

        Entries without an id of their own are numbered consecutively within a family.
        """
        self.total += count
        first = 1 if is_own else self._last_numbers.get(id, 0) + 1
        self._last_numbers[id] = first + count - 1
        ids = (id,) if is_own and count == 1 else tuple(f"{id}-{number}" for number in range(first, first + count))
        duplicate = next((name for name in ids if name in self._assigned or (is_own and id in self._assigned)), None)
        self._assigned.update(ids, (id,) if is_own else ())
        return first, ids, duplicate


@dataclass(frozen=True)
class _Place:
    line: int
    column: int


def _near(typed: object, name: str) -> bool:
    """Tell whether a key was meant to be another one, of which unknown_name speaks then."""
    return f"did you mean {name!r}" in str(unknown_name("key", typed, [name]))
