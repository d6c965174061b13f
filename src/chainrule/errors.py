"""What chainrule raises, and how it words it: what happened, where, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

# How many known names a message lists.
_SHOWN = 20


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
            "Try a smaller learning rate, a gradient clipped to length 1, or inputs of a smaller size"
        )
        self.epoch, self.batch, self.layer, self.quantity = epoch, batch, layer, quantity
        self.run: Any = None

    def __reduce__(self) -> tuple[Any, ...]:
        # An exception is rebuilt from its arguments, so that it can come back from another process.
        return type(self), (self.epoch, self.batch, self.layer, self.quantity), {"run": self.run}


def one_line(value: object, most: int = 60) -> str:
    """Return how a value is shown, cut to one line of so many characters."""
    return " ".join(repr(value).split())[:most]


def unknown_name(kind: str, name: object, known: Iterable[str]) -> InputError:
    """Return the error for a name that is not on a list, with the nearest name that is.

    >>> str(unknown_name("activation", "rleu", ["relu", "tanh"]))
    "unknown activation 'rleu': did you mean 'relu'? Known: relu, tanh"
    """
    known = sorted(known)
    lower = {one.lower(): one for one in known}
    near = [lower[one] for one in get_close_matches(str(name).lower(), lower, n=1, cutoff=0.5)]
    hint = f"did you mean {near[0]!r}? " if near else ""
    more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
    return InputError(f"unknown {kind} {name!r:.80}: {hint}Known: {', '.join(known[:_SHOWN])}{more}")
