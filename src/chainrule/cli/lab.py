"""``chainrule lab``: the page in which back-propagation can be touched."""

from __future__ import annotations

import os
import sys
from getpass import getpass
from typing import Annotated

import typer

from ..errors import InputError

VARIABLE = "CHAINRULE_LAB_PASSWORD"


def lab(
    host: Annotated[
        str, typer.Option(help="An address of this machine; others can reach it unless it is loopback.")
    ] = "127.0.0.1",
    port: Annotated[
        int | None,
        typer.Option(help="The port; 0 for any.", show_default="8017, or one that is free", min=0, max=65535),
    ] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Print the address only.")] = False,
    i_know: Annotated[
        bool,
        typer.Option(
            "--i-know",
            help="Let other machines in, who give a password. The connection is not encrypted. The password is typed, "
            f"or taken from {VARIABLE}.",
        ),
    ] = False,
) -> None:
    """Open the lab: back-propagation in the browser."""
    # Imported here, since it takes longer to load than --help should take to answer.
    from ..lab.server import check_password, is_loopback, serve

    password = None
    if not is_loopback(host):
        if not i_know:
            raise InputError(
                f"--host {host} would let other machines use the lab, and nothing is encrypted on the way: add "
                "--i-know if that is wanted"
            )
        password = _password()
        check_password(password)
    serve(host, port, password, open_browser=not no_browser)


def _password() -> str:
    """Return the password of the environment, or else the one that is typed, twice."""
    given = os.environ.get(VARIABLE)
    if given is not None:
        return given
    if sys.stdin is None or not sys.stdin.isatty():
        raise InputError(f"other machines need a password: set {VARIABLE}, or start the lab in a terminal to type one")
    typed = getpass("A password for whoever comes from another machine: ")
    if getpass("The same again: ") != typed:
        raise InputError("these are two passwords: start again")
    return typed
