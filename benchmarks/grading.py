"""How long an answer takes to be stored, graded and stored again, in a file of many attempts.

Every family is answered right and with each of its known mistakes. Prints a table of quantiles by kind of problem.

    python benchmarks/grading.py
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from chainrule.formula import text
from chainrule.lessons import FAMILIES, ChooseAll, FormulaAnswer, NumberAnswer, OneChoice, Problem, generate
from chainrule.lessons.grading import Reply, check
from chainrule.lessons.progress import Learner, Progress, identity

STORED = 10_000
SEEDS = 6
PER_LEARNER = 500


def replies(problem: Problem) -> Iterator[Reply]:
    """Yield what can be answered: first what is wrong, at last the key."""
    match problem.answer:
        case OneChoice() as answer:
            yield from (place for place, option in enumerate(answer.options) if not option.right)
            yield answer.key
        case ChooseAll() as answer:
            yield from ([place] for place in range(len(answer.options)) if {place} != answer.key)
            yield answer.key
        case FormulaAnswer() as answer:
            yield from (text(mistake.answer) for mistake in answer.mistakes)
            yield "0"
            yield text(answer.key)
        case NumberAnswer() as answer:
            yield from (repr(mistake.answer) for mistake in answer.mistakes)
            yield repr(answer.key)


def fill(path: Path, count: int) -> None:
    """Store attempts of many learners at many problems, at once."""
    at = datetime.now(UTC).isoformat()
    said = json.dumps({"feedback": ["All indices are one too large."], "understood": "x", "warnings": []})
    rows = [(1 + k // PER_LEARNER, 1 + k % PER_LEARNER, 1, '"x"', at, 1, 0, 0, "index", said) for k in range(count)]
    problems = [(identity(generate("update rule", seed)), "update rule") for seed in range(PER_LEARNER)]
    learners = [(f"learner {k}",) for k in range(1 + count // PER_LEARNER)]
    connection = sqlite3.connect(path)
    with connection:
        connection.executemany("INSERT INTO problems (identity, family) VALUES (?, ?)", problems)
        connection.executemany("INSERT INTO learners (name) VALUES (?)", learners)
        connection.executemany(
            "INSERT INTO attempts (learner, problem, number, reply, at, possible, correct, points, mistake, said) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )
    connection.close()


def measured(learner: Learner, problem: Problem, reply: Reply) -> tuple[float, float]:
    """Return how many milliseconds an attempt takes, and grading alone."""
    begin = time.perf_counter()
    learner.attempt(problem, reply)
    middle = time.perf_counter()
    check(problem, reply)
    return 1e3 * (middle - begin), 1e3 * (time.perf_counter() - middle)


def row(what: str, times: list[tuple[float, float]]) -> str:
    """Return a row of the table."""
    attempts, grades = zip(*times, strict=True)
    cells = [f"{statistics.quantiles(some, n=100)[place]:.2f}" for some in (attempts, grades) for place in (49, 98)]
    return f"| {what} | {len(times):,} | {' | '.join(cells)} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stored", type=int, default=STORED, help="how many attempts are in the file before")
    parser.add_argument("--folder", type=Path, help="where the file is made; its disk counts")
    arguments = parser.parse_args()
    times: dict[str, list[tuple[float, float]]] = defaultdict(list)
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        path = Path(folder) / "progress.sqlite3"
        Progress(path).close()
        fill(path, arguments.stored)
        with Progress(path) as progress:
            for family in FAMILIES:
                for seed in range(SEEDS):
                    problem = generate(family, PER_LEARNER + seed)
                    for place, reply in enumerate(replies(problem)):
                        learner = progress.learner(f"learner {place}")
                        times[problem.kind].append(measured(learner, problem, reply))
    print(f"milliseconds, with {arguments.stored:,} attempts stored before\n")
    print("| kind | attempts | attempt, p50 | attempt, p99 | graded alone, p50 | graded alone, p99 |")
    print("|---|---|---|---|---|---|")
    for kind, some in times.items():
        print(row(kind, some))
    print(row("all", [one for some in times.values() for one in some]))


if __name__ == "__main__":
    main()
