"""Exported problems in the engine of Open edX itself, which nobody here wrote: only where it is installed.

CHAINRULE_CAPA_PYTHON names the Python of an environment that has ``xblocks-contrib``, and CHAINRULE_CAPA_SEEDS how many
problems of each family it grades; see CONTRIBUTING.md.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from chainrule.lessons import FAMILIES, ChooseAll, FormulaAnswer, NumberAnswer, OneChoice, Problem, generate
from chainrule.lessons.export.olx import CAPA, write_olx
from chainrule.lessons.export.sampling import sampled, typed

PYTHON = os.environ.get("CHAINRULE_CAPA_PYTHON")
SEEDS = range(int(os.environ.get("CHAINRULE_CAPA_SEEDS", "2")))

pytestmark = pytest.mark.skipif(not PYTHON, reason="CHAINRULE_CAPA_PYTHON names no Python with xblocks-contrib")


def answers(problem: Problem) -> tuple[list[Any], list[Any]]:
    """Return what is right, and what is wrong."""
    match problem.answer:
        case OneChoice() as one:
            places = [f"choice_{place}" for place in range(len(one.options))]
            return [places[one.key]], [place for place in places if place != places[one.key]]
        case ChooseAll() as some:
            every = frozenset(range(len(some.options)))
            wrong = {every, *(some.key ^ {place} for place in every)} - {frozenset()}
            return [_boxes(some.key)], sorted(map(_boxes, wrong))
        case FormulaAnswer() as formula:
            chosen = sampled("", formula)
            mistakes = [typed(one.answer, CAPA) for one in (*chosen.mistakes, *formula.mistakes)]
            return [typed(chosen.key, CAPA)], ["0", *dict.fromkeys(mistakes)]
        case NumberAnswer() as number:
            step = number.tolerance * abs(number.key)
            right = [number.key, number.key + 0.9 * step, number.key - 0.9 * step]
            wrong_numbers = [number.key + 1.1 * step, -number.key, *(one.answer for one in number.mistakes)]
            return [repr(float(one)) for one in right], [repr(float(one)) for one in wrong_numbers]


def _boxes(places: frozenset[int]) -> list[str]:
    return [f"choice_{place}" for place in sorted(places)]


@pytest.mark.parametrize("family", FAMILIES)
def test_the_key_has_full_points_and_no_mistake_has_any(family: str, tmp_path: Path) -> None:
    problems = [generate(family, seed) for seed in SEEDS]
    write_olx("t", [(f"p{seed}", one) for seed, one in zip(SEEDS, problems, strict=True)], tmp_path / "c", "never")
    tasks = []
    for seed, problem in zip(SEEDS, problems, strict=True):
        right, wrong = answers(problem)
        tasks.append([(tmp_path / "c" / "problem" / f"p{seed}.xml").read_text(), right + wrong])
    runner = Path(__file__).with_name("capa_runner.py")
    done = subprocess.run([str(PYTHON), str(runner)], input=json.dumps(tasks), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for problem, (_, given), said in zip(problems, tasks, json.loads(done.stdout), strict=True):
        count = len(answers(problem)[0])
        scores = [score for score, _ in said]
        told = list(zip(given, said, strict=True))
        assert scores == [1] * count + [0] * (len(given) - count), (problem.family, problem.seed, told)
        if isinstance(problem.answer, FormulaAnswer):
            # Each mistake that can be typed is told what is wrong with it, and the key is told nothing.
            assert said[0][1] == ""
            mistakes = sampled("", problem.answer).mistakes
            assert all(hint for _, hint in said[2 : 2 + len(mistakes)])
