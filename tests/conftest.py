"""Settings of all tests: one thread for BLAS, JAX in double precision on the CPU, and Hypothesis without a clock."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator

import pytest
from hypothesis import settings

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # pytest runs as many processes as there are cores
os.environ["JAX_ENABLE_X64"] = "1"
os.environ["JAX_PLATFORMS"] = "cpu"

settings.register_profile("chainrule", deadline=None, derandomize=True, max_examples=30)
settings.load_profile("chainrule")


@pytest.fixture
def few_epochs() -> Iterator[None]:
    """Let fits of estimators end before they have converged, and say nothing of it."""
    from sklearn.exceptions import ConvergenceWarning  # which takes longer to import than most tests take

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield
