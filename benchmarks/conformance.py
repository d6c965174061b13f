"""A differential test campaign: random cases through the native engine and the reference engine.

    python benchmarks/conformance.py --minutes 1

It draws networks, data and their storage, settings, instruction sets and numbers of threads, and compares
predictions and whole runs. Each difference is either rounding, with a proof, or a fault: see `campaign/comparing.py`.
Faults are printed, the first five made smaller and as snippets, and the command ends with status 1. The seed is
printed; `--seed` repeats a campaign, and `--case` replays one case, as it is printed.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from itertools import count

from campaign.comparing import REFUSED, Difference, differences
from campaign.drawing import KINDS, Case, draw
from campaign.shrinking import shrunk, snippet
from systems.machine import described
from threadpoolctl import threadpool_limits

_AT_ONCE = 10  # cases that a process is given at a time
_MOST_REFUSED = 0.1  # of the cases: more, and the drawing is at fault
_SHRUNK = 5  # faults that are made smaller; the others are printed as they are


@dataclass
class Batch:
    """What some cases have shown."""

    cases: Counter[str] = field(default_factory=Counter)
    causes: Counter[tuple[str, str]] = field(default_factory=Counter)
    faults: list[tuple[Case, list[str]]] = field(default_factory=list)

    def add(self, other: Batch) -> None:
        """Add what other cases have shown."""
        self.cases += other.cases
        self.causes += other.causes
        self.faults += other.faults


def found_in(case: Case) -> list[Difference]:
    """Return the differences in a case; an error is a fault, since a comparison never raises one."""
    try:
        return differences(case)
    except Exception as error:
        return [Difference(f"{type(error).__name__}: {error}"[:200], float("inf"), 0.0, "fault")]


def faults_of(case: Case) -> list[str]:
    """Return the differences in a case that rounding does not explain, each in words."""
    return [str(one) for one in found_in(case) if one.cause == "fault"]


def fails_alike(case: Case, like: list[str]) -> bool:
    """Tell whether a case has a fault: an error where the faults `like` begin with one, or else a difference."""
    error = like[0].partition(": ")[0] if "Error: " in like[0] else None
    faults = faults_of(case)
    return bool(faults) and (faults[0].startswith(error) if error else "Error: " not in faults[0])


def batch_of(numbers: range, kind: str | None) -> Batch:
    """Return what the cases of some integers have shown."""
    batch = Batch()
    with threadpool_limits(1, user_api="blas"):  # whose threads would wait in a loop for small products
        for number in numbers:
            case = draw(number, kind)
            found = found_in(case)
            batch.cases[case.kind] += 1
            for cause in {one.cause for one in found}:
                batch.causes[case.kind, cause] += 1
            if faults := [str(one) for one in found if one.cause == "fault"]:
                batch.faults.append((case, faults))
    return batch


def campaign(seed: int, seconds: float, kind: str | None, processes: int) -> Iterator[Batch]:
    """Yield what batch after batch of cases has shown, until the time is up."""
    end = time.monotonic() + seconds
    starts = count(seed << 32, _AT_ONCE)
    with ProcessPoolExecutor(processes) as pool:
        numbers: dict[Future[Batch], range] = {}
        while True:
            while len(numbers) < 2 * processes and time.monotonic() < end:
                begin = next(starts)
                some = range(begin, begin + _AT_ONCE)
                numbers[pool.submit(batch_of, some, kind)] = some
            if not numbers:
                return
            for future in wait(numbers, return_when=FIRST_COMPLETED).done:
                some = numbers.pop(future)
                try:
                    yield future.result()
                except BrokenProcessPool:
                    yield from _after_a_crash([some, *numbers.values()], kind)
                    return


def _after_a_crash(suspects: list[range], kind: str | None) -> Iterator[Batch]:
    """Yield as a fault the first case that ends its process."""
    for some in suspects:
        for number in some:
            with ProcessPoolExecutor(1) as alone:
                try:
                    yield alone.submit(batch_of, range(number, number + 1), kind).result()
                except BrokenProcessPool:
                    yield Batch(faults=[(draw(number, kind), ["the process crashed"])])
                    return
    yield Batch(faults=[(draw(suspects[0][0], kind), ["a process crashed, but did not do so again"])])


def show(case: Case, what: list[str]) -> None:
    """Print a fault: what differs, the case made smaller, and a snippet."""
    if not any("crashed" in line for line in what):
        with threadpool_limits(1, user_api="blas"):
            case = shrunk(case, lambda smaller: fails_alike(smaller, what))
            what = faults_of(case)
    print(f"\nFAULT in {case.kind}:")
    for line in what[:4]:
        print(f"  {line}")
    print(f"  --case '{case.to_json()}'\n")
    print(snippet(case), flush=True)


def report(total: Batch, seconds: float) -> None:
    """Print the counts."""
    causes = sorted({cause for _, cause in total.causes})
    print(f"\n{'cases of kind':15}{'cases':>9}" + "".join(f"{cause:>28}" for cause in causes))
    for kind in KINDS:
        if total.cases[kind]:
            of_kind = "".join(f"{total.causes[kind, cause]:28}" for cause in causes)
            print(f"{kind:15}{total.cases[kind]:9}{of_kind}")
    cases = total.cases.total()
    print(f"{cases} cases, {cases / seconds:.0f} a second; {len(total.faults)} with a fault")


def main() -> None:
    """Run a campaign, or one case."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, help="seed of the campaign; drawn at random by default")
    parser.add_argument("--only", choices=KINDS, help="the kind of the cases")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--first", action="store_true", help="end at the first fault, and do not make it smaller")
    parser.add_argument("--case", help="replay this case, in the form in which the campaign prints it")
    options = parser.parse_args()
    if options.case:
        case = Case.from_json(options.case)
        found = found_in(case)
        print(*(f"{one.cause}: {one}" for one in found) if found else ["no difference"], sep="\n")
        sys.exit(any(one.cause == "fault" for one in found))
    seed = secrets.randbelow(2**31) if options.seed is None else options.seed
    print(f"{described()}\nseed {seed}", flush=True)
    total, begin = Batch(), time.monotonic()
    for batch in campaign(seed, 60.0 * options.minutes, options.only, options.processes):
        total.add(batch)
        if total.faults and options.first:
            break
    report(total, time.monotonic() - begin)
    for number, (case, what) in enumerate(total.faults):
        if options.first or number >= _SHRUNK:
            print(f"FAULT: {what[0]}\n  --case '{case.to_json()}'")
        else:
            show(case, what)
    refused = sum(number for (_, cause), number in total.causes.items() if cause == REFUSED)
    if refused > _MOST_REFUSED * total.cases.total():
        sys.exit(f"{refused} cases were refused by both engines, which compares nothing")
    sys.exit(bool(total.faults))


if __name__ == "__main__":
    main()
