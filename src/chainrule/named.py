"""Things that a network or a run is described by: found by name, and turned to JSON and back.

An activation is written as ``"relu"``, or as ``{"name": "leaky_relu", "negative_slope": 0.2}`` when it has
parameters. The same holds for losses, initialisers, optimisers and schedules.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import is_dataclass
from functools import cache
from typing import Any, TypeVar, get_type_hints

import numpy as np

from .errors import InputError, quoted, unknown_name
from .schema import typed

JSON = Any
"""What ``json.loads`` returns; whoever reads it checks its types."""


T = TypeVar("T")


class Catalogue(Mapping[str, Callable[..., T]]):
    """Everything of one kind that has a name: from each name to the function or class that makes the thing.

    Parameters
    ----------
    kind : str
        What messages call the kind: "activation", "loss", …
    expected : type
        The class of the things.
    factories : mapping
    """

    def __init__(self, kind: str, expected: type[T], factories: Mapping[str, Callable[..., T]]) -> None:
        self._kind, self._expected, self._factories = kind, expected, dict(factories)

    def __getitem__(self, name: str) -> Callable[..., T]:
        return self._factories[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._factories)

    def __len__(self) -> int:
        return len(self._factories)

    def made(self, thing: T) -> bool:
        """Tell whether a thing is chainrule's, and none of whose functions was written elsewhere."""
        here = __name__.partition(".")[0]
        functions = [value for value in vars(thing).values() if callable(value)]
        return getattr(thing, "name", None) in self and all(
            str(getattr(function, "__module__", "")).partition(".")[0] == here for function in functions
        )

    def find(self, given: T | JSON, own: Iterable[object] = ()) -> T:
        """Return `given` itself, or the thing that it names.

        Parameters
        ----------
        given : thing or str or dict
            The thing, its name, or ``{"name": …, parameter: value, …}``, which may come from a stranger.
        own : iterable
            Things of the caller's own, of any kind, which are found by their ``name``.

        Raises
        ------
        InputError
            When a name or a parameter is unknown (the message suggests the nearest), or a value does not fit.
        """
        if isinstance(given, self._expected):
            name = getattr(given, "name", None)
            if name in self and not self.made(given):
                raise InputError(
                    f"{_with_article(self._kind)} of your own cannot be called {name!r}, as one of chainrule's is"
                )
            return given
        description = {"name": given} if isinstance(given, str) else given
        if not isinstance(description, dict) or not isinstance(description.get("name"), str):
            raise InputError(
                f"{self._kind}: expected a name, an object with a name, or {_with_article(self._expected.__name__)}, "
                f"but got {quoted(given)}"
            )
        parameters = dict(description)
        name = parameters.pop("name")
        for thing in own:
            if isinstance(thing, self._expected) and getattr(thing, "name", None) == name:
                return thing
        if name not in self:
            raise unknown_name(self._kind, name, self)
        return construct(f"{self._kind} {name!r}", self[name], parameters)


def construct(what: str, factory: Callable[..., T], values: JSON) -> T:
    """Call a function or class with JSON values, each checked against the annotation of its parameter.

    Parameters
    ----------
    what : str
        What messages call the result.
    factory : callable
        It checks the ranges of numbers. Where a parameter is annotated with one of our classes, it gets the value as it
        is, for :meth:`Catalogue.find`.
    values : dict
        By the names of the parameters; it may come from a stranger.

    Raises
    ------
    InputError
        When it is no dictionary, a parameter is unknown or missing, or a value is of another type or out of range.
    """
    signature, forms = _signature(factory)
    for name in typed(what, values, dict[str, Any]):
        if name not in forms:
            raise unknown_name(f"parameter of {what}", name, forms)
    missing = [name for name, one in signature.parameters.items() if one.default is one.empty and name not in values]
    if missing:
        raise InputError(f"{what}: {missing[0]} is missing")
    for name, value in values.items():
        if not is_dataclass(forms[name]):
            typed(f"{name} of {what}", value.item() if isinstance(value, np.generic) else value, forms[name])
    return factory(**values)


@cache  # finding out takes longer than making most things
def _signature(factory: Callable[..., object]) -> tuple[inspect.Signature, Mapping[str, Any]]:
    """Return the signature of a function or class, and the type of each of its parameters."""
    signature, hints = inspect.signature(factory), get_type_hints(factory)
    return signature, {name: hints[name] for name in signature.parameters}


def _with_article(name: str) -> str:
    return f"an {name}" if name[0] in "AEIOUaeiou" else f"a {name}"


def describe(name: str, parameters: Mapping[str, JSON]) -> JSON:
    """Return the JSON form of a named thing: its bare name when it has no parameters."""
    return {"name": name, **parameters} if parameters else name


def as_call(name: str, parameters: Mapping[str, JSON]) -> str:
    """Return how a named thing is shown: ``tanh``, ``leaky_relu(negative_slope=0.01)``."""
    settings = ", ".join(f"{key}={value!r}" for key, value in parameters.items())
    return f"{name}({settings})" if parameters else name


def fields(what: str, description: JSON, names: Sequence[str]) -> list[Any]:
    """Return the values of exactly these fields of a JSON object.

    Raises
    ------
    InputError
        When it is no object, or has other fields.
    """
    if not isinstance(description, dict) or set(description) != set(names):
        found = ", ".join(sorted(map(str, description)))[:200] if isinstance(description, dict) else quoted(description)
        raise InputError(f"{what}: expected an object with {', '.join(names)}, but found {found}")
    return [description[name] for name in names]


def number(
    what: str,
    value: object,
    low: float = -math.inf,
    high: float = math.inf,
    *,
    above: bool = False,
    below: bool = False,
) -> float:
    """Return `value` as a float when it is a finite number in [low, high].

    Parameters
    ----------
    what : str
        The name of the number, for the message.
    above, below : bool
        Whether `low` or `high` itself is excluded.

    Raises
    ------
    InputError
        When it is not such a number.
    """
    try:
        result = float(value) if not isinstance(value, (bool, str)) else math.nan  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        result = math.nan
    fits = (low < result if above else low <= result) and (result < high if below else result <= high)
    if not math.isfinite(result) or not fits:
        bounds = [f"{'above' if above else 'at least'} {low:g}"] * (low > -math.inf)
        bounds += [f"{'below' if below else 'at most'} {high:g}"] * (high < math.inf)
        expected = " ".join(["a finite number", " and ".join(bounds)]).strip()
        raise InputError(f"{what} must be {expected}, but is {quoted(value)}")
    return result


def whole(what: str, value: object, low: int = 0, high: int = 2**63 - 1) -> int:
    """Return `value` as an int when it is a whole number in [low, high].

    Raises
    ------
    InputError
        When it is not such a number.
    """
    try:
        result = value.__index__() if not isinstance(value, bool) else None  # type: ignore[attr-defined]
    except AttributeError:
        result = None
    if result is None or not low <= result <= high:
        limit = f" and at most {high}" if high < 2**63 - 1 else ""
        raise InputError(f"{what} must be a whole number of at least {low}{limit}, but is {quoted(value)}")
    return int(result)


def keep(frozen: object, **fields: object) -> None:
    """Set fields of a frozen dataclass, while it is being made: values as they were checked and converted."""
    for name, value in fields.items():
        object.__setattr__(frozen, name, value)
