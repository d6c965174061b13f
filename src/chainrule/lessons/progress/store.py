"""The file that the progress of all learners is kept in."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path
from types import TracebackType

from platformdirs import user_data_path

from ...errors import InputError
from .database import Database
from .learner import Learner

MAX_NAME = 80


def default_path() -> Path:
    """Return where progress is kept: in the folder CHAINRULE_DATA, else in the user's data directory."""
    folder = os.environ.get("CHAINRULE_DATA")
    return (Path(folder) if folder else user_data_path("chainrule")) / "progress.sqlite3"


class Progress:
    """A file of progress; as a context manager, it is closed at the end.

    Threads may share one: they take turns at its connection. A process that was forked opens its own.

    Parameters
    ----------
    path : Path, optional
        The SQLite file, which is made if it is not there. Without it, :func:`default_path`.

    Raises
    ------
    InputError
        When the file cannot be opened or made, holds something else, or is of a newer version.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._database = Database(default_path() if path is None else Path(path))

    @property
    def path(self) -> Path:
        """Where the file is."""
        return self._database.path

    def learner(self, name: str) -> Learner:
        """Return the learner with this name, who is added if new.

        Parameters
        ----------
        name : str
            Of 1 to 80 characters, without those around it that are blank.

        Raises
        ------
        InputError
            When the name is not valid.
        """
        name = _checked_name(name)
        with self._database.reading() as connection:
            row = connection.execute("SELECT id FROM learners WHERE name = ?", (name,)).fetchone()
            if row is None:
                with self._database.transaction():
                    connection.execute("INSERT OR IGNORE INTO learners (name) VALUES (?)", (name,))
                    row = connection.execute("SELECT id FROM learners WHERE name = ?", (name,)).fetchone()
        return Learner(self._database, name, row[0])

    def learners(self) -> list[str]:
        """Return the names of all learners, in their order."""
        with self._database.reading() as connection:
            return [name for (name,) in connection.execute("SELECT name FROM learners ORDER BY name")]

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _checked_name(name: object) -> str:
    if not isinstance(name, str):
        raise InputError(f"a learner's name is a text, not {name!r:.60}")
    checked = unicodedata.normalize("NFC", name.strip())
    if not 1 <= len(checked) <= MAX_NAME:
        raise InputError(f"a learner's name has 1 to {MAX_NAME} characters, but this has {len(checked):,}")
    for place, character in enumerate(checked, start=1):
        if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp"):
            raise InputError(
                f"a learner's name has no control characters, but character {place} is U+{ord(character):04X}"
            )
    return checked
