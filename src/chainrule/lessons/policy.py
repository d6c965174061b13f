"""What a learner may see, and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from ..errors import unknown_name

Shown: TypeAlias = Literal["after last attempt", "after correct", "never"]
_WHEN: dict[str, str] = {
    "after last attempt": "it is shown once the problem is solved, or no attempt is left",
    "after correct": "it is shown once the problem is solved",
    "never": "this lesson never shows it",
}


@dataclass(frozen=True)
class Policy:
    """What a learner may see.

    Attributes
    ----------
    show_solution : str
        "after last attempt": once the problem is solved, or no attempt is left. "after correct": once it is solved.
        "never".

    Raises
    ------
    InputError
        When show_solution is none of these.
    """

    show_solution: Shown = "after last attempt"

    def __post_init__(self) -> None:
        if self.show_solution not in _WHEN:
            raise unknown_name("time to show solutions", self.show_solution, _WHEN)

    @property
    def when(self) -> str:
        """When a solution is shown, in words that begin with "it" or "this lesson"."""
        return _WHEN[self.show_solution]

    def shows(self, solved: bool, was_last: bool) -> bool:
        """Tell whether a solution is shown: the problem is solved or not, and the last attempt was made or not."""
        if self.show_solution == "never":
            return False
        return solved or (was_last and self.show_solution == "after last attempt")


DEFAULT = Policy()
