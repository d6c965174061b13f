"""A policy says when a solution is shown."""

from __future__ import annotations

import pytest

import chainrule as cr
from chainrule.lessons.policy import Policy


def test_a_policy_that_is_none_is_refused() -> None:
    with pytest.raises(cr.InputError, match="unknown time to show solutions 'nevr': did you mean 'never'"):
        Policy("nevr")  # type: ignore[arg-type]
