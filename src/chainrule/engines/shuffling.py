"""The order of rows as scikit-learn draws it, so that the same random state gives the same network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..data import RowNumbers


@dataclass
class Shuffling:
    """Where a run is that takes the order of its rows from a RandomState: each epoch's is the last one's, shuffled.

    Attributes
    ----------
    key : array of uint32, shape (624,)
    position : int
        With `key`, the state of the Mersenne Twister.
    order : array of int, shape (n,)
        That of the last epoch.
    """

    key: np.ndarray[Any, np.dtype[np.uint32]]
    position: int
    order: RowNumbers

    @classmethod
    def of(cls, random: np.random.RandomState, rows: int) -> Shuffling:
        """Return where a run is before its first epoch; the RandomState is left as it is."""
        _, key, position, *_ = random.get_state(legacy=True)
        return cls(np.array(key, dtype=np.uint32), int(position), np.arange(rows))

    def copy(self) -> Shuffling:
        """Return one that does not move with this one."""
        return Shuffling(self.key.copy(), self.position, self.order.copy())

    def give_back(self, random: np.random.RandomState) -> None:
        """Move a RandomState on to where this is."""
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
