"""Grade answers by the engine of Open edX, in an environment of its own that has ``xblocks-contrib``.

Reads JSON from standard input, a list of [problem XML, answers], and writes for every answer [score from 0 to 1, hint],
or as the hint why it was refused. Nothing of chainrule is imported here, and nothing of this there.
"""

from __future__ import annotations

import gettext
import json
import logging
import sys
from typing import Any
from unittest.mock import MagicMock, Mock

import django  # type: ignore[import-not-found]
from django.conf import settings  # type: ignore[import-not-found]

settings.configure(STATIC_URL="/static/", USE_TZ=True)
django.setup()
logging.disable(logging.CRITICAL)

# The engine reads Django's settings as it is imported.
from xblocks_contrib.problem.capa.capa_problem import (  # type: ignore[import-not-found]  # noqa: E402
    LoncapaProblem,
    LoncapaSystem,
)
from xblocks_contrib.problem.capa.inputtypes import Status  # type: ignore[import-not-found]  # noqa: E402
from xblocks_contrib.problem.capa.responsetypes import StudentInputError  # type: ignore[import-not-found]  # noqa: E402


def main() -> None:
    """Grade all that is read."""
    json.dump([graded(xml, answers) for xml, answers in json.load(sys.stdin)], sys.stdout)


def graded(xml: str, answers: list[Any]) -> list[tuple[float, str]]:
    """Return what the engine says to each answer to a problem."""
    system = Mock(
        spec=LoncapaSystem,
        ajax_url="/",
        anonymous_student_id="student",
        cache=None,
        can_execute_unsafe_code=lambda: False,
        get_python_lib_zip=lambda: None,
        DEBUG=True,
        i18n=gettext.NullTranslations(),
        render_template=lambda template, context: "<div/>",
        resources_fs=None,
        seed=0,
        STATIC_URL="/static/",
        STATUS_CLASS=Status,
        xqueue=MagicMock(),
    )
    problem = LoncapaProblem(xml, id="1", seed=1, capa_system=system, capa_block=MagicMock())
    problem.get_html()
    ((place,),) = problem.get_answer_ids()
    said: list[tuple[float, str]] = []
    for answer in answers:
        try:
            problem.grade_answers({place: answer})
            score = problem.calculate_score()
            said.append((score["score"] / score["total"], problem.correct_map.get_hint(place) or ""))
        except StudentInputError as error:
            said.append((0.0, f"refused: {error}"))
    return said


if __name__ == "__main__":
    main()
