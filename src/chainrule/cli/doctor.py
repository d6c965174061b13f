"""``chainrule doctor``: versions, the engine in use, and what is missing."""

from __future__ import annotations


def doctor() -> None:
    """Print versions, the engine in use, and what is missing."""
    # Imported here, since it takes longer to load than --help should take to answer.
    from ..doctor import findings

    rows = findings()
    width = max(map(len, rows))
    print("\n".join(f"{name.ljust(width)}  {finding}" for name, finding in rows.items()))
