"""All attempts of a learner for other programs: a table for spreadsheets, and JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from typing import Any

COLUMNS = (
    "family", "parameters", "seed", "number", "at", "reply", "right", "points", "possible", "mistake", "feedback",
)  # fmt: skip
"""What a record has of an attempt; feedback is left out of the table."""
_OF_TABLE = COLUMNS[:-1]
_FORMULA_SIGNS = ("=", "+", "-", "@")  # with which spreadsheets begin what they compute


def compact(value: object) -> str:
    """Return a value as JSON, the same for equal values."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def as_csv(learner: str, records: Iterable[dict[str, Any]]) -> bytes:
    """Return records as a table, each with the learner's name; parameters and replies are JSON."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["learner", *_OF_TABLE])
    for record in records:
        right = "" if record["right"] is None else str(record["right"]).lower()
        written = {"parameters": compact(record["parameters"]), "reply": compact(record["reply"]), "right": right}
        row = record | written
        writer.writerow([_cell(learner), *(_cell(row[column]) for column in _OF_TABLE)])
    return text.getvalue().encode()


def as_json(learner: str, records: Iterable[dict[str, Any]]) -> bytes:
    """Return records with the learner's name as one document."""
    return json.dumps({"learner": learner, "attempts": list(records)}, ensure_ascii=False, indent=1).encode()


def _cell(value: object) -> object:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA_SIGNS) else value
