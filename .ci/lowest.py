"""Print every lower bound in pyproject.toml as a constraint ``name==bound``, for ``pip install --constraint``."""

import re
import tomllib
from pathlib import Path

pyproject = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
groups = [
    pyproject["build-system"]["requires"],
    pyproject["project"]["dependencies"],
    *pyproject["project"]["optional-dependencies"].values(),
]
for requirement in {requirement for group in groups for requirement in group}:
    if bound := re.fullmatch(r"([\w.-]+)>=([\w.]+)", requirement):
        print(f"{bound[1]}=={bound[2]}")
