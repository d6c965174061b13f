"""Wrong answers that people come to: what misconceptions make of a right formula, each proven to be another one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache
from random import Random

from ..formula import Expression, Symbol, compare, diagnose
from ..formula.misconceptions import alterations
from .problems import Mistake, OneChoice, Option
from .prose import Prose, prose

OPTIONS = 4
MOST, MOST_OF_A_KIND = 12, 3


def mistakes(key: Expression, definitions: Mapping[Symbol, Expression]) -> tuple[Mistake[Expression], ...]:
    """Return wrong formulae, each with the misconception that :func:`chainrule.formula.diagnose` finds in it.

    None is equal to the key or to another one, on all that the definitions leave free.
    """
    return _mistakes(key, tuple(definitions.items()))


@lru_cache(maxsize=512)
def _mistakes(key: Expression, definitions: tuple[tuple[Symbol, Expression], ...]) -> tuple[Mistake[Expression], ...]:
    return tuple(_proven(key, dict(definitions)))


def _proven(key: Expression, definitions: dict[Symbol, Expression]) -> Iterator[Mistake[Expression]]:
    taken: list[Expression] = [key]
    kinds: Counter[str] = Counter()
    for formula, misconception in alterations(key, definitions):
        if len(taken) > MOST or kinds[misconception.kind] == MOST_OF_A_KIND:
            continue
        if any(formula == one or compare(formula, one, definitions).equal for one in taken):
            continue
        found = diagnose(formula, key, definitions)
        if found is None or found.kind != misconception.kind:
            continue  # it looks like another mistake
        taken.append(formula)
        kinds[found.kind] += 1
        yield Mistake(formula, found.kind, prose(found.sentence))


def one_of(
    key: Expression, definitions: Mapping[Symbol, Expression], why: Prose, random: Random, count: int = OPTIONS
) -> OneChoice:
    """Return the key among wrong formulae, of as many misconceptions as there are."""
    pools: dict[str, list[Mistake[Expression]]] = {}
    for mistake in mistakes(key, definitions):
        pools.setdefault(mistake.kind, []).append(mistake)
    kinds = random.sample(list(pools), len(pools))
    chosen: list[Mistake[Expression]] = []
    while len(chosen) < count - 1 and any(pools.values()):
        for kind in kinds:
            if pools[kind] and len(chosen) < count - 1:
                chosen.append(pools[kind].pop(random.randrange(len(pools[kind]))))
    options = [Option(prose(one.answer), False, one.feedback, one.kind, one.answer) for one in chosen]
    options.append(Option(prose(key), True, why, formula=key))
    return OneChoice(tuple(random.sample(options, len(options))), definitions)
