"""Lesson files: readable YAML; what is wrong with one is named with its line and column."""

from .fields import MAX_ATTEMPTS, MAX_POINTS, MAX_TITLE
from .reader import MAX_SIZE, LessonError, from_text, read
from .template import template

__all__ = ["MAX_ATTEMPTS", "MAX_POINTS", "MAX_SIZE", "MAX_TITLE", "LessonError", "from_text", "read", "template"]
