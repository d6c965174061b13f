"""How many threads an engine may use."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import scipy.linalg  # noqa: F401 - with its own BLAS, beside NumPy's
from threadpoolctl import threadpool_info, threadpool_limits

import chainrule as cr
from chainrule.engines.threads import allowed, one_blas_thread

CORES = len(os.sched_getaffinity(0))


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHAINRULE_THREADS", raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)


def test_the_default_is_every_core_that_this_process_may_use() -> None:
    assert allowed() == CORES


def test_what_is_asked_for_comes_before_the_variable_and_that_before_the_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CHAINRULE_THREADS", "7")
    assert allowed() == 7
    assert allowed(3) == 3


def test_who_shares_out_the_cores_is_left_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with ThreadPoolExecutor(1) as threads:
        assert threads.submit(allowed).result() == 1
    with multiprocessing.get_context("spawn").Pool(1) as workers:
        assert workers.apply(allowed) == 1
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # as joblib does for its workers
    assert allowed() == 1


@pytest.mark.parametrize("wrong", ["0", "two", "-1", "1.5"])
def test_a_number_that_is_none_is_refused(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINRULE_THREADS", wrong)
    with pytest.raises(cr.InputError, match="CHAINRULE_THREADS must be a whole number from 1 to 1024"):
        allowed()


def test_none_or_half_a_thread_cannot_be_asked_for() -> None:
    for wrong in (0, 1.5):
        with pytest.raises(cr.InputError, match="threads"):
            cr.train(cr.chain(1), 0.5, 0.8, threads=wrong)  # type: ignore[arg-type]


def blas_threads() -> set[int]:
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


def test_blas_has_one_thread_until_the_last_fit_by_l_bfgs_is_done() -> None:
    """And then as many as before, in whichever order fits in several threads begin and end."""
    with threadpool_limits(2, user_api="blas"):
        one_blas_thread.__enter__()
        with one_blas_thread:
            assert blas_threads() == {1}
            with one_blas_thread.lifted():
                assert blas_threads() == {1}  # for the other fit
        with one_blas_thread.lifted():
            assert blas_threads() == {2}
        assert blas_threads() == {1}
        one_blas_thread.__exit__()
        assert blas_threads() == {2}

        seen: list[set[int]] = []
        settings = {"optimizer": "lbfgs", "callbacks": [lambda run: seen.append(blas_threads())]}
        for engine in ("native", "reference"):
            cr.train(cr.chain(2), [0.5, 1.0], [0.8, 0.1], engine=engine, epochs=1, **settings)  # type: ignore[arg-type]
        assert seen == [{1}, {1}]


@pytest.mark.parametrize("engine", ["native", "reference"])
def test_fits_in_several_threads_leave_blas_as_it_was(engine: str) -> None:
    """The fit that begins first ends first, so that another thread lifts the limit than the one that set it."""
    second_began, first_ended = threading.Event(), threading.Event()

    def fit(callback: Callable[[cr.Run], object]) -> None:
        cr.train(cr.chain(2), 0.5, 0.8, engine=engine, optimizer="lbfgs", epochs=1, callbacks=callback)

    def second(run: cr.Run) -> None:
        second_began.set()
        first_ended.wait()

    with threadpool_limits(2, user_api="blas"):  # by the main thread
        with ThreadPoolExecutor(2) as pool:
            fits = [pool.submit(fit, lambda run: second_began.wait()), pool.submit(fit, second)]
            fits[0].result()
            assert blas_threads() == {1}
            first_ended.set()
            fits[1].result()
            assert blas_threads() == {2}
            cr.train(cr.chain(2), 0.5, 0.8, engine=engine, optimizer="lbfgs", epochs=1)
        assert blas_threads() == {2}


def test_matrix_products_within_a_fit_by_l_bfgs_may_use_all_threads_of_blas() -> None:
    """The reference engine leaves its products to BLAS; the activation is computed between two of them."""
    seen: list[set[int]] = []

    def twice(z: Any) -> Any:
        seen.append(blas_threads())
        return 2 * z

    net = cr.Network(1, [cr.Dense(1, cr.Activation("twice", value=twice, slope=lambda z, f: 2 + 0 * z))])
    with threadpool_limits(2, user_api="blas"):
        cr.train(net, [0.5, 1.0], [0.8, 0.1], optimizer="lbfgs", epochs=1, validation=([0.5], [0.8]))
    assert seen
    assert set.union(*seen) == {2}
