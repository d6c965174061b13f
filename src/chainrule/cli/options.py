"""Options of several commands: lists of numbers, output files, and combinations that are refused."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import InputError

# File systems take 255 bytes, of which a temporary file needs some.
MAX_FILE_NAME = 240


def refuse(options: Mapping[str, Any], context: str) -> None:
    """Refuse options that have no meaning where the network is described in another way."""
    for option, value in options.items():
        if value:
            raise InputError(f"{option} does not go with {context}")


def hidden_widths(text: str) -> list[int]:
    """Return the widths that --hidden lists; "0" means no hidden layer."""
    return [] if text.strip() == "0" else layer_widths("--hidden", text, hint=", or 0 for no hidden layer")


def layer_widths(option: str, text: str, at_least: int = 1, hint: str = "") -> list[int]:
    """Return the widths that an option lists; fewer than `at_least` are an error."""
    from ..network import MAX_UNITS

    try:
        widths = [int(part) for part in text.split(",")]
    except ValueError:
        widths = []
    if len(widths) < at_least or not all(1 <= width <= MAX_UNITS for width in widths):
        expected = f"whole numbers as in 100,50, each from 1 to {MAX_UNITS}{hint}"
        raise InputError(f"{option} takes {expected}, but is {text!r}")
    return widths


def number_list(option: str, text: str) -> list[float]:
    """Return the numbers that an option lists."""
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise InputError(f"{option} takes numbers as in 0.5,1, but is {text!r}") from None


def check_can_be_written(path: Path) -> None:
    """Refuse a file that could not be written at the end, before there is anything to lose."""
    from ..files import check_is_file_or_free

    check_is_file_or_free(path)
    if len(os.fsencode(path.name)) > MAX_FILE_NAME:
        raise InputError(f"cannot write {path.name[:50]}…: the name is too long; choose one with --output")
    if not path.parent.is_dir():
        raise InputError(f"cannot write {path}: there is no folder {path.parent}")
