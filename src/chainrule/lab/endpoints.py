"""What the page may ask of the server: a path, what is sent to it, and what answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec import Struct

from ..errors import ChainruleError

if TYPE_CHECKING:
    from ..lessons import Progress

SMALL = 64 * 1024  # bytes of a request: the largest scene, typed with all its digits, has 45 KB
LARGE = 4 * 1024 * 1024  # of one that carries a table or a model's file


class Busy(ChainruleError):  # noqa: N818 - it says what is the case
    """Too much is going on to begin this as well; the page is told so with status 503, and may try again later."""


class Nothing(Struct, frozen=True, forbid_unknown_fields=True):
    """What is sent where nothing has to be said: {}."""


@dataclass(frozen=True)
class File:
    """An answer that the page offers as a download."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True)
class Stream:
    """An answer that goes on: each object is sent as one server-sent event as soon as it comes.

    When the page goes, the iterator is closed, so that its ``finally`` can end what it began.
    """

    events: AsyncIterator[Any]


@dataclass(frozen=True)
class Lab:
    """What answers may use.

    Attributes
    ----------
    progress : callable
        Returns the file of progress, which is opened when it is first asked for.
    """

    progress: Callable[[], Progress]


Answer: TypeAlias = Any
"""What msgspec can write as JSON, a :class:`File` or a :class:`Stream`."""


@dataclass(frozen=True)
class Endpoint:
    """One thing that may be asked, by POST, with a JSON object.

    Attributes
    ----------
    path : str
        "/api/…".
    body : type
        What is sent. It is checked before `answer` sees it; the description of the API is made from it, too.
    answer : callable
        (lab, body) → what is answered. Called in a thread of its own, so it may take its time; what it raises as
        InputError the page is told, with status 422.
    summary : str
        What it is for, in one line.
    max_bytes : int
        How long a request may be: SMALL, or LARGE where a file comes with it.
    """

    path: str
    body: type[Struct]
    answer: Callable[[Lab, Any], Answer]
    summary: str
    max_bytes: int = SMALL
