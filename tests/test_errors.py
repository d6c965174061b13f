"""Errors: what is caught by what, and how a near miss is worded."""

from __future__ import annotations

import pickle

import pytest

import chainrule as cr
from chainrule.errors import quoted, unknown_name


def test_one_except_clause_catches_everything_that_chainrule_raises() -> None:
    assert issubclass(cr.InputError, (cr.ChainruleError, ValueError))
    assert issubclass(cr.DivergenceError, (cr.ChainruleError, ArithmeticError))


def test_a_message_is_one_line_of_bounded_length() -> None:
    assert str(cr.InputError("a\nb\ud800")) == r"a\nb\ud800"
    long = str(cr.InputError("begin " + "\n" * 100_000 + " end"))
    assert long.startswith("begin ")
    assert long.endswith(" end")
    assert len(long) < 1_000


def test_a_value_in_a_message_is_short() -> None:
    assert quoted("relu") == "'relu'"
    assert quoted([1, "a"]) == "[1, 'a']"
    assert len(quoted("x" * 10**6)) <= 80
    assert quoted(10**5000) == "a whole number of more than 4,300 digits"


def test_divergence_tells_where_and_what_to_try() -> None:
    error = cr.DivergenceError(epoch=3, batch=7, layer=2, quantity="error δ")
    assert str(error).startswith("training diverged in epoch 3, batch 7: the error δ of layer 2 is not finite.")
    assert "smaller learning rate" in str(error)
    assert (error.epoch, error.batch, error.layer, error.quantity) == (3, 7, 2, "error δ")


def test_divergence_comes_back_from_another_process_with_its_run() -> None:
    with pytest.raises(cr.DivergenceError) as caught:
        cr.train(cr.chain(1, "identity"), 1e200, 1e120, epochs=1)
    again = pickle.loads(pickle.dumps(caught.value.with_traceback(None)))  # noqa: S301 - our own
    assert (str(again), again.layer) == (str(caught.value), 1)


def test_capitals_do_not_hide_the_nearest_name() -> None:
    assert "did you mean 'TARGET'" in str(unknown_name("column", "target", ["TARGET", "x"]))


@pytest.mark.parametrize(("given", "hint"), [("Relu", "did you mean 'relu'? "), ("zzz", "")])
def test_the_nearest_name_is_suggested_when_one_is_near(given: str, hint: str) -> None:
    assert str(unknown_name("activation", given, ["relu", "tanh"])) == (
        f"unknown activation {given!r}: {hint}Known: relu, tanh"
    )
