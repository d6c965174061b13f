"""Runs ``chainrule`` commands in this process: each would take a second or more to start as one of its own."""

from __future__ import annotations

import os
import sys
import warnings
from contextlib import chdir, redirect_stderr, redirect_stdout
from io import BytesIO, TextIOWrapper
from pathlib import Path
from subprocess import CompletedProcess
from unittest import mock

from chainrule.cli import main

COMMAND = [sys.executable, "-m", "chainrule"]
"""``chainrule`` as a process of its own, for tests of its streams, its environment and its end."""


def _stream(content: str = "") -> TextIOWrapper:
    return TextIOWrapper(BytesIO(content.encode()), encoding="utf-8")


def _text(stream: TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()


def chainrule(*arguments: str, folder: Path, typed: str = "", **environment: str) -> CompletedProcess[str]:
    """Run a command in a folder with this on its standard input, and return its status and what it wrote."""
    output, errors, status = _stream(), _stream(), 0
    with (
        chdir(folder),
        redirect_stdout(output),
        redirect_stderr(errors),
        mock.patch.object(sys, "stdin", _stream(typed)),
        mock.patch.object(sys, "argv", ["chainrule", *arguments]),
        mock.patch.dict(os.environ, environment),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("default")  # as in a process of its own
        try:
            main()
        except SystemExit as end:
            status = int(end.code or 0)
    return CompletedProcess([*arguments], status, _text(output), _text(errors))
