"""A trace holds every number of one pass, and shows it as a table."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import chainrule as cr

NET = cr.chain(2)
TRACE = cr.backprop(NET, NET.pack([0.5, -1.0]), x=0.5, y=0.8)


def test_lists_count_as_in_the_formulae() -> None:
    assert TRACE.z[0] is None
    assert TRACE.delta[0] is None
    assert float(TRACE.f[0][0, 0]) == 0.5
    assert float(TRACE.z[1][0, 0]) == 0.25
    assert float(TRACE.f[2][0, 0]) == np.tanh(-np.tanh(0.25))
    assert TRACE.loss == float(TRACE.row_losses[0]) == (0.8 - np.tanh(-np.tanh(0.25))) ** 2


def test_the_table_has_a_line_for_x_for_each_layer_and_for_the_loss() -> None:
    lines = repr(TRACE).splitlines()
    assert [line.split()[0] for line in lines] == ["layer", "0", "1", "2", "ℒ"]
    assert "0.244919" in lines[2]  # f₁ = tanh 0.25
    html = TRACE._repr_html_()
    assert html.count("<tr>") == 5
    assert "<td>tanh</td>" in html


def test_a_large_array_is_shown_by_its_shape_and_size() -> None:
    net = cr.Network(3, [cr.Dense(8, "relu"), cr.Dense(1)])
    assert "5×8, rms" in repr(cr.backprop(net, net.initial(), np.ones((5, 3)), np.ones(5)))


def test_the_gradient_is_of_the_weighted_mean_over_the_rows() -> None:
    x, y, params = [0.5, -0.2], [0.8, 0.1], NET.pack([0.5, -1.0])
    first, second = (cr.backprop(NET, params, a, b).gradient.vector for a, b in zip(x, y, strict=True))
    both = cr.backprop(NET, params, x, y, sample_weight=[3.0, 1.0])
    np.testing.assert_allclose(both.gradient.vector, (3.0 * first + second) / 4.0, rtol=1e-14)


def test_a_network_that_overflows_is_shown_and_not_refused() -> None:
    net = cr.chain(2, "exponential")
    assert "inf" in repr(cr.backprop(net, net.pack([1e3, 1.0]), x=1.0, y=0.0))


def test_arrays_that_do_not_fit_are_refused() -> None:
    with pytest.raises(cr.InputError, match="y has 2 rows, but x has 1"):
        cr.backprop(NET, NET.initial(), 0.5, [0.1, 0.2])


def test_dropout_and_penalty_are_those_of_a_run_s_first_step() -> None:
    net = cr.Network(2, [cr.Dense(8, "tanh", dropout=0.5), cr.Dense(1)])
    x, y, params = [[0.3, -0.5], [1.0, 2.0]], [0.7, -0.1], net.initial(seed=5)
    trace = cr.backprop(net, params, x, y, l1=0.1, l2=0.2, dropout=5)
    run = cr.train(net, x, y, optimizer=cr.SGD(1.0), epochs=1, batch_size=2, shuffle=False, seed=5, l1=0.1, l2=0.2)
    np.testing.assert_allclose(params.vector - trace.gradient.vector, run.parameters.vector, atol=1e-14)
    weights = np.concatenate([one.ravel() for one in params.weights])
    penalty = 0.1 * np.abs(weights).sum() + 0.1 * (weights**2).sum()
    assert trace.loss == pytest.approx(trace.row_losses.mean() + penalty, rel=1e-14)


def test_the_output_states_what_is_left_out() -> None:
    net = cr.Network(2, [cr.Dense(8, "tanh", dropout=0.5), cr.Dense(1)])
    without = cr.backprop(net, net.initial(), [[0.3, -0.5]], [0.7])
    assert "without dropout (layer 1); pass dropout=seed to include it" in repr(without)
    assert "without penalty; pass l1= or l2= to include it" in without._repr_html_()
    assert "with dropout (layer 1)" in repr(cr.backprop(net, net.initial(), [[0.3, -0.5]], [0.7], dropout=0))
    assert "dropout" not in repr(TRACE)


def test_a_loss_without_penalty_is_said_to_be_so_without_dropout_too() -> None:
    net = cr.chain(2)
    assert "(without penalty)" in repr(TRACE)
    assert repr(cr.backprop(net, net.initial(), 0.5, 0.8, l2=0.1)).endswith("with penalty (l2=0.1)")
    assert repr(cr.verify(net, net.initial(), 0.5, 0.8)).endswith("without penalty; pass l1= or l2= to include it")


@pytest.mark.parametrize("check", [cr.backprop, cr.verify])
def test_dropout_is_a_seed_and_not_a_rate(check: Any) -> None:
    with pytest.raises(cr.InputError, match=r"dropout, the seed of the dropout masks, must .* is 0.5"):
        check(NET, NET.initial(), 0.5, 0.8, dropout=0.5)


def test_columns_of_a_frame_are_found_by_the_names_that_parameters_were_trained_with() -> None:
    net = cr.Network(2, [cr.Dense(3, "tanh"), cr.Dense(1)])
    frame, y = pd.DataFrame({"a": [0.1, 0.5, -0.3], "b": [10.0, 20.0, 30.0]}), [1.0, 2.0, 3.0]
    run = cr.train(net, frame, y, epochs=2)
    other = frame.assign(c=1.0)[["c", "b", "a"]]
    for params in (run.parameters, run.model.parameters):
        expected = cr.backprop(net, params, frame.to_numpy(), y)
        assert cr.backprop(net, params, other, y).loss == expected.loss
        assert cr.verify(net, params, other, y).error == cr.verify(net, params, frame, y).error
        derived = [cr.derive(net, params, one[:1], y[:1]).steps[-1].result for one in (frame, other)]
        np.testing.assert_array_equal(*derived)
        with pytest.raises(cr.InputError, match="x has no column 'b', which was trained on"):
            cr.backprop(net, params, frame[["a"]], y)
