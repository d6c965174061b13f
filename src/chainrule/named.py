"""Things that a network or a run is described by: found by name, and turned to JSON and back.

An activation is written as ``"relu"``, or as ``{"name": "leaky_relu", "negative_slope": 0.2}`` when it has
parameters. The same holds for losses, initialisers, optimisers and schedules.
"""

from __future__ import annotations

import inspect
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import is_dataclass
from functools import cache, lru_cache
from types import FunctionType
from typing import Any, Protocol, TypeAlias, TypeVar, get_args, get_type_hints
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import DTypeLike, NDArray

from .errors import InputError, quoted, unknown_name
from .schema import typed

JSON = Any
"""What ``json.loads`` returns; whoever reads it checks its types."""


class Definition(Protocol):
    """An activation, loss, initialiser, optimiser or schedule; a file stores its name and parameters only."""

    @property
    def name(self) -> str:
        """What files and messages call it."""

    def to_json(self) -> JSON:
        """Return the name and the parameters."""


Own: TypeAlias = Definition | type[Definition] | Iterable[Definition | type[Definition]]
"""The caller's own definitions, one or several; the class of an optimiser or schedule stands for all parameters."""

T = TypeVar("T", bound=Definition)
Made = TypeVar("Made")


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
        # Those that this catalogue makes, by their ids.
        self._known: WeakValueDictionary[int, T] = WeakValueDictionary()

    def __getitem__(self, name: str) -> Callable[..., T]:
        return self._factories[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._factories)

    def __len__(self) -> int:
        return len(self._factories)

    def made(self, thing: T) -> bool:
        """Tell whether a thing is one that this catalogue makes, and not a subclass or an altered copy of one."""
        factory = self._factories.get(_name_of(thing) or "")
        if factory is None or isinstance(factory, type):
            return type(thing) is factory
        if self._known.get(id(thing)) is thing:  # comparing functions takes longer than predicting a row
            return True
        try:
            ours = _product(factory, getattr(thing, "parameters", ()))
        except (TypeError, ValueError):
            return False
        if is_ours := thing is ours or _same(thing, ours):
            self._known[id(thing)] = thing
        return is_ours

    def _check_name(self, thing: T) -> None:
        """Check that a thing is chainrule's, or has a name that is not."""
        name = _name_of(thing)
        if name is None:
            raise InputError(f"{_with_article(self._kind)} of your own needs a name: {type(thing).__name__} has none")
        if name in self and not self.made(thing):
            raise InputError(
                f"{_with_article(self._kind)} of your own cannot be called {name!r}, as one of chainrule's is"
            )

    def find(self, given: T | JSON, own: Own | None = None) -> T:
        """Return `given` itself, or the thing that it names.

        Parameters
        ----------
        given : thing or str or dict
            The thing, its name, or ``{"name": …, parameter: value, …}``, which may come from a stranger.
        own : definition or iterable of definitions
            The caller's own, of any kind, which are found by their ``name`` and parameters; None where
            nobody can pass any.

        Raises
        ------
        InputError
            When a name or a parameter is unknown (the message suggests the nearest), or a value does not fit.
        """
        if isinstance(given, self._expected):
            self._check_name(given)
            return given
        if own is None and isinstance(given, str) and given in self:
            product: T = _product(self[given], ())
            return product
        description = {"name": given} if isinstance(given, str) else given
        if not isinstance(description, dict) or not isinstance(description.get("name"), str):
            raise InputError(
                f"{self._kind}: expected a name, an object with a name, or {_with_article(self._expected.__name__)}, "
                f"but got {quoted(given)}"
            )
        parameters = dict(description)
        name = parameters.pop("name")
        things = definitions(() if own is None or name in self else own)
        instances = [thing for thing in things if isinstance(thing, self._expected) and _name_of(thing) == name]
        forms = [json_form(self._kind, thing) for thing in instances]
        if given in forms:
            return instances[forms.index(given)]
        classes = [thing for thing in things if isinstance(thing, type) and issubclass(thing, self._expected)]
        factories = {thing.name: thing for thing in classes} | dict(self)
        if name not in factories:
            if instances:
                raise InputError(
                    f"{self._kind} {name!r}: the one in own= has {_shown(forms[0])}, but {_shown(given)} is needed"
                )
            error = unknown_name(self._kind, name, self)
            hint = "" if own is None else f". If it is a definition of your own, pass it: own=[{name:.80}]"
            raise InputError(f"{error}{hint}") from None
        # A schedule may have another one inside.
        inner = {key: value for key, value in parameters.items() if isinstance(value, dict) and "name" in value}
        nested = {key: self.find(value, own) for key, value in inner.items()}
        if name in self:
            return construct(f"{self._kind} {name!r}", self[name], parameters | nested)
        for parameter in parameters:
            if parameter not in (known := inspect.signature(factories[name]).parameters):
                raise unknown_name(f"parameter of {self._kind} {name!r}", parameter, known)
        try:
            return factories[name](**parameters | nested)
        except TypeError as error:
            raise InputError(f"{self._kind} {name!r}: {error}") from error


