"""What the page may offer to choose from: the names that the library knows, and the limits of what is shown."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable
from typing import Any

from ..activations import ACTIVATIONS, JointActivation
from ..losses import LOSSES, Loss
from ..optimizers import OPTIMIZERS
from . import scene
from .endpoints import Endpoint, Lab, Nothing


def catalogue(_: Lab, __: Nothing) -> dict[str, Any]:
    """Return all names that a scene or a run may have, and the limits of a scene."""
    return {
        "activations": [
            {"name": name, "about": _about(make), "output_only": isinstance(make(), JointActivation)}
            for name, make in ACTIVATIONS.items()
        ],
        "losses": [_loss(name) for name in LOSSES],
        "optimizers": list(OPTIMIZERS),
        "limits": {
            "layers": scene.MAX_LAYERS,
            "units": scene.MAX_UNITS,
            "inputs": scene.MAX_INPUTS,
            "size": scene.MAX_SIZE,
            "seed": scene.MAX_SEED,
        },
    }


def _loss(name: str) -> dict[str, Any]:
    loss: Loss = LOSSES.find(name)
    return {
        "name": name,
        "words": name.replace("_", " "),
        "about": _about(LOSSES[name]),
        "output_activations": [one for one in ACTIVATIONS if loss.accepts(one)],
        "targets": [None if math.isinf(bound) else bound for bound in loss.targets],
    }


def _about(make: Callable[..., Any]) -> str:
    """Return the formula of a definition: its documentation begins with it, and may go on to how it is computed."""
    formula = (inspect.getdoc(make) or "").partition("\n")[0].partition(", from z_L")[0]
    return re.sub(r"e\^\{(.*?)\}", r"exp(\1)", formula.replace("_k", "ₖ").replace("_j", "ⱼ"))


ENDPOINTS = (Endpoint("/api/catalogue", Nothing, catalogue, "What there is to choose from, and the limits of a scene"),)
