"""Keyed random numbers: every draw is a function of (seed, purpose, epoch, batch, layer), and of nothing else.

The generator is Philox4x64-10 (Salmon et al. 2011). Its key is (seed, purpose) and its 256-bit counter starts
at (0, layer, batch, epoch), the lowest word first. So no draw depends on how many were made before, any engine
can reproduce any batch, and a resumed run continues with the bits it would have had.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from .named import whole


class Purpose(IntEnum):
    """What random numbers are drawn for. The numbers are part of the file format: never reuse one."""

    INITIAL = 1
    SHUFFLE = 2
    DROPOUT = 3
    HELD_OUT = 4
    VALIDATION = 5
    POINTS = 6


def bits(seed: int, purpose: Purpose, *, epoch: int = 0, batch: int = 0, layer: int = 0) -> np.random.Philox:
    """Return the bit generator of one key.

    Raises
    ------
    InputError
        When the seed is not a whole number from 0 to 2⁶³ − 1.
    """
    return np.random.Philox(
        key=np.array([whole("seed", seed), purpose], dtype=np.uint64),
        counter=np.array([0, layer, batch, epoch], dtype=np.uint64),
    )


def permutation(rows: int, seed: int, purpose: Purpose, *, epoch: int = 0) -> NDArray[np.int64]:
    """Return the numbers 0 … rows − 1 in random order, shape (rows,).

    Row r draws the r-th 64-bit number of the key, and rows are sorted by their numbers (ties keep their order).
    """
    draws = bits(seed, purpose, epoch=epoch).random_raw(rows)
    return np.argsort(draws, kind="stable").astype(np.int64, copy=False)


def dropout_mask(
    shape: tuple[int, int], rate: float, seed: int, *, epoch: int, batch: int, layer: int
) -> NDArray[np.bool_]:
    """Return which units stay, shape (n, d); each is dropped with probability `rate`.

    Each 64-bit number of the key gives two 32-bit ones, its lower half first; a unit stays where its number is
    at least rate · 2³².
    """
    count = shape[0] * shape[1]
    draws = bits(seed, Purpose.DROPOUT, epoch=epoch, batch=batch, layer=layer).random_raw((count + 1) // 2)
    halves = np.stack([draws & np.uint64(0xFFFFFFFF), draws >> np.uint64(32)], axis=1).reshape(-1)[:count]
    return (halves >= np.uint64(round(rate * 2**32))).reshape(shape)
