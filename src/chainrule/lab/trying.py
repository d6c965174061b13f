"""An answer is tried: a network learns by a learner's formula, beside one that learns by the right one.

Formulae are read by :mod:`chainrule.formula` and evaluated as trees; nothing that was typed is executed.
"""

from __future__ import annotations

import json
from typing import Annotated, Any

import numpy as np
from msgspec import Meta, Struct

from ..errors import InputError
from ..formula import text
from ..lessons import Learner, MalformedReply, Problem
from ..lessons.grading import canonical
from ..network import Network
from . import claims, problems
from .beginnings import Beginning, chosen, derivation, of_scene
from .descent import Runs, affected, descend, parameters
from .endpoints import Endpoint, Lab
from .outcomes import compared, is_times, words
from .problems import Name, Place, ProblemId, Typed
from .scene import Scene

MAX_STEPS = 500
_DIGITS = 6


class Tried(Struct, frozen=True, forbid_unknown_fields=True):
    """A formula, or the place of an option that is one, to be tried.

    Attributes
    ----------
    id : ProblemId
    typed : str or int
    learner : str or None
        Who tries it: then only what was answered can be tried, until the problem is done, since it shows what is right.
    scene : Scene or None
        Where the runs begin, if its network is the problem's; None has a beginning chosen with which a mistake shows.
    steps : int
    """

    id: ProblemId
    typed: Typed | Place
    learner: Name | None = None
    scene: Scene | None = None
    steps: Annotated[int, Meta(ge=1, le=MAX_STEPS)] = 300


def can_try(problem: Problem) -> bool:
    """Tell whether answers to a problem can be tried: those that say what an error, a gradient or an update is."""
    return claims.right(problem) is not None


def tried(lab: Lab, body: Tried) -> dict[str, Any]:
    """Return both runs, and what is seen of them in words."""
    problem = body.id.draw()
    right, definitions = claims.right(problem), claims.definitions(problem)
    if right is None:
        raise InputError(
            "no answer to this problem can be tried: none says what an error, a gradient or a step is for every sample"
        )
    try:
        claim = claims.claimed(problem, body.typed)
        if body.learner is not None:
            _check_is_answered(lab.progress().learner(body.learner), problem, body.typed)
    except MalformedReply as error:
        return problems.malformed(error)
    net = claims.network(problem)
    made = derivation(net)
    same = is_times(1, claim, right, definitions)
    if same:
        claim = right  # however it is written: it may take detours on which numbers overflow
    wrong = claims.negative(right) if same else claim
    begun = chosen(net, wrong) if body.scene is None else of_scene(body.scene, net)
    start, rates = np.tile(begun.start, (2, 1)), np.tile(begun.rates, (2, 1))
    runs = descend(made, claim, begun.rows(made), start, rates, body.steps)
    if not np.isfinite(runs.losses[0, 0]):
        raise InputError("with the parameters of this scene the loss has no finite value: choose smaller ones")
    names = parameters(made)
    old = next((float(number) for one, number in zip(names, begun.start, strict=True) if one == right.left), 0.0)
    found = compared(claim, right, definitions, runs, old)
    learning = [one for one, learns in zip(names, begun.learns, strict=True) if learns]
    moved = [one for one in affected(made, claim) if one in learning]
    return {
        "what": text(claim.left),
        "same": same,
        "words": words(right, found, moved, runs, None if begun.learns.all() else learning).to_html("t-"),
        "network": _shown(begun, net),
        "rows": {"x": begun.x.tolist(), "y": begun.y.tolist()},
        "parameters": [text(one) for one in names],
        "learning": list(map(text, learning)),
        "right": _told(runs, 0),
        "wrong": _told(runs, 0 if same else 1),  # by the key, since two ways to write one formula round differently
    }


def _told(runs: Runs, run: int) -> dict[str, Any]:
    """Return a run up to where its numbers end."""
    end = runs.end(run)
    return {
        "losses": runs.losses[:end, run].tolist(),
        "weights": np.round(runs.parameters[:end, run], _DIGITS).tolist(),
        "stopped": runs.ended(run),
    }


def _shown(begun: Beginning, net: Network) -> Scene:
    """Return where the runs begin as a scene, with the first row as its sample."""
    params = net.parameters(begun.start)
    y = [float(np.argmax(begun.y[0]))] if net.loss.targets_are_classes else begun.y[0].tolist()
    return Scene.of(params, net, begun.x[0].tolist(), y, begun.learning_rate)


def _check_is_answered(learner: Learner, problem: Problem, typed: str | int) -> None:
    """Refuse to show whether something is right that was not answered, as long as the problem is not done."""
    if learner.left(problem) == 0:
        return
    given = canonical(problem, typed)
    if all(json.loads(one.reply) != given for one in learner.attempts(problem)):
        raise InputError("answer it first: until the problem is done, only what was answered can be tried")


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("/api/practice/try", Tried, tried, "Train by a formula that was answered, beside the right one"),
)
