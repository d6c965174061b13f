"""How long a formula takes to be read, compared with the right one, and told what is wrong with it.

The formula is ∂ℒ/∂w₁ of a chain, as a learner types it, right or with a mistake. Prints a table of medians.

    python benchmarks/formulae.py
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial

import chainrule as cr
from chainrule.formula import Expression, FormulaError, compare, diagnose, parse

REPEATS = 50
HOSTILE = {
    "9**9**9**9": "9**9**9**9",
    "10,000 brackets": "(" * 10_000 + ")" * 10_000,
    "1 MB": "x" * 2**20,
    "__import__('os')": "__import__('os')",
    "400 signs": "-" * 399 + "x",
}


def milliseconds(call: Callable[[], object]) -> float:
    """Return the median time of a call, in milliseconds."""
    taken = []
    for _ in range(REPEATS):
        begin = time.perf_counter()
        call()
        taken.append(1e3 * (time.perf_counter() - begin))
    return statistics.median(taken)


def refused(typed: str) -> str:
    """Return what is said of a formula that cannot be read."""
    try:
        parse(typed, [])
    except FormulaError as error:
        return str(error)
    return "read"


def main() -> None:
    """Print the tables."""
    print("milliseconds\n\n| formula of ∂ℒ/∂w₁ | read | compared | told what is wrong |\n|---|---|---|---|")
    for length, activation in ((3, "tanh"), (10, "tanh"), (10, "logistic"), (10, "relu")):
        derivation = cr.derive(cr.chain(length, activation))
        names = derivation.symbols
        right: Expression = derivation.gradient("w_1")
        typed = repr(right)
        wrong = typed.replace("w₂", "w₁")
        short = repr(derivation.step("gradient w_1").right)
        for what, written in (("as printed", typed), ("by δ₁", short), ("with w₁ for w₂", wrong)):
            tree = parse(written, names).expression
            tried: list[Callable[[], object]] = [
                partial(parse, written, names),
                partial(compare, tree, right, derivation.definitions),
            ]
            if not compare(tree, right, derivation.definitions):
                tried.append(partial(diagnose, tree, right, derivation.definitions))
            times = [milliseconds(call) for call in tried]
            shown = " | ".join([f"{one:.2f}" for one in times] + ["–"] * (3 - len(times)))
            print(f"| L = {length}, {activation}, {what} | {shown} |")
    print("\n| hostile input | milliseconds | answer |\n|---|---|---|")
    for what, written in HOSTILE.items():
        print(f"| {what} | {milliseconds(partial(refused, written)):.3f} | {refused(written)} |")


if __name__ == "__main__":
    main()
