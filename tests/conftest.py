"""Settings of all tests: one thread for BLAS, JAX in double precision on the CPU, and Hypothesis without a clock.

With ``CHAINRULE_REQUIRE_ALL=1``, as in CI, a skipped test fails, so that nothing stays untested because a program is
missing. Exempt are tests that need a file or an environment which a variable ``CHAINRULE_…`` names; the reason for
skipping them begins with that variable.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Generator, Iterator
from typing import TypeVar

import pytest
from hypothesis import settings

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # pytest runs as many processes as there are cores
os.environ["JAX_ENABLE_X64"] = "1"
os.environ["JAX_PLATFORMS"] = "cpu"

settings.register_profile("chainrule", deadline=None, derandomize=True, max_examples=30)
settings.load_profile("chainrule")

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


def _required(report: Report) -> Report:
    """Turn a skip that is not allowed into a failure."""
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CHAINRULE_REQUIRE_ALL") == "1":
        reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
        if not reason.removeprefix("Skipped: ").startswith("CHAINRULE_"):
            report.outcome, report.longrepr = "failed", f"CHAINRULE_REQUIRE_ALL forbids the skip: {reason}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let a skipped test fail where everything is required, unless it is marked as one that may be skipped."""
    report = yield
    return report if item.get_closest_marker("may_skip") else _required(report)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Let a skipped module fail where everything is required."""
    return _required((yield))


@pytest.fixture
def few_epochs() -> Iterator[None]:
    """Let fits of estimators end before they have converged, and say nothing of it."""
    from sklearn.exceptions import ConvergenceWarning  # which takes longer to import than most tests take

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield
