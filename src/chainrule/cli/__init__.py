"""The command line: ``chainrule train``, ``predict``, ``derive``, ``lab``, ``lesson`` and ``doctor``."""

from .app import main

__all__ = ["main"]
