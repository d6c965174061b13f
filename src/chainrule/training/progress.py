"""A progress bar on standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from .history import History

Report: TypeAlias = Callable[[int, History], None]
"""Called after an epoch, or some, with how many are done, and the history of the run that they belong to."""


@contextmanager
def progress_bar(epochs: int, done: int, show: bool | None) -> Iterator[Report]:
    """Give a function that moves the bar; it does nothing when nothing is to be shown.

    Parameters
    ----------
    epochs, done : int
        How many epochs the run has, and how many a resumed one has behind it.
    show : bool or None
        None shows the bar when standard error is a terminal.
    """
    if not (sys.stderr.isatty() if show is None else show):
        yield lambda done, history: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    with Progress(
        TextColumn("epoch"),
        MofNCompleteColumn(),
        BarColumn(bar_width=None),
        TextColumn("{task.description}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        task = bar.add_task("", total=epochs, completed=done)

        def report(completed: int, history: History) -> None:
            text = f"loss {history['loss'][-1]:.4g}"
            if "validation_loss" in history:
                text += f", validation {history['validation_loss'][-1]:.4g}"
            bar.update(task, completed=completed, description=text)

        yield report
