"""How many threads an engine may use, and a BLAS beside it."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from ..errors import InputError
from ..named import whole

if TYPE_CHECKING:
    from threadpoolctl import LibController

VARIABLE = "CHAINRULE_THREADS"
_MOST = 1024


def allowed(wanted: int | None = None) -> int:
    """Return how many threads may be used: as many as are wanted, or else ``CHAINRULE_THREADS``, or else the cores.

    Whoever shares out the cores already is left to it: the default heeds ``OMP_NUM_THREADS``, which joblib sets for
    its workers, and is one in a worker process of multiprocessing and outside the main thread. An engine uses fewer
    where more do not pay; no result depends on the number.

    Raises
    ------
    InputError
        When the number, or that of the variable, is not a whole number from 1 on.
    """
    if wanted is not None:
        return whole("threads", wanted, 1, _MOST)
    if given := os.environ.get(VARIABLE):
        if not given.isdecimal() or not 1 <= int(given) <= _MOST:
            raise InputError(f"{VARIABLE} must be a whole number from 1 to {_MOST}, but is {given!r}")
        return int(given)
    shared = os.environ.get("OMP_NUM_THREADS", "")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if shared.isdecimal() and int(shared):
        return min(int(shared), cores)
    alone = multiprocessing.parent_process() is None and threading.current_thread() is threading.main_thread()
    return cores if alone else 1


@cache
def _blas_libraries() -> list[LibController]:
    import scipy.linalg  # noqa: F401 - so that its BLAS, which is not NumPy's, is there to be found
    from threadpoolctl import ThreadpoolController

    libraries: list[LibController] = ThreadpoolController().select(user_api="blas").lib_controllers
    return libraries


class _OneBlasThread:
    """Gives BLAS one thread, in the whole process, until the last of those within leaves.

    Its other threads wait for work in a loop, on the cores that the engine's own threads need: a fit by L-BFGS, whose
    vectors SciPy adds by BLAS, can then take thirty times as long on a machine that is busy, and three times on one
    that is not.
    """

    def __init__(self) -> None:
        self._lock, self._within, self._before = threading.Lock(), 0, list[int]()

    def __enter__(self) -> None:
        with self._lock:
            if not self._within:
                self._before = [library.get_num_threads() for library in _blas_libraries()]
                _set_blas_threads([1] * len(self._before))
            self._within += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._within -= 1
            if not self._within:
                _set_blas_threads(self._before)

    @contextmanager
    def lifted(self) -> Iterator[None]:
        """Lift the limit for a while, within it: products of matrices gain from several threads."""
        self.__exit__()
        try:
            yield
        finally:
            self.__enter__()


def _set_blas_threads(numbers: Sequence[int]) -> None:
    """Set the number of threads of each BLAS, whichever Python thread set one before.

    OpenBLAS has one number for the whole process. threadpoolctl lets only that Python thread set it which did so first,
    and ignores all others; but of several fits at once, the last to end need not be the first that began.
    """
    from threadpoolctl import OpenBLASController

    for library, number in zip(_blas_libraries(), numbers, strict=True):
        OpenBLASController.clear_controlling_thread(force=True)
        library.set_num_threads(number)
    OpenBLASController.clear_controlling_thread(force=True)


one_blas_thread = _OneBlasThread()
