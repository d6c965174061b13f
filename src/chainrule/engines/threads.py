"""How many threads an engine may use."""

from __future__ import annotations

import multiprocessing
import os
import threading

from ..errors import InputError
from ..named import whole

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
