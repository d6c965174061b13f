"""Downloads: what is written to a file elsewhere, as an answer."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from .endpoints import File

_TYPES = {
    ".csv": "text/csv; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".safetensors": "application/octet-stream",
    ".tar.gz": "application/gzip",
    ".xml": "application/xml",
    ".yaml": "application/yaml",
}
_LONGEST = 60


def download(title: str, ending: str, write: Callable[[Path], object]) -> File:
    """Return what a function writes to a path, as a file that is called after a title.

    Parameters
    ----------
    title : str
        From a stranger: of its signs only letters, digits and hyphens come into the name.
    ending : str
        One of those above.
    write : callable
        Called with the path of a file in a folder of its own, which is removed again.
    """
    name = f"{_slug(title)}{ending}"
    with TemporaryDirectory(prefix="chainrule-", ignore_cleanup_errors=True) as folder:
        path = Path(folder) / f"file{ending}"
        write(path)
        return File(name, _TYPES[ending], path.read_bytes())


def _slug(title: str) -> str:
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    return re.sub("[^A-Za-z0-9]+", "-", plain)[:_LONGEST].strip("-").lower() or "chainrule"
