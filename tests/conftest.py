"""Settings of all tests: JAX in double precision on the CPU, and Hypothesis without a clock."""

from __future__ import annotations

import os

from hypothesis import settings

os.environ["JAX_ENABLE_X64"] = "1"
os.environ["JAX_PLATFORMS"] = "cpu"

settings.register_profile("chainrule", deadline=None, derandomize=True, max_examples=30)
settings.load_profile("chainrule")
