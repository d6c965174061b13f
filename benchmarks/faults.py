"""Alters files and requests at random and reads them: each must give a result or an error of one line.

    python benchmarks/faults.py --mutants 20000 --kind all

The kinds are models, checkpoints, Parquet, Arrow and CSV tables, lesson files, and the requests that a share link of
the lab leads to. A mutant fails that raises another exception, ends the process, or takes more than 10 s or 1 GiB.
Parquet and Arrow files are read without the process of their own that :func:`chainrule.tables.read_table` gives them;
where that ends the worker or takes too long, and for one file in a hundred, `read_table` reads the file, too.

The command prints the seed and how often each outcome occurred, and for every failure its smallest mutant, which is
kept in the folder --keep. It ends with status 1 if there was a failure.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import secrets
import sys
import time
import warnings
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from alterations.examples import examples
from alterations.mutants import mutant
from alterations.outcomes import CONTAINED, REFUSED, RESULT, TABLES, outcome
from systems.machine import described

SECONDS, MEMORY = 10.0, 2**30
KINDS = ("models", "checkpoints", "parquet", "arrow", "csv", "lessons", "links")
CHECKED_AS_A_WHOLE = 100  # of the binary tables, one in this many


# Workers


def work(connection: Connection, kind: str, seed: int) -> None:
    """Read mutants whose numbers come through a connection, and send back what each ended in."""
    from chainrule.tables import isolated

    warnings.simplefilter("ignore")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # where Polars writes of every panic
    files = examples(kind)
    isolated.start_threads()
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"mutant{TABLES.get(kind, '')}"
        for content in files:  # which also loads what is loaded when it is first needed
            path.write_bytes(content)
            found = outcome(kind, path, False, lambda: None)
            if found[0] != RESULT:
                raise RuntimeError(f"an example of {kind} cannot be read: {found}")
        _limit_memory()
        connection.send("ready")
        while True:
            index, as_a_whole = connection.recv()
            path.write_bytes(mutant(kind, seed, index, files))
            connection.send(outcome(kind, path, as_a_whole, lambda: connection.send(("passed", ""))))


def _limit_memory() -> None:
    with suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY,) * 2)


@dataclass
class Worker:
    """A process that reads mutants, begun anew whenever one ends it.

    Attributes
    ----------
    kind : str
    seed : int
    """

    kind: str
    seed: int
    _process: Any = None
    _connection: Any = None

    def try_mutant(self, index: int, as_a_whole: bool) -> tuple[str, str, float]:
        """Return what a mutant ended in, what it says, and the seconds that it took."""
        if self._process is None:
            self._begin()
        begin = time.perf_counter()
        self._connection.send((index, as_a_whole))
        passed = False
        while True:
            left = SECONDS - (time.perf_counter() - begin)
            try:
                if not self._connection.poll(max(left, 0)):
                    found = (f"more than {SECONDS:g} seconds", "")
                    break
                found = self._connection.recv()
            except (EOFError, ConnectionError):
                self._process.join()
                found = (f"the process ended with {self._process.exitcode}", "")
                break
            if found[0] != "passed":
                return *found, time.perf_counter() - begin
            passed = True
        self.end()
        if self.kind in ("parquet", "arrow") and not as_a_whole and not passed:
            found = (CONTAINED, found[0])
        return *found, time.perf_counter() - begin

    def _begin(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=work, args=(theirs, self.kind, self.seed), daemon=False)
        self._process.start()
        theirs.close()
        self._connection.recv()

    def end(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process = None


@dataclass
class Campaign:
    """What all mutants of a kind ended in.

    Attributes
    ----------
    counts : Counter
        By outcome.
    failures : dict
        From each failure to its smallest mutant, its number, and what it says.
    slowest : float
        Seconds.
    """

    counts: Counter[str] = field(default_factory=Counter)
    failures: dict[str, tuple[bytes, int, str]] = field(default_factory=dict)
    slowest: float = 0.0

    def note(self, found: str, said: str, index: int, content: bytes) -> None:
        """Count an outcome, and keep the mutant if it is the smallest of a failure."""
        self.counts[found] += 1
        if found not in (RESULT, REFUSED, CONTAINED):
            before = self.failures.get(found)
            if before is None or len(content) < len(before[0]):
                self.failures[found] = content, index, said


def campaign(kind: str, mutants: int, seed: int) -> Campaign:
    """Read all mutants of a kind."""
    found, worker, files = Campaign(), Worker(kind, seed), examples(kind)
    try:
        for index in range(mutants):
            what, said, seconds = worker.try_mutant(index, as_a_whole=False)
            if kind in ("parquet", "arrow") and (what == CONTAINED or index % CHECKED_AS_A_WHOLE == 0):
                contained = what == CONTAINED
                what, said, seconds = worker.try_mutant(index, as_a_whole=True)
                what = CONTAINED if contained and what == REFUSED else what
            found.slowest = max(found.slowest, seconds)
            found.note(what, said, index, mutant(kind, seed, index, files))
    finally:
        worker.end()
    return found


def main() -> None:
    """Print what the mutants of each kind ended in, and the failures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutants", type=int, default=20_000, help="of each kind")
    parser.add_argument("--kind", choices=("all", *KINDS), default="all")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**31))
    parser.add_argument("--keep", type=Path, default=Path("build/faults"), help="the folder for mutants that fail")
    options = parser.parse_args()
    print(described())
    print(f"seed {options.seed}")
    failed = False
    for kind in KINDS if options.kind == "all" else (options.kind,):
        begin = time.perf_counter()
        found = campaign(kind, options.mutants, options.seed)
        counts = ", ".join(f"{count:,} × {what}" for what, count in found.counts.most_common())
        print(
            f"{kind}: {counts}; slowest {found.slowest:.1f} s; {time.perf_counter() - begin:.0f} s in all", flush=True
        )
        for what, (content, index, said) in found.failures.items():
            failed = True
            options.keep.mkdir(parents=True, exist_ok=True)
            path = options.keep / f"{kind}-{options.seed}-{index}{TABLES.get(kind, '')}"
            path.write_bytes(content)
            print(f"  FAILURE {what}: {said!r}\n    mutant {index}, {len(content):,} bytes, in {path}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
