"""What happened in a run, epoch by epoch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# How many epochs the table in a terminal shows at each end.
_SHOWN = 5


class History(dict[str, list[float]]):
    """A dictionary from names to columns of numbers, one for each epoch.

    ``pandas.DataFrame(history)`` and ``polars.DataFrame(history)`` are tables with these columns.

    ``loss`` is the training loss: the mean over the batches of the epoch as they were trained, without penalty (that of
    an estimator has it, as scikit-learn's has).
    ``learning_rate`` is that of the epoch's first step. With validation data there is ``validation_loss``, and
    each metric comes once for the training data and once as ``validation_…``, both after the epoch.

    >>> history = History({"loss": [0.9, 0.4]})
    >>> history["loss"][-1]
    0.4
    """

    def __init__(self, columns: Mapping[str, list[float]] | None = None) -> None:
        super().__init__({name: list(column) for name, column in (columns or {}).items()})

    def extend(self, columns: Mapping[str, Sequence[float]]) -> None:
        """Add the numbers of the epochs that follow, equally many in each column; what a column lacks is NaN."""
        before, count = self.epochs, len(next(iter(columns.values())))
        for name in {**self, **columns}:
            column = self.setdefault(name, [math.nan] * before)
            column.extend(columns.get(name, [math.nan] * count))

    @property
    def epochs(self) -> int:
        """How many epochs have been recorded."""
        return len(self.get("loss", ()))

    def __repr__(self) -> str:
        lines = [" ".join(["epoch", *(f"{name:>16}" for name in self)])]
        for epoch in range(self.epochs):
            if _SHOWN <= epoch < self.epochs - _SHOWN:
                lines += ["  ..."] * (epoch == _SHOWN)
                continue
            lines.append(" ".join([f"{epoch + 1:5}", *(f"{column[epoch]:16.6g}" for column in self.values())]))
        return "\n".join(lines)

    def plot(self, axes: Axes | None = None) -> Axes:
        """Draw the losses over the epochs, on a logarithmic scale where they are all above 0.

        Parameters
        ----------
        axes : matplotlib Axes, optional
            Where to draw; a new figure when left out.
        """
        if axes is None:
            from matplotlib import pyplot

            axes = pyplot.figure(layout="constrained").add_subplot()
        epochs = range(1, self.epochs + 1)
        drawn = [(label, self[name]) for name, label in _CURVES if name in self]
        for label, column in drawn:
            axes.plot(epochs, column, label=label, marker="o" if self.epochs < 2 else None)
        if "validation_loss" in self:
            best = min(range(self.epochs), key=self["validation_loss"].__getitem__)
            axes.axvline(best + 1, color="0.6", linewidth=1, linestyle=":", label=f"lowest in epoch {best + 1}")
        if all(value > 0 for _, column in drawn for value in column):
            axes.set_yscale("log")
        axes.set(xlabel="epoch", ylabel="loss")
        axes.legend()
        return axes


_CURVES = (("loss", "training"), ("validation_loss", "validation"))
