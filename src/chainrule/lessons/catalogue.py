"""The families of problems, each with parameters, and the generator: the same seed draws the same problem."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from ..errors import InputError, quoted, unknown_name
from .problems import ATTEMPTS, Problem


@dataclass(frozen=True)
class Parameter:
    """What a family may be told: one of some values. Where nothing is said, the seed draws one.

    Attributes
    ----------
    values : tuple
    meaning : str
        In a few words.
    """

    values: tuple[Any, ...]
    meaning: str

    def chosen(self, family: str, name: str, given: Any) -> tuple[Any, ...]:
        """Return from which values to draw: what was given, one value or a list of them, checked."""
        some = tuple(map(self._fitting, given if isinstance(given, (list, tuple)) else [given]))
        if not some:
            raise InputError(f"{family}: {name} is an empty list; it may be {self.described}")
        for value in some:
            if not any(value == one and type(value) is type(one) for one in self.values):
                raise InputError(f"{family}: {name} is {quoted(value)}, but may be {self.described}")
        return some

    def _fitting(self, value: Any) -> Any:
        """Return a value with 0.0 for 0, which people do not tell apart, and JSON need not."""
        if type(value) is int and not any(type(one) is int for one in self.values):
            return next((one for one in self.values if type(one) is float and one == value), value)
        return value

    @property
    def described(self) -> str:
        """What it may be, in words."""
        if len(self.values) > 2 and all(type(value) is int for value in self.values):
            return f"a whole number from {min(self.values)} to {max(self.values)}"
        return " or ".join(map(_shown, self.values))


def _random(*what: Any) -> Random:
    return Random(" ".join(map(str, what)))  # noqa: S311 - no secret; the same in every version of Python


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@dataclass(frozen=True)
class Family:
    """Problems of one sort.

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
        (random, **parameters) → Problem, all but its seed and parameters.
    """

    name: str
    about: str
    kind: str
    parameters: Mapping[str, Parameter]
    make: Callable[..., Problem]

    def drawn(self, seed: int, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return all parameters: those given, each a value or a list of values to draw from, and the others drawn.

        Raises
        ------
        InputError
            When a parameter is unknown, or what it cannot be.
        """
        for name in given:
            if name not in self.parameters:
                raise unknown_name(f"parameter of {self.name}", name, list(self.parameters))
        return {
            # each by itself, so that one which is given leaves the others as they are
            name: _random(self.name, seed, name).choice(
                one.chosen(self.name, name, given[name]) if name in given else one.values
            )
            for name, one in self.parameters.items()
        }

    def problem(self, seed: int, **given: Any) -> Problem:
        """Draw a problem.

        Parameters
        ----------
        seed : int
            The same draws the same.
        **given
            Parameters of the family, each a value or a list of values to draw from.

        Raises
        ------
        InputError
            When a parameter is unknown, or what it cannot be.
        """
        values = self.drawn(seed, given)
        made = self.make(_random(self.name, seed), **values)
        return replace(made, family=self.name, parameters=values, seed=seed, attempts=ATTEMPTS[self.kind])


FAMILIES: dict[str, Family] = {}
"""Every family by its name, in the order of the lecture."""


def family(name: str, kind: str, **parameters: Parameter) -> Callable[[Callable[..., Problem]], Callable[..., Problem]]:
    """Enter a function that makes problems into the catalogue; its docstring's first line says what is practised."""

    def entered(make: Callable[..., Problem]) -> Callable[..., Problem]:
        about = (inspect.getdoc(make) or "").splitlines()[0].rstrip(".")
        FAMILIES[name] = Family(name, about, kind, parameters, make)
        return make

    return entered


def generate(family: str, seed: int = 0, **parameters: Any) -> Problem:
    """Draw a problem of a family: the same seed draws the same problem.

    Parameters
    ----------
    family : str
        One of :data:`FAMILIES`.
    seed : int
    **parameters
        What the family is told, each a value or a list of values to draw from.

    Raises
    ------
    InputError
        When there is no such family, or a parameter is unknown or cannot be what it was given as.
    """
    if family not in FAMILIES:
        raise unknown_name("family of problems", family, list(FAMILIES))
    return FAMILIES[family].problem(seed, **parameters)
