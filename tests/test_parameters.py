"""Parameters: one vector, and views into it."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr


def network() -> cr.Network:
    return cr.Network(3, [cr.Dense(7), cr.Dense(4, "tanh", bias=False), cr.Dense(2, "softmax")], "cross_entropy")


def test_weights_are_views_into_the_vector() -> None:
    params = network().initial()
    params.weights[1][...] = 5.0
    assert (params.vector == 5.0).sum() == params.weights[1].size
    assert [w.shape for w in params.weights] == [(3, 7), (7, 4), (4, 2)]
    assert params.biases[1] is None


def test_pieces_join_to_the_vector_they_would_be_views_into() -> None:
    params = network().initial()
    assert (cr.Parameters(params.weights, params.biases).vector == params.vector).all()


def test_a_vector_of_another_length_is_refused() -> None:
    with pytest.raises(cr.InputError, match=r"has the shape \(3,\), but this network needs \(66,\)"):
        network().parameters(np.zeros(3))


def test_the_text_of_parameters_tells_shapes_and_dtype() -> None:
    assert repr(network().initial()) == "Parameters(66 numbers; weights 3×7, 7×4, 4×2; float64)"
