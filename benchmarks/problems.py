"""Draws many problems and proves of each what every problem promises; says how long drawing and grading take.

    python benchmarks/problems.py --problems 20000

A promise that is broken is printed, with the family, the seed and the parameters that make the problem again, and the
command ends with status 1.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat

from systems.machine import described

from chainrule.lessons import FAMILIES, generate
from chainrule.lessons.proof import flaws


def proven(family: str, seeds: range) -> tuple[str, int, float, float, list[str]]:
    """Return the family, how many problems of it differ, the seconds to draw and to prove them, and what is wrong."""
    found, different = [], set()
    drawing = proving = 0.0
    for seed in seeds:
        begin = time.perf_counter()
        problem = generate(family, seed)
        drawn = time.perf_counter()
        found += [f"{family}, seed {seed}, {dict(problem.parameters)}: {flaw}" for flaw in flaws(problem)]
        drawing += drawn - begin
        proving += time.perf_counter() - drawn
        different.add(repr((problem.prompt, problem.answer)))
    return family, len(different), drawing, proving, found


def results(problems: int, processes: int) -> Iterator[tuple[str, int, float, float, list[str]]]:
    """Yield the families' results, as processes side by side come to them."""
    seeds = range(-(-problems // len(FAMILIES)))
    with ProcessPoolExecutor(processes) as pool:
        yield from pool.map(proven, FAMILIES, repeat(seeds))


def main() -> None:
    """Print a line for each family, and what is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", type=int, default=20_000)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    each = -(-options.problems // len(FAMILIES))
    print(described())
    print(f"{'family':20}{'problems':>10}{'different':>11}{'to draw':>12}{'to prove':>12}{'broken':>8}")
    wrong: Counter[str] = Counter()
    for family, different, drawing, proving, found in results(options.problems, options.processes):
        times = f"{1e3 * drawing / each:9.1f} ms{1e3 * proving / each:9.1f} ms"
        print(f"{family:20}{each:10}{different:11}{times}{len(found):8}", flush=True)
        wrong[family] += len(found)
        for line in found[:5]:
            print(f"  {line}")
    print(f"{each * len(FAMILIES)} problems, {wrong.total()} promises broken")
    sys.exit(wrong.total() > 0)


if __name__ == "__main__":
    main()
