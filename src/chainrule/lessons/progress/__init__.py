"""The progress of learners: their attempts, what they have mastered, and their bookmarks, in one SQLite file."""

from .attempts import Attempt, NoAttemptsLeft
from .identity import identity
from .learner import Learner
from .mastery import Mastery
from .store import Progress, default_path

__all__ = ["Attempt", "Learner", "Mastery", "NoAttemptsLeft", "Progress", "default_path", "identity"]
