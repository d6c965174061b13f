"""Plausible wrong answers: a formula altered by common misconceptions, each tested to differ from it."""

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
    distinct: list[Expression] = [key]
    kinds: Counter[str] = Counter()
    for formula, misconception in alterations(key, definitions):
        if len(distinct) > MOST or kinds[misconception.kind] == MOST_OF_A_KIND:
            continue
        if any(formula == other or compare(formula, other, definitions).equal for other in distinct):
            continue
        diagnosis = diagnose(formula, key, definitions)
        if diagnosis is None or diagnosis.kind != misconception.kind:
            continue  # it looks like another mistake
        distinct.append(formula)
        kinds[diagnosis.kind] += 1
        yield Mistake(formula, diagnosis.kind, prose(diagnosis.sentence))


def one_of(
    key: Expression, definitions: Mapping[Symbol, Expression], why: Prose, random: Random, count: int = OPTIONS
) -> OneChoice:
    """Return the key among wrong formulae, from as many misconceptions as possible."""
    pools: dict[str, list[Mistake[Expression]]] = {}
    for mistake in mistakes(key, definitions):
        pools.setdefault(mistake.kind, []).append(mistake)
    kinds = random.sample(list(pools), len(pools))
    chosen: list[Mistake[Expression]] = []
    while len(chosen) < count - 1 and any(pools.values()):
        for kind in kinds:
            if pools[kind] and len(chosen) < count - 1:
                chosen.append(pools[kind].pop(random.randrange(len(pools[kind]))))
    options = [
        Option(prose(mistake.answer), False, mistake.feedback, mistake.kind, mistake.answer) for mistake in chosen
    ]
    options.append(Option(prose(key), True, why, formula=key))
    return OneChoice(tuple(random.sample(options, len(options))), definitions)
