"""A lesson file with an entry for every family, to begin with."""

from __future__ import annotations

import json
import re
from typing import Any

from ..catalogue import FAMILIES
from ..problems import ATTEMPTS, POINTS
from .fields import SHOW_SOLUTION, UNLIMITED

_PLAIN = re.compile(r"[A-Za-z][\w.-]*(?: [\w.-]+)*")
_NOT_PLAIN = {"true", "false", "null"}


def template() -> str:
    """Return a lesson file with an entry for every family, with comments that explain it."""
    lines = [
        "# A lesson: problems on back-propagation, drawn from families of problems.",
        "# Keep the entries that you want, as many as you like of one family, in any order.",
        "title: Back-propagation",
        "seed: 1  # the same seed draws the same problems; another draws others",
        f"show_solution: {SHOW_SOLUTION[0]}  # or: {', '.join(SHOW_SOLUTION[1:])}",
        "",
        "# An entry may have",
        "#   id: my-gradient     its name, of letters, digits and hyphens",
        "#   count: 3            how many problems to draw",
        f"#   points: 2           of each of them; {POINTS} where nothing is said",
        f"#   attempts: 5         at each of them, or {UNLIMITED}",
        "#   parameters:         a value, or a list of values from which the seed draws; without, from all",
        "problems:",
    ]
    for family in FAMILIES.values():
        lines += ["", f"  # {family.about} ({family.kind})", f"  - family: {_as_yaml(family.name)}"]
        lines.append(f"    attempts: {ATTEMPTS[family.kind]}")
        if family.parameters:
            lines.append("    parameters:")
            for name, parameter in family.parameters.items():
                values = ", ".join(map(_as_yaml, parameter.values))
                lines.append(f"      {name}: [{values}]  # {parameter.meaning}")
    return "\n".join([*lines, ""])


def _as_yaml(value: Any) -> str:
    """Return a value as YAML."""
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _NOT_PLAIN:
        return value
    return json.dumps(value, ensure_ascii=False)
