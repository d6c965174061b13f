"""Keyed randomness: a draw is a function of its key, and the bits are those of the paper."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr
from chainrule.randomness import Purpose, bits, dropout_mask, permutation


def test_a_draw_depends_on_its_key_alone() -> None:
    first = dropout_mask((50, 40), 0.3, seed=1, epoch=3, batch=7, layer=2)
    dropout_mask((50, 40), 0.3, seed=1, epoch=3, batch=6, layer=2)
    assert (first == dropout_mask((50, 40), 0.3, seed=1, epoch=3, batch=7, layer=2)).all()
    assert (first != dropout_mask((50, 40), 0.3, seed=1, epoch=3, batch=8, layer=2)).any()
    assert first.mean() == pytest.approx(0.7, abs=0.04)
    assert sorted(permutation(100, 5, Purpose.SHUFFLE, epoch=2).tolist()) == list(range(100))


def test_the_bits_are_those_of_philox() -> None:
    """Philox4x64-10 of Salmon et al. (2011), in plain integers."""
    mask, seed = 2**64 - 1, 12345
    key = [seed, int(Purpose.SHUFFLE)]
    counter = [1, 4, 7, 9]  # NumPy advances the counter by one before the first block
    for _ in range(10):
        a, b = 0xD2E7470EE14C6C93 * counter[0], 0xCA5A826395121157 * counter[2]
        counter = [(b >> 64) ^ counter[1] ^ key[0], b & mask, (a >> 64) ^ counter[3] ^ key[1], a & mask]
        key = [(key[0] + 0x9E3779B97F4A7C15) & mask, (key[1] + 0xBB67AE8584CAA73B) & mask]
    drawn = bits(seed, Purpose.SHUFFLE, layer=4, batch=7, epoch=9).random_raw(4)
    assert drawn.tolist() == counter


def test_the_first_bits_stay_what_they_are() -> None:
    """Files depend on them: a checkpoint would not resume to the same bits under another generator."""
    assert permutation(8, 0, Purpose.SHUFFLE, epoch=1).tolist() == [2, 7, 5, 4, 0, 1, 3, 6]


def test_rows_are_sorted_by_their_draws() -> None:
    draws = bits(3, Purpose.SHUFFLE, epoch=2).random_raw(50)
    assert (np.diff(draws[permutation(50, 3, Purpose.SHUFFLE, epoch=2)].astype(object)) >= 0).all()


@pytest.mark.parametrize("seed", [-1, 2**63, 0.5, "1", True, None])
def test_a_seed_is_a_whole_number(seed: object) -> None:
    with pytest.raises(cr.InputError, match="seed must be a whole number of at least 0"):
        bits(seed, Purpose.INITIAL)  # type: ignore[arg-type]
