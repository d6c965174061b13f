"""Where a run begins in which a formula is tried: rows, parameters and a learning rate with which a mistake shows.

Targets are what the same network makes of other parameters, the teacher's, so they can be learnt. Of many teachers,
beginnings and learning rates those are taken with which the right formula learns well, and the wrong one does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..data import prepare
from ..derivation import Derivation, derive
from ..errors import InputError
from ..formula import Symbol
from ..network import Network
from .descent import Claim, Floats, affected, descend, outputs, parameters
from .scene import Scene

ROWS, STEPS = 8, 300
_TEACHERS = 32
_SIZES = (1.0, 2.0, 3.0)  # of weights: layer after layer of small ones, an input would hardly matter
_RATES = (0.03, 0.1, 0.3, 0.8, 2.5, 8.0)  # none is 1, with which an update without η would be right
_LEARNT = 0.02  # of the loss: less is not seen to be less
_SHOWS = 2.0  # of the score: from there on, the loss by the wrong formula rises
_MOST = 2.0  # a loss that has doubled is seen to rise
_SAME = 1e-3  # targets of rows that differ by less might as well be one target
_LOOKED_AT = 60  # steps after which a loss should still be a number to look at
_READABLE = 0.3  # a loss to begin with


@dataclass(frozen=True)
class Beginning:
    """Where a run begins.

    Attributes
    ----------
    x, y : array, shape (rows, d₀) and (rows, d_L)
    start : array, shape (parameters,)
    learning_rate : float
    learns : array of bool, shape (parameters,)
        Which parameters learn; the others are the teacher's.
    """

    x: Floats
    y: Floats
    start: Floats
    learning_rate: float
    learns: NDArray[np.bool_]

    @property
    def rates(self) -> Floats:
        """The learning rate of each parameter."""
        return np.where(self.learns, self.learning_rate, 0.0)

    def rows(self, made: Derivation) -> dict[Symbol, Floats]:
        """Return the rows by the symbols of a derivation."""
        pairs = [*zip(_symbols(made, "x"), self.x.T, strict=True), *zip(_symbols(made, "y"), self.y.T, strict=True)]
        return dict(pairs)


@lru_cache(maxsize=256)
def derivation(net: Network) -> Derivation:
    """Return the derivation of a network."""
    return derive(net)


def of_scene(scene: Scene, net: Network) -> Beginning:
    """Return a scene's parameters, sample and learning rate.

    Raises
    ------
    InputError
        When its network is another one.
    """
    shown = scene.network()
    if shown != net:
        raise InputError(
            f"the network on the screen has {_told(shown)}, but this problem is about {_told(net)}: build that first"
        )
    start = scene.parameters(net).vector
    row = prepare(net, *scene.sample())
    return Beginning(
        row.x.astype(np.float64), row.y.astype(np.float64), start, scene.learning_rate, np.ones(len(start), dtype=bool)
    )


@lru_cache(maxsize=256)
def chosen(net: Network, wrong: Claim) -> Beginning:
    """Return a beginning with which the right formula and a wrong one part.

    All parameters learn, unless the others make up for the wrong formula whatever it does: then only those that it
    moves.
    """
    made = derivation(net)
    learns = np.ones(len(parameters(made)), dtype=bool)
    found, score = _best(made, wrong, learns)
    moved = np.array([one in affected(made, wrong) for one in parameters(made)])
    if score < _SHOWS and not moved.all():
        other, score_of_other = _best(made, wrong, moved)
        if score_of_other > score:
            return other
    return found


def _best(made: Derivation, wrong: Claim, learns: NDArray[np.bool_]) -> tuple[Beginning, float]:
    """Return the best beginning, and how well it shows."""
    net, count = made.network, len(parameters(made))
    random = np.random.default_rng(0)
    x = np.linspace(-1.75, 1.75, ROWS)[:, None] if net.inputs == 1 else random.uniform(-1.5, 1.5, (ROWS, net.inputs))
    x_rows = dict(zip(_symbols(made, "x"), x.T, strict=True))

    def draw() -> Floats:
        drawn = random.uniform(0.5, 1.5, (_TEACHERS, count)) * random.choice([-1.0, 1.0], (_TEACHERS, count))
        return np.repeat(drawn * np.resize(_SIZES, _TEACHERS)[:, None], len(_RATES), axis=0)

    teacher, start = draw(), draw()
    start = np.where(learns, start, teacher)
    with np.errstate(all="ignore"):  # a teacher whose outputs are no numbers is not taken
        made_of = outputs(made, {**x_rows, **{one: teacher[:, [k]] for k, one in enumerate(parameters(made))}})
    if net.loss.targets_are_classes:
        likeliest = np.argmax(made_of, axis=0)
        made_of = [(likeliest == k).astype(float) for k in range(net.outputs)]
    rates = np.tile(_RATES, _TEACHERS)
    twice = dict(zip(_symbols(made, "y"), (np.tile(one, (2, 1)) for one in made_of), strict=True))
    runs = descend(
        made, wrong, {**x_rows, **twice}, np.tile(start, (2, 1)), np.tile(rates[:, None] * learns, (2, 1)), STEPS
    )
    same = np.max([np.ptp(one, axis=1) for one in made_of], axis=0) < _SAME
    score = _score(runs.losses[:, : len(rates)], runs.losses[:, len(rates) :]) - same
    best = int(np.argmax(score))
    y = np.stack([one[best] for one in made_of], axis=1)
    return Beginning(x, y, start[best], float(rates[best]), learns), float(score[best])


def _score(right: Floats, wrong: Floats) -> Floats:
    """Return for each run how well it shows what it should.

    The right loss falls far and steadily from where it can be read, the other one does not fall, and for a while can be
    looked at.
    """
    first = right[0]
    with np.errstate(all="ignore"):
        left = np.nan_to_num(right[-1] / first, nan=np.inf, posinf=np.inf)
        other = np.nan_to_num(wrong[_LOOKED_AT:] / first, nan=_MOST, posinf=_MOST).min(axis=0)
        apart = np.nan_to_num(np.abs(right - wrong).max(axis=0) / first, nan=1.0)
        jumps = ~(np.diff(right, axis=0) <= 1e-9).all(axis=0)
        gone = ~(wrong[_LOOKED_AT] < 100 * first)
        size = np.abs(np.log10(first) - np.log10(_READABLE))
    for_right = 20 * np.clip(left - _LEARNT, 0.0, 1e6) + jumps
    for_wrong = np.clip(other, 0.0, _MOST) + np.clip(apart, 0.0, 1.0) - 0.3 * gone
    score: Floats = np.nan_to_num(for_wrong - for_right - 0.2 * size, nan=-np.inf)
    return score


def _symbols(made: Derivation, name: str) -> list[Symbol]:
    """Return inputs or targets in their order."""
    return sorted((one for one in made.symbols if one.name == name), key=lambda one: one.indices)


def _told(net: Network) -> str:
    layers = ", ".join(
        f"{layer.units} {layer.activation.name}{' with bias' if layer.bias else ''}" for layer in net.layers
    )
    told = f"{net.inputs} input{'s' if net.inputs > 1 else ''}, layers of {layers}, and the loss {net.loss.name}"
    return told.replace("_", " ")