def construct(what: str, factory: Callable[..., Made], values: JSON) -> Made:
    """Call a function or class with JSON values, each checked against the annotation of its parameter.

    Parameters
    ----------
    what : str
        What messages call the result.
    factory : callable
        It checks the ranges of numbers. Where a parameter is annotated with one of our classes, or with one or None,
        it gets the value as it is, for :meth:`Catalogue.find`.
    values : dict
        By the names of the parameters; it may come from a stranger.

    Raises
    ------
    InputError
        When it is not a dictionary, a parameter is unknown or missing, or a value is of another type or out of range.
    """
    signature, forms = _signature(factory)
    for name in typed(what, values, dict[str, Any]):
        if name not in forms:
            raise unknown_name(f"parameter of {what}", name, forms)
    missing = [name for name, one in signature.parameters.items() if one.default is one.empty and name not in values]
    if missing:
        raise InputError(f"{what}: {missing[0]} is missing")
    for name, value in values.items():
        if not any(map(is_dataclass, (forms[name], *get_args(forms[name])))):
            typed(f"{name} of {what}", value.item() if isinstance(value, np.generic) else value, forms[name])
    return factory(**values)


def listed(given: Any) -> tuple[Any, ...]:
    """Return the members of an iterable; a name, a function or any other single thing counts as a list of one."""
    alone = isinstance(given, str) or callable(given) or not isinstance(given, Iterable)
    return (given,) if alone else tuple(given)


def definitions(own: Own) -> tuple[Any, ...]:
    """Return definitions of the caller's own, checked.

    Raises
    ------
    InputError
        When something among them is not a definition.
    """
    things = listed(own)
    for thing in things:
        if _name_of(thing) is None or not hasattr(thing, "to_json"):
            raise InputError(
                "own= takes activations, losses, initializers, optimizers and schedules of your own, "
                f"but got {quoted(thing)}"
            )
    return things


def json_form(kind: str, thing: Definition) -> JSON:
    """Return the JSON form of a definition, as a file holds it.

    Raises
    ------
    InputError
        When it has none: a field is not a number, a string or the like, or its name is missing.
    """
    what = f"the {kind} {thing.name!r} cannot be stored in a file"
    returned = call(f"{what}: to_json()", thing.to_json, [], "its name and parameters")
    try:
        form = json.loads(json.dumps(returned, allow_nan=False, default=plain))
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"{what}: {error!s:.100}") from error
    if (form.get("name") if isinstance(form, dict) else form) != thing.name:
        expected = f"{thing.name!r} or {{'name': {thing.name!r}, …}}"
        raise InputError(f"{what}: to_json() must return {expected}, but returned {quoted(form)}")
    return form


def plain(value: object) -> object:
    """Return a NumPy scalar as the Python number, boolean or string that it is, for JSON.

    Raises
    ------
    TypeError
        When it is something else.
    """
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} is not a JSON type")


def _name_of(thing: object) -> str | None:
    name = getattr(thing, "name", None)
    return name if isinstance(name, str) and name else None


def _shown(description: JSON) -> str:
    """Return the parameters of a description: ``beta=1.0``, or "no parameters"."""
    parameters = dict(description) if isinstance(description, dict) else {}
    parameters.pop("name", None)
    return ", ".join(f"{key}={value!s:.60}" for key, value in parameters.items()) or "no parameters"


def _same(one: Any, other: Any) -> bool:
    """Tell whether two values are equal, and functions the same code over the same values."""
    if isinstance(one, FunctionType) and isinstance(other, FunctionType):
        cells = [[cell.cell_contents for cell in function.__closure__ or ()] for function in (one, other)]
        return one is other or (one.__code__ is other.__code__ and _same(*cells))
    if type(one) is not type(other):
        return False
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if hasattr(one, "__dataclass_fields__"):
        return _same(vars(one), vars(other))
    return bool(one == other)


@lru_cache(1024)  # as they cannot be changed, one serves all
def _product(factory: Callable[..., T], parameters: tuple[tuple[str, Any], ...]) -> T:
    return factory(**dict(parameters))


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


def dtype_name(dtype: DTypeLike) -> str:
    """Return "float64" or "float32" from any of its names: a string, a NumPy dtype or scalar type.

    Raises
    ------
    InputError
        When it is another dtype, or none.
    """
    try:
        name = np.dtype(dtype).name if dtype is not None else "None"
    except TypeError:
        name = str(dtype)
    if name not in ("float64", "float32"):
        raise InputError(f"dtype must be float32 or float64, but is {name!r:.60}")
    return name


