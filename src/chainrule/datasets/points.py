"""Points in the plane that belong to one of two classes, and a surface over it: small sets to watch a network on.

Five of them are those of TensorFlow Playground (Smilkov et al. 2017), in its units: the points lie within about ±6.

>>> made = points("circles", rows=4)
>>> made.x.shape, made.y.tolist()
((4, 2), [1.0, 1.0, 0.0, 0.0])
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import unknown_name
from ..named import number, whole
from ..randomness import Purpose, bits

REACH = 6.0
"""How far from 0 the plane is worth drawing."""

_RADIUS = 5.0
_GAP = 0.3  # between the quarters of xor and its axes

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Points:
    """Points and what belongs to them.

    Attributes
    ----------
    x : array, shape (n, 2)
    y : array, shape (n,)
        0 or 1 where they are of two classes, else a number from −1 to 1.
    are_classes : bool
    """

    x: Floats
    y: Floats
    are_classes: bool


def points(name: str, rows: int = 500, noise: float = 0.0, seed: int = 0) -> Points:
    """Return a set of points.

    Parameters
    ----------
    name : str
        One of `POINTS`.
    rows : int
        How many; of two classes each has half of them, but with xor, where the place decides.
    noise : float
        0 to 1: how far points are from where their class says.
    seed : int
        The same seed gives the same points.

    Raises
    ------
    InputError
        When the name is unknown, or a number is out of range.
    """
    if name not in POINTS:
        raise unknown_name("set of points", name, POINTS)
    count, amount = whole("rows", rows, 2), number("noise", noise, 0.0, 1.0)
    x, y = POINTS[name](count, amount, np.random.Generator(bits(seed, Purpose.POINTS)))
    return Points(x, y, name != "regression")


def _circles(rows: int, noise: float, random: np.random.Generator) -> tuple[Floats, Floats]:
    """Return a disc (1) in a ring (0)."""
    inside = _halves(rows) == 1
    radius = _RADIUS * np.where(inside, random.uniform(0.0, 0.5, rows), random.uniform(0.7, 1.0, rows))
    angle = random.uniform(0.0, 2 * np.pi, rows)
    x = radius[:, None] * np.column_stack([np.sin(angle), np.cos(angle)])
    moved = x + noise * random.uniform(-_RADIUS, _RADIUS, (rows, 2))
    return x, (np.hypot(*moved.T) < 0.5 * _RADIUS).astype(np.float64)


def _moons(rows: int, noise: float, random: np.random.Generator) -> tuple[Floats, Floats]:
    """Return two half circles that reach into each other."""
    upper = _halves(rows) == 1
    angle = random.uniform(0.0, np.pi, rows)
    x = np.where(upper, np.cos(angle), 1.0 - np.cos(angle)) - 0.5
    y = np.where(upper, np.sin(angle), 0.5 - np.sin(angle)) - 0.25
    return 3.0 * np.column_stack([x, y]) + 2.0 * noise * random.standard_normal((rows, 2)), _halves(rows)


def _spiral(rows: int, noise: float, random: np.random.Generator) -> tuple[Floats, Floats]:
    """Return two spirals, a half turn apart."""
    y = _halves(rows)
    along = np.concatenate([np.arange(count) / count for count in (int(y.sum()), int(rows - y.sum()))])
    angle = 1.75 * along * 2 * np.pi + np.where(y == 1, 0.0, np.pi)
    x = _RADIUS * along[:, None] * np.column_stack([np.sin(angle), np.cos(angle)])
    return x + 2.0 * noise * random.uniform(-1.0, 1.0, (rows, 2)), y


def _xor(rows: int, noise: float, random: np.random.Generator) -> tuple[Floats, Floats]:
    """Return four quarters, of which those opposite each other are of one class."""
    x = random.uniform(-_RADIUS, _RADIUS, (rows, 2))
    x += np.where(x > 0, _GAP, -_GAP)
    moved = x + noise * random.uniform(-_RADIUS, _RADIUS, (rows, 2))
    return x, (moved[:, 0] * moved[:, 1] >= 0).astype(np.float64)


def _gaussians(rows: int, noise: float, random: np.random.Generator) -> tuple[Floats, Floats]:
    """Return two clouds around (2, 2) and (−2, −2)."""
    y = _halves(rows)
    spread = np.sqrt(0.5 + 7.0 * noise)
    return np.where(y == 1, 2.0, -2.0)[:, None] + spread * random.standard_normal((rows, 2)), y


def _regression(rows: int, noise: float, random: np.random.Generator) -> tuple[Floats, Floats]:
    """Return a plane over the plane: (x₁ + x₂) / 10, cut to −1 … 1."""
    x = random.uniform(-REACH, REACH, (rows, 2))
    moved = x + noise * random.uniform(-REACH, REACH, (rows, 2))
    return x, np.clip(moved.sum(axis=1) / 10.0, -1.0, 1.0)


def _halves(rows: int) -> Floats:
    """Return 1 for the first half of the rows, and 0 for the others."""
    return (np.arange(rows) < (rows + 1) // 2).astype(np.float64)


POINTS: dict[str, Callable[[int, float, np.random.Generator], tuple[Floats, Floats]]] = {
    "circles": _circles,
    "moons": _moons,
    "spiral": _spiral,
    "xor": _xor,
    "gaussians": _gaussians,
    "regression": _regression,
}
"""Every set of points by its name."""
