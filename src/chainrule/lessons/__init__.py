"""Lessons: problems on back-propagation, drawn from families by a seed, and graded exactly."""

from . import families as families  # which enters them into the catalogue
from .catalogue import FAMILIES, Family, Parameter, generate
from .problems import (
    Answer,
    ChooseAll,
    FormulaAnswer,
    Mistake,
    NumberAnswer,
    OneChoice,
    Option,
    Problem,
)
from .prose import Equation, Prose, prose

__all__ = [
    "FAMILIES",
    "Answer",
    "ChooseAll",
    "Equation",
    "Family",
    "FormulaAnswer",
    "Mistake",
    "NumberAnswer",
    "OneChoice",
    "Option",
    "Parameter",
    "Problem",
    "Prose",
    "generate",
    "prose",
]
