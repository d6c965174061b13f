"""Lesson files: readable YAML; what is wrong with one is named with its line and column."""

from .reader import MAX_SIZE, LessonError, from_text, read
from .template import template
from .values import MAX_ATTEMPTS, MAX_POINTS, MAX_TITLE

__all__ = ["MAX_ATTEMPTS", "MAX_POINTS", "MAX_SIZE", "MAX_TITLE", "LessonError", "from_text", "read", "template"]
