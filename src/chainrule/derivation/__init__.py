"""Derivations: from a network to the formulae of its gradient, step by step."""

from .steps import Derivation, Step, derive

__all__ = ["Derivation", "Step", "derive"]
