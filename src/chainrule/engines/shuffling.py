"""The order of rows as a RandomState draws it, so that the same random state gives the same network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..data import RowNumbers


@dataclass
class LegacyShuffle:
    """The order of rows by a RandomState: each epoch shuffles the order of the epoch before.

    Attributes
    ----------
    key : array of uint32, shape (624,)
    position : int
        With `key`, the state of the Mersenne Twister.
    order : array of int, shape (n,)
        The order of the last epoch.
    """

    key: np.ndarray[Any, np.dtype[np.uint32]]
    position: int
    order: RowNumbers

    @classmethod
    def of(cls, random: np.random.RandomState, rows: int) -> LegacyShuffle:
        """Return the order before the first epoch; the RandomState does not change."""
        _, key, position, *_ = random.get_state(legacy=True)
        return cls(np.array(key, dtype=np.uint32), int(position), np.arange(rows))

    def copy(self) -> LegacyShuffle:
        """Return an independent copy."""
        return LegacyShuffle(self.key.copy(), self.position, self.order.copy())

    def give_back(self, random: np.random.RandomState) -> None:
        """Set a RandomState to the state after the last epoch."""
        state = random.get_state(legacy=False)
        random.set_state(state | {"state": {"key": self.key, "pos": self.position}})

    def next(self) -> RowNumbers:
        """Move to the next epoch and return its order."""
        random = np.random.RandomState()
        random.set_state(("MT19937", self.key, self.position, 0, 0.0))
        drawn = np.arange(len(self.order))
        random.shuffle(drawn)
        _, self.key, self.position, *_ = random.get_state(legacy=True)  # type: ignore[assignment]
        self.order = self.order[drawn]
        return self.order
