"""What chainrule raises, and how it words it: what happened, where, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from reprlib import Repr
from typing import Any

# How many known names a message lists.
_SHOWN = 20

# Characters of a message, and of a value in it: files and requests may hold values of any length.
MAX_MESSAGE = 1_000
MAX_QUOTED = 80


class ChainruleError(Exception):
    """The base of every error that chainrule raises on purpose; its text is one line of at most 1,000 characters."""

    def __str__(self) -> str:
        return one_line(super().__str__())


class InputError(ChainruleError, ValueError):
    """An argument or a file cannot be used: an array, a name, a setting, a table."""


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


def one_line(text: str) -> str:
    """Return a text with line breaks and the like escaped, and without its middle where it is very long."""
    text = _shortened(text)
    if text.isprintable():
        return text
    signs = (sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)
    return _shortened("".join(signs))


def _shortened(text: str) -> str:
    head, tail = 2 * MAX_MESSAGE // 3, MAX_MESSAGE // 4
    return text if len(text) <= MAX_MESSAGE else f"{text[:head]} … {text[-tail:]}"


def quoted(value: object) -> str:
    """Return a value as a message shows it: as in Python, but never long, however long or deeply nested it is.

    >>> quoted("relu")
    "'relu'"
    >>> len(quoted("relu" * 1000))
    80
    """
    try:
        return _REPR.repr(value)[:MAX_QUOTED]
    except ValueError:  # Python refuses to write it
        return "a whole number of more than 4,300 digits"


_REPR = Repr()
_REPR.maxstring = _REPR.maxother = _REPR.maxlong = MAX_QUOTED
_REPR.maxlevel = 3


def unknown_name(kind: str, name: object, known: Iterable[str]) -> InputError:
    """Return the error for a name that is not on a list, with the nearest name that is.

    >>> str(unknown_name("activation", "rleu", ["relu", "tanh"]))
    "unknown activation 'rleu': did you mean 'relu'? Known: relu, tanh"
    """
    known = sorted(known)
    lower = {one.lower(): one for one in known}
    near = [lower[one] for one in get_close_matches(str(name)[:MAX_QUOTED].lower(), lower, n=1, cutoff=0.5)]
    hint = f"did you mean {near[0]!r}? " if near else ""
    more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
    return InputError(f"unknown {kind} {quoted(name)}: {hint}Known: {', '.join(known[:_SHOWN])}{more}")