def check_function(what: str, value: object) -> None:
    """Check that `value` can be called.

    Raises
    ------
    InputError
        When it cannot.
    """
    if not callable(value):
        raise InputError(f"{what} must be a function, but is {quoted(value)}")


def text(what: str, value: object) -> str:
    """Return `value` when it is a string that is not empty.

    Raises
    ------
    InputError
        When it is not.
    """
    if not isinstance(value, str) or not value:
        raise InputError(f"{what} must be a string that is not empty, but is {quoted(value)}")
    return value


def numbers(what: str, values: object) -> tuple[float, ...]:
    """Return one or several finite numbers as a tuple of float.

    Raises
    ------
    InputError
        When one is not a finite number.
    """
    return tuple(number(what, value) for value in listed(values))


def pairs(what: str, values: Any) -> tuple[tuple[str, Any], ...]:
    """Return the parameters of a definition, a mapping or pairs of name and value, as a tuple of pairs.

    Raises
    ------
    InputError
        When a name is not a string, or a value neither a string nor a finite number.
    """
    try:
        items = dict(values).items()
    except (TypeError, ValueError) as error:
        raise InputError(f"{what} must be pairs of a name and a value, but are {quoted(values)}") from error
    return tuple(
        (text(f"a name in {what}", key), value if isinstance(value, (str, int)) else number(f"{key} in {what}", value))
        for key, value in items
    )


def call(what: str, function: Callable[..., Any], arguments: Sequence[Any], expected: str) -> Any:
    """Return what a function of the caller's own returns.

    Parameters
    ----------
    what : str
        What messages call it: the definition, the function and its arguments.
    expected : str
        What it must return, for the message.

    Raises
    ------
    InputError
        When it fails, or changes an array, a dictionary or a list that it was called with.
    """
    copies = [copied(argument) for argument in arguments]
    try:
        with np.errstate(all="ignore"):
            returned = function(*copies)
    except Exception as error:
        reason = f"{type(error).__name__}: {' '.join(str(error).split()):.150}".removesuffix(": ")
        raise InputError(f"{what} must return {expected}, but failed with {reason}") from error
    if not all(map(_unchanged, arguments, copies)):
        raise InputError(f"{what} must not modify its arguments, and must return {expected}")
    return returned


def copied(value: Any) -> Any:
    """Return a copy of an array, a list or a dictionary of arrays; anything else as it is."""
    if isinstance(value, Mapping):
        return {key: copied(one) for key, one in value.items()}
    return value.copy() if isinstance(value, (np.ndarray, list)) else value


def _unchanged(before: Any, after: Any) -> bool:
    if isinstance(before, Mapping):
        return before.keys() == after.keys() and all(_unchanged(before[key], after[key]) for key in before)
    if isinstance(before, np.ndarray):
        return isinstance(after, np.ndarray) and np.array_equal(before, after, equal_nan=True)
    return not isinstance(before, list) or before == after


def call_for_array(
    what: str, function: Callable[..., Any], arguments: Sequence[Any], shape: tuple[int, ...]
) -> NDArray[Any]:
    """Return the array that a function of the caller's own returns, as :func:`call` does.

    Raises
    ------
    InputError
        Also when it does not return a NumPy array of real numbers of this shape.
    """
    expected = f"a NumPy array of numbers with shape {shape}"
    returned = call(what, function, arguments, expected)
    if type(returned) is not np.ndarray:
        raise InputError(f"{what} must return {expected}, but returned {_with_article(type(returned).__name__)}")
    if returned.shape != shape or returned.dtype.kind not in "biuf":
        found = f"{returned.dtype} with shape {returned.shape}"
        raise InputError(f"{what} must return {expected}, but returned {found}")
    return returned


def check_methods(thing: object, base: type) -> None:
    """Check that a subclass of a definition has no method that a field hides, or that nothing would call.

    Raises
    ------
    InputError
        When one does.
    """
    if type(thing) is base:
        return
    for method in ("forward", "backward"):
        if hasattr(thing, method):
            functions = ", ".join(field for field, value in vars(thing).items() if callable(value))
            raise InputError(
                f"{type(thing).__name__} has a method {method}, which would never be called: the functions of "
                f"{_with_article(base.__name__)} are passed as {functions}"
            )
    for field in vars(thing):
        if inspect.isroutine(getattr(type(thing), field, None)):
            raise InputError(
                f"{type(thing).__name__} has a method {field}, which the function passed as {field} would hide: "
                f"pass that function as {field}= instead"
            )


def keep(frozen: object, **fields: object) -> None:
    """Set fields of a frozen dataclass, while it is being made: values as they were checked and converted."""
    for name, value in fields.items():
        object.__setattr__(frozen, name, value)
