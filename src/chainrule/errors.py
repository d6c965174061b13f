"""What chainrule raises, and how it words it: what happened, where, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any


class ChainruleError(Exception):
    """The base of every error that chainrule raises on purpose; its text is one clear line."""


class InputError(ChainruleError, ValueError):
    """Something handed to chainrule cannot be used: an array, a name, a setting, a file."""


class DivergenceError(ChainruleError, ArithmeticError):
    """A training run met NaN or infinity and was stopped.

    Attributes
    ----------
    epoch, batch : int
        Where it began; both count from 1.
    layer : int
        The layer (1 is the first hidden one) in which a number first was not finite.
    quantity : str
        What it was: "weighted input z", "error δ", "gradient" and so on.
    run : Run or None
        The run up to then, with the parameters from before the step that went wrong.
    """

    def __init__(self, epoch: int, batch: int, layer: int, quantity: str) -> None:
        super().__init__(
            f"training diverged in epoch {epoch}, batch {batch}: the {quantity} of layer {layer} is not finite. "
            "The parameters from before that step are kept. Try a smaller learning rate, clip_norm=1, "
            "or standardised inputs"
        )
        self.epoch, self.batch, self.layer, self.quantity = epoch, batch, layer, quantity
        self.run: Any = None


def unknown_name(kind: str, name: object, known: Iterable[str]) -> InputError:
    """Return the error for a name that is not on a list, with the nearest name that is.

    >>> str(unknown_name("activation", "rleu", ["relu", "tanh"]))
    "unknown activation 'rleu': did you mean 'relu'? Known: relu, tanh"
    """
    known = sorted(known)
    near = get_close_matches(str(name).lower(), known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return InputError(f"unknown {kind} {name!r}: {hint}Known: {', '.join(known)}")
