"""The Typer application: its commands, its error messages and its exit codes."""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path
from typing import Annotated, Any

import typer

from .. import __version__
from ..errors import ChainruleError, DivergenceError
from .derive import derive
from .doctor import doctor
from .lab import lab
from .lesson import app as lessons
from .predict import predict
from .train import train

# Typer carries its own copy of Click, and shows only the most special of its errors.
_CLICK_ERROR: Any = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False)
for command in (lab, train, derive, doctor, predict):  # in the order of the help
    app.command()(command)
app.add_typer(lessons, name="lesson")


def main() -> None:
    """Run the command; invalid input ends it with one line on standard error and status 2."""
    warnings.showwarning = _print_note
    for stream in ("stdout", "stderr"):
        if getattr(sys, stream) is None:  # closed, as `>&-` does
            setattr(sys, stream, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - until the end
    try:
        status = app(standalone_mode=False)
        sys.stdout.flush()
        sys.exit(status)
    except ChainruleError as error:
        status, message = 1 if isinstance(error, DivergenceError) else 2, str(error)
    except _CLICK_ERROR as error:  # an option that is unknown, missing or of the wrong type
        if type(error).__name__ == "NoArgsIsHelpError":  # which is not an error, but the help
            error.show()
            sys.exit(error.exit_code)
        status, message = error.exit_code, error.format_message()
    except OSError as error:  # of standard output; an unusable file raises InputError
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes the rest at exit
        if isinstance(error, BrokenPipeError):  # the reader has gone, as with `| head`
            sys.exit(1)
        status, message = 1, str(error)
    except (KeyboardInterrupt, typer.Abort):
        status, message = 130, "interrupted"
    print(f"error: {message}", file=sys.stderr)
    sys.exit(status)


def _print_note(message: Warning | str, *_: Any, **__: Any) -> None:
    print(f"note: {message}", file=sys.stderr)


def _print_version(requested: bool) -> None:
    if requested:
        print(f"chainrule {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Train neural networks on tables, predict with them, derive their gradients, and practise that."""
