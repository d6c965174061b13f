"""Things that a network or a run is described by: found by name, and turned to JSON and back.

An activation is written as ``"relu"``, or as ``{"name": "leaky_relu", "negative_slope": 0.2}`` when it has
parameters. The same holds for losses, initialisers, optimisers and schedules.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from .errors import InputError, unknown_name

JSON = Any
"""What ``json.loads`` returns; whoever reads it checks its types."""


T = TypeVar("T")


def build(kind: str, factories: Mapping[str, Callable[..., T]], description: JSON, own: Iterable[T] = ()) -> T:
    """Return the thing that a name, or a JSON object with a name and parameters, describes.

    Parameters
    ----------
    kind : str
        What is being looked for, as error messages call it: "activation", "loss", …
    factories : mapping
        From each known name to the function or class that makes the thing.
    description : str or dict
        A name, or ``{"name": …, parameter: value, …}``.
    own : iterable
        Things of the caller's own, which are found by their ``name``.

    Raises
    ------
    InputError
        When the name or a parameter is unknown, or a parameter's value does not fit.
    """
    if isinstance(description, str):
        description = {"name": description}
    if not isinstance(description, dict) or not isinstance(description.get("name"), str):
        raise InputError(f"{kind}: expected a name, or an object with a name, but got {description!r}")
    parameters = dict(description)
    name = parameters.pop("name")
    for thing in own:
        if getattr(thing, "name", None) == name:
            return thing
    if name not in factories:
        raise unknown_name(kind, name, factories)
    factory = factories[name]
    for parameter in parameters:
        if parameter not in inspect.signature(factory).parameters:
            raise unknown_name(f"parameter of {kind} {name!r}", parameter, inspect.signature(factory).parameters)
    try:
        return factory(**parameters)
    except TypeError as error:
        raise InputError(f"{kind} {name!r}: {error}") from error


def resolve(kind: str, expected: type[T], factories: Mapping[str, Callable[..., T]], given: T | str) -> T:
    """Return `given` itself, or the thing that it names.

    Raises
    ------
    InputError
        When it is neither of the expected kind nor a known name.
    """
    if isinstance(given, expected):
        return given
    if isinstance(given, str):
        return build(kind, factories, given)
    raise InputError(f"{kind}: expected a name or a {expected.__name__}, but got {type(given).__name__}")


def describe(name: str, parameters: Mapping[str, JSON]) -> JSON:
    """Return the JSON form of a named thing: its bare name when it has no parameters."""
    return {"name": name, **parameters} if parameters else name


def as_call(name: str, parameters: Mapping[str, JSON]) -> str:
    """Return how a named thing is shown: ``tanh``, ``leaky_relu(negative_slope=0.01)``."""
    settings = ", ".join(f"{key}={value!r}" for key, value in parameters.items())
    return f"{name}({settings})" if parameters else name


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
        raise InputError(f"{what} must be {expected}, but is {value!r}")
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
        raise InputError(f"{what} must be a whole number of at least {low}{limit}, but is {value!r}")
    return int(result)
