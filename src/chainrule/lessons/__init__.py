"""Lessons: problems on back-propagation, drawn from families by a seed, and graded exactly."""

from . import families as families  # which enters them into the catalogue
from .catalogue import FAMILIES, Family, Parameter, generate
from .grading import Grade, MalformedReply, Reply, check
from .policy import Policy
from .problems import (
    Answer,
    ChooseAll,
    Content,
    FormulaAnswer,
    Mistake,
    NumberAnswer,
    OneChoice,
    Option,
    Problem,
)
from .progress import Attempt, Learner, Mastery, NoAttemptsLeft, Progress
from .prose import Equation, Prose, prose

__all__ = [
    "FAMILIES",
    "Answer",
    "Attempt",
    "ChooseAll",
    "Content",
    "Equation",
    "Family",
    "FormulaAnswer",
    "Grade",
    "Learner",
    "MalformedReply",
    "Mastery",
    "Mistake",
    "NoAttemptsLeft",
    "NumberAnswer",
    "OneChoice",
    "Option",
    "Parameter",
    "Policy",
    "Problem",
    "Progress",
    "Prose",
    "Reply",
    "check",
    "generate",
    "prose",
]
