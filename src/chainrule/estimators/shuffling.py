"""The order of rows as scikit-learn draws it, so that the same random state gives the same network."""

from __future__ import annotations

from copy import deepcopy

import numpy as np

from ..data import RowNumbers


class Shuffling:
    """The order of the rows in every epoch from `first` on: that of the epoch before, shuffled by a random state.

    Parameters
    ----------
    random : RandomState
        Copied.
    rows : int
    first : int
    """

    def __init__(self, random: np.random.RandomState, rows: int, first: int) -> None:
        self.rows = rows
        self._random, self._order = deepcopy(random), np.arange(rows)
        self._orders: RowNumbers = np.empty((0, rows), np.int64)
        self._remember(first)

    def __call__(self, epoch: int, count: int) -> RowNumbers:
        """Return the order in each of so many epochs, (count, rows): of those asked for last, or that come then."""
        place = epoch - self._begin
        if place + count > len(self._orders):
            self.go_to(epoch)
            self._orders = np.array([self._shuffled() for _ in range(count)])
            place = 0
        return self._orders[place : place + count]

    def go_to(self, epoch: int) -> None:
        """Be where no epoch from this one on has been asked for."""
        if epoch != self._begin + len(self._orders):
            self._random.set_state(self._state_then)
            self._order = self._order_then
            for _ in range(epoch - self._begin):
                self._shuffled()
        self._remember(epoch)

    def _remember(self, epoch: int) -> None:
        self._begin, self._state_then, self._order_then = epoch, self._random.get_state(), self._order
        self._orders = self._orders[:0]

    def _shuffled(self) -> RowNumbers:
        drawn = np.arange(len(self._order))
        self._random.shuffle(drawn)
        self._order = self._order[drawn]
        return self._order
