"""Points in the plane: the same seed gives the same, and they are where their class says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from chainrule import InputError
from chainrule.datasets.points import POINTS, points


@pytest.mark.parametrize("name", POINTS)
def test_points_lie_in_the_plane_and_the_same_seed_gives_the_same(name: str) -> None:
    made = points(name, 101, noise=0.1, seed=3)
    assert made.x.shape == (101, 2)
    assert made.y.shape == (101,)
    assert np.array_equal(made.x, points(name, 101, noise=0.1, seed=3).x)
    assert not np.array_equal(made.x, points(name, 101, noise=0.1, seed=4).x)
    assert set(np.unique(made.y)) == {0, 1} if made.are_classes else np.abs(made.y).max() <= 1


@pytest.mark.parametrize(
    ("name", "belongs"),
    [
        ("circles", lambda x: np.hypot(*x.T) < 2.5),
        ("xor", lambda x: x[:, 0] * x[:, 1] > 0),
        ("gaussians", lambda x: x.sum(axis=1) > 0),
    ],
)
def test_without_noise_points_are_where_their_class_says(name: str, belongs: Any) -> None:
    made = points(name, 400)
    assert np.mean(belongs(made.x) == made.y) > 0.99


def test_regression_is_a_plane() -> None:
    made = points("regression", 50)
    assert np.allclose(made.y, np.clip(made.x.sum(axis=1) / 10, -1, 1))


def test_two_classes_have_half_of_the_points_each() -> None:
    for name in ("circles", "moons", "spiral", "gaussians"):
        assert points(name, 101).y.sum() == 51


@pytest.mark.parametrize(
    ("name", "wanted", "message"),
    [
        ("cirles", {}, "unknown set of points 'cirles': did you mean 'circles'?"),
        ("moons", {"rows": 1}, "rows must be a whole number"),
        ("moons", {"noise": 2.0}, "noise must be a finite number at least 0 and at most 1"),
    ],
)
def test_what_cannot_be_is_refused(name: str, wanted: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        points(name, **wanted)
