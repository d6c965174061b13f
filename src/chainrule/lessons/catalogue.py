"""The families of problems, each with parameters, and the generator: the same seed draws the same problem."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from ..errors import InputError, quoted, unknown_name
from .problems import ATTEMPTS, Content, Problem


@dataclass(frozen=True)
class Parameter:
    """A parameter of a family, with its allowed values. If it is not given, the seed picks one.

    Attributes
    ----------
    values : tuple
    meaning : str
        In a few words.
    """

    values: tuple[Any, ...]
    meaning: str

    def choices(self, family: str, name: str, argument: Any) -> tuple[Any, ...]:
        """Return the values to draw from: the argument, one value or a list of them, checked."""
        choices = tuple(map(self._normalized, argument if isinstance(argument, (list, tuple)) else [argument]))
        if not choices:
            raise InputError(f"{family}: {name} is an empty list; it may be {self.description}")
        for choice in choices:
            if not any(choice == value and type(choice) is type(value) for value in self.values):
                raise InputError(f"{family}: {name} is {quoted(choice)}, but may be {self.description}")
        return choices

    def _normalized(self, number: Any) -> Any:
        """Return 0.0 for 0, which people do not tell apart, and JSON need not."""
        if type(number) is int and not any(type(value) is int for value in self.values):
            return next((value for value in self.values if type(value) is float and value == number), number)
        return number

    @property
    def description(self) -> str:
        """The allowed values, in words."""
        if len(self.values) > 2 and all(type(value) is int for value in self.values):
            return f"a whole number from {min(self.values)} to {max(self.values)}"
        return " or ".join(map(_lower_case, self.values))


def _random(*parts: Any) -> Random:
    return Random(" ".join(map(str, parts)))  # noqa: S311 - no secret; the same in every version of Python


def _lower_case(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@dataclass(frozen=True)
class Family:
    """A family of problems.

    Attributes
    ----------
    name : str
        As lesson files name it.
    about : str
        What is practised, in one line.
    kind : str
        One of "one choice", "choose all", "formula" and "number".
    parameters : mapping from str to Parameter
    make : callable
        (random, **parameters) → Content.
    """

    name: str
    about: str
    kind: str
    parameters: Mapping[str, Parameter]
    make: Callable[..., Content]

    def draw_parameters(self, seed: int, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return all parameters: those given, each a value or a list of values to draw from, and the others drawn.

        Raises
        ------
        InputError
            When a parameter is unknown, or its value is not allowed.
        """
        for name in arguments:
            if name not in self.parameters:
                raise unknown_name(f"parameter of {self.name}", name, list(self.parameters))
        return {
            # each by itself, so that one which is given leaves the others as they are
            name: _random(self.name, seed, name).choice(
                parameter.choices(self.name, name, arguments[name]) if name in arguments else parameter.values
            )
            for name, parameter in self.parameters.items()
        }

    def problem(self, seed: int, **arguments: Any) -> Problem:
        """Draw a problem.

        Parameters
        ----------
        seed : int
            The same draws the same.
        **arguments
            Parameters of the family, each a value or a list of values to draw from.

        Raises
        ------
        InputError
            When a parameter is unknown, or its value is not allowed.
        """
        parameters = self.draw_parameters(seed, arguments)
        content = self.make(_random(self.name, seed), **parameters)
        return Problem(self.name, parameters, seed, content, attempts=ATTEMPTS[self.kind])


FAMILIES: dict[str, Family] = {}
"""Every family by its name, in the order of the lecture."""


def family(name: str, kind: str, **parameters: Parameter) -> Callable[[Callable[..., Content]], Callable[..., Content]]:
    """Register a function that makes contents; the first line of its docstring says what is practised."""

    def register(make: Callable[..., Content]) -> Callable[..., Content]:
        about = (inspect.getdoc(make) or "").splitlines()[0].rstrip(".")
        FAMILIES[name] = Family(name, about, kind, parameters, make)
        return make

    return register


def generate(family: str, seed: int = 0, **parameters: Any) -> Problem:
    """Draw a problem of a family: the same seed draws the same problem.

    Parameters
    ----------
    family : str
        One of :data:`FAMILIES`.
    seed : int
    **parameters
        Parameters of the family, each a value or a list of values to draw from.

    Raises
    ------
    InputError
        When there is no such family, a parameter is unknown, or its value is not allowed.
    """
    if family not in FAMILIES:
        raise unknown_name("family of problems", family, list(FAMILIES))
    return FAMILIES[family].problem(seed, **parameters)
