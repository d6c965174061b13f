from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chainrule.lessons.progress import Learner, Progress


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "progress.sqlite3"


@pytest.fixture
def ada(path: Path) -> Iterator[Learner]:
    with Progress(path) as progress:
        yield progress.learner("Ada")
