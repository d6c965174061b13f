"""Marks of tests that are repeated for many combinations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def slow_except(quick: Iterable[Any], cases: Iterable[Any]) -> list[Any]:
    """Mark all cases as slow but the quick ones; a case may be a tuple of the values of several parameters."""
    kept = [*quick]
    return [
        one if one in kept else pytest.param(*(one if isinstance(one, tuple) else (one,)), marks=pytest.mark.slow)
        for one in cases
    ]


def with_most_slow(pairs: list[tuple[str, str]]) -> list[Any]:
    """Mark the pairs as slow of which both members have been in a pair before.

    The tests that are left see each member once, and CI sees all pairs.
    """
    seen: set[str] = set()
    marked: list[Any] = []
    for pair in pairs:
        marked.append(pytest.param(*pair, marks=pytest.mark.slow) if seen.issuperset(pair) else pair)
        seen |= set(pair)
    return marked
