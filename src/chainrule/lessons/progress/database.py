"""The file that progress is kept in: one SQLite database, used by threads and processes at the same time."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...errors import InputError

APPLICATION = 0x63727072  # by which SQLite files of ours are known
WAIT = 10.0  # seconds, for another process to end its transaction

_STEPS = (
    (
        "CREATE TABLE learners (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
        "CREATE TABLE problems (id INTEGER PRIMARY KEY, identity TEXT NOT NULL UNIQUE, family TEXT NOT NULL)",
        # An id is never used again: of an attempt that was refused, the process that made it may not know yet.
        "CREATE TABLE attempts (id INTEGER PRIMARY KEY AUTOINCREMENT, "
        "learner INTEGER NOT NULL REFERENCES learners (id), problem INTEGER NOT NULL REFERENCES problems (id), "
        "number INTEGER NOT NULL, reply TEXT NOT NULL, "
        "at TEXT NOT NULL, possible INTEGER NOT NULL, correct INTEGER, points INTEGER, mistake TEXT, said TEXT, "
        "UNIQUE (learner, problem, number))",
        "CREATE TABLE cards (learner INTEGER NOT NULL REFERENCES learners (id), family TEXT NOT NULL, "
        "card TEXT NOT NULL, PRIMARY KEY (learner, family))",
        "CREATE TABLE bookmarks (id INTEGER PRIMARY KEY, learner INTEGER NOT NULL REFERENCES learners (id), "
        "problem INTEGER NOT NULL REFERENCES problems (id), points INTEGER NOT NULL, attempts INTEGER, "
        "UNIQUE (learner, problem))",
        f"PRAGMA application_id = {APPLICATION}",
        "PRAGMA user_version = 1",
    ),
    (
        "ALTER TABLE bookmarks ADD COLUMN show_solution TEXT NOT NULL DEFAULT 'after last attempt'",
        "PRAGMA user_version = 2",
    ),
)
"""What makes each version of a file from the one before, the first from an empty file."""
VERSION = len(_STEPS)


class Database:
    """A file of progress, open.

    Parameters
    ----------
    path : Path
        The SQLite file, which is made if it is not there, with its folder.

    Raises
    ------
    InputError
        When the file cannot be opened or made, holds something else, or is of a newer version; from the methods too,
        when it cannot be used any more.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"cannot make the folder {self.path.parent}: {error.strerror or error}. "
                "Name another one in the environment variable CHAINRULE_DATA"
            ) from error
        with self._explained():
            self._connection = sqlite3.connect(self.path, timeout=WAIT, isolation_level=None, check_same_thread=False)
            try:
                self._prepare()
            except BaseException:
                self._connection.close()
                raise

    def _prepare(self) -> None:
        version = self._version()
        _use_wal(self._connection)
        self._connection.execute("PRAGMA foreign_keys = ON")
        if version < VERSION:
            with self.transaction() as connection:
                for step in _STEPS[self._version() :]:  # looked at again, now that no other process can write
                    for statement in step:
                        connection.execute(statement)

    def _version(self) -> int:
        """Return the version of the file, 0 of an empty one; refuse one of another kind before anything is changed."""
        application, version = (
            self._connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
        )
        if application == 0 and not self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            return 0
        if application != APPLICATION:
            raise InputError(f"{self.path} is a database, but not of progress: move it away, or name another file")
        if version > VERSION:
            raise InputError(
                f"{self.path} was written by a newer chainrule: it is of version {version}, and {VERSION} is the last "
                "that is known here. Update chainrule"
            )
        return int(version)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn an error of SQLite's into one line that names the file."""
        try:
            yield
        except sqlite3.OperationalError as error:
            if _is_busy(error):
                raise InputError(
                    f"cannot use {self.path}: another process has been writing to it for {WAIT:.0f} seconds. Try again "
                    "when that has ended"
                ) from error
            raise InputError(
                f"cannot use {self.path}: {error}. See that it can be written and the disk has room, or name another "
                "folder in the environment variable CHAINRULE_DATA"
            ) from error
        except sqlite3.DatabaseError as error:
            if type(error) is not sqlite3.DatabaseError:
                raise
            raise InputError(
                f"{self.path} is damaged, or no file of progress: {error}. Move it away, and a new one is made"
            ) from error

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give the connection to one thread."""
        with self._lock, self._explained():
            yield self._connection

    @contextmanager
    def transaction(self, derived: bool = False) -> Iterator[sqlite3.Connection]:
        """Give the connection to one thread of one process; at the end all is in the file, after an error nothing.

        It is on the disk then, too; unless it is `derived` and can be made again: only a power cut may take that back.
        """
        with self.reading() as connection:
            connection.execute(f"PRAGMA synchronous = {'NORMAL' if derived else 'FULL'}")
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()


def _use_wal(connection: sqlite3.Connection) -> None:
    """Let readers and a writer work side by side; where two processes change to it at once, SQLite does not wait."""
    end = time.monotonic() + WAIT
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if not _is_busy(error) or time.monotonic() > end:
                raise
            time.sleep(0.01)
        else:
            return


def _is_busy(error: sqlite3.OperationalError) -> bool:
    """Tell whether another connection is in the way. An error that is not SQLite's own has no code."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
