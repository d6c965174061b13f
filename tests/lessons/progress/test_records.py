"""All attempts of a learner, for other programs."""

from __future__ import annotations

import csv
import json
from datetime import datetime
from pathlib import Path

import pytest

import chainrule as cr
from chainrule.lessons.progress import Learner, Progress
from tests.helpers.attempts import CHOICE, DAY, FORMULA, MORNING
from tests.helpers.replies import wrong


def test_a_table_of_all_attempts(ada: Learner, tmp_path: Path) -> None:
    ada.attempt(CHOICE, wrong(CHOICE), now=MORNING)
    ada.attempt(FORMULA, "δ_2 w_2", now=MORNING + DAY)
    ada.to_csv(tmp_path / "attempts.csv")
    with (tmp_path / "attempts.csv").open(newline="", encoding="utf-8") as file:
        first, second = csv.DictReader(file)
    assert first["learner"] == "Ada"
    assert (first["family"], json.loads(first["parameters"])) == ("update rule", CHOICE.parameters)
    assert (first["number"], first["right"], first["points"], first["possible"]) == ("1", "false", "0", "1")
    assert datetime.fromisoformat(second["at"]) == MORNING + DAY
    assert json.loads(second["reply"]) == "δ_2 w_2"


def test_no_cell_is_computed(path: Path, tmp_path: Path) -> None:
    with Progress(path) as progress:
        mallory = progress.learner("=HYPERLINK(A1)")
        mallory.attempt(FORMULA, "-w_2")
        mallory.to_csv(tmp_path / "attempts.csv")
    with (tmp_path / "attempts.csv").open(newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in row.values())


def test_a_document_of_all_attempts(ada: Learner, tmp_path: Path) -> None:
    grade = ada.attempt(CHOICE, wrong(CHOICE), now=MORNING).grade
    assert grade is not None
    ada.to_json(tmp_path / "attempts.json")
    assert json.loads((tmp_path / "attempts.json").read_text(encoding="utf-8")) == {
        "learner": "Ada",
        "attempts": [
            {
                "family": CHOICE.family,
                "parameters": CHOICE.parameters,
                "seed": CHOICE.seed,
                "number": 1,
                "at": MORNING.isoformat(),
                "reply": wrong(CHOICE),
                "right": False,
                "points": 0,
                "possible": 1,
                "mistake": grade.mistake,
                "feedback": [str(one) for one in grade.feedback],
            }
        ],
    }


def test_an_export_into_nowhere_is_refused(ada: Learner, tmp_path: Path) -> None:
    with pytest.raises(cr.InputError, match="cannot write"):
        ada.to_json(tmp_path / "none" / "attempts.json")
