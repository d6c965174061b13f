"""Reading a Parquet or Arrow file in a process of its own, which can fail alone: the script that the process runs.

    python isolated.py FILE FORMAT MOST

A corrupt file can make Polars claim any amount of memory, abort the process, or never return. So the process limits its
memory where the system can, and its parent limits its time. It writes the table to standard output as an Arrow stream
and ends with status 0, or writes why it cannot and ends with status `REFUSED`, or `TOO_LARGE` where the table takes too
much memory. Any other status is that of a crash.

It imports nothing of chainrule, because its start is a part of the time that reading takes.
"""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl

PARQUET, ARROW, ARROW_STREAM = FORMATS = ("parquet", "arrow", "arrow-stream")

REFUSED, TOO_LARGE = 3, 4  # 1 and 2 are those of Python itself

# Bytes that reading takes beside the table: the file, buffers, and pages that are being decompressed.
_BESIDES = 256 * 2**20


def read(path: str, form: str, most: int) -> pl.DataFrame:
    """Return the table of a file.

    Parameters
    ----------
    form : str
        One of `FORMATS`.
    most : int
        The bytes that the table may take.

    Raises
    ------
    MemoryError
        When it takes more. What Polars raises, panics included, comes as it is.
    """
    reader: Callable[[io.BytesIO], pl.DataFrame]
    reader = {PARQUET: pl.read_parquet, ARROW: pl.read_ipc, ARROW_STREAM: pl.read_ipc_stream}[form]
    frame = reader(io.BytesIO(Path(path).read_bytes()))
    size = sum(map(_size, frame))
    if size > most:
        raise MemoryError(
            f"its table would take {size:,} bytes, but at most {most:,} are allowed for a file of this size"
        )
    return frame


def _size(series: pl.Series) -> int:
    """Return the bytes of a column with every value written out: equal texts can share theirs, and nulls have none."""
    whole = series.cast(pl.String) if series.dtype.base_type() in (pl.Categorical, pl.Enum) else series
    return max(int(whole.estimated_size()), 8 * len(series))


def limit_memory(most: int) -> None:
    """Limit the memory that the process may take from now on, to a table of this size and what reading it takes."""
    try:
        import resource
    except ImportError:  # Windows has no such limits
        return
    with contextlib.suppress(OSError, ValueError):  # macOS has no /proc, and does not keep to the limit
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (taken + 2 * most + _BESIDES,) * 2)


def start_threads() -> None:
    """Let Polars start its threads, because their stacks count as memory, too."""
    file = io.BytesIO()
    pl.DataFrame({"a": [0.0]}).write_parquet(file)
    file.seek(0)
    pl.read_parquet(file)


def main(path: str, form: str, most: str) -> int:
    """Read a file and write its table, or why that is not possible; return the status of the process."""
    start_threads()
    limit_memory(int(most))
    try:
        read(path, form, int(most)).write_ipc_stream(sys.stdout.buffer)
    except MemoryError as error:
        sys.stdout.buffer.write((str(error) or "reading it takes more memory than it may").encode())
        return TOO_LARGE
    except (Exception, pl.exceptions.PanicException) as error:  # a panic is not an Exception
        sys.stdout.buffer.write((str(error) or type(error).__name__).encode(errors="replace"))
        return REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
