"""A file, the name of a bundled data set, or a text → a data frame.

Polars does the reading. What it would accept or report badly in a CSV file (lines of unequal length, a name
that occurs twice, bytes that are not UTF-8) is found by Python's csv module first, which knows the line.
"""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path

import polars as pl

from .. import datasets
from ..errors import InputError, unknown_name
from . import isolated
from .checks import MAX_TEXT, check_no_pattern
from .values import columns_of, without_nan

NULLS = ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "?"]
_LIKE_A_DATE = r"^\W*\d+\D\d"  # every date and every time of day begins so
# What reading a binary file may take, by its size: bytes for the table (and as many again to read it), and seconds. A
# few bytes can stand for any number of rows, so a file that takes more is refused.
MEMORY, MEMORY_PER_BYTE = 256 * 2**20, 64
SECONDS, SECONDS_PER_BYTE = 8.0, 1e-7
EXTENSIONS = (".csv", ".tsv", ".parquet", ".pq", ".arrow", ".feather", ".ipc")


def read_table(source: str | Path, text: Collection[str] = ()) -> pl.DataFrame:
    """Read a table.

    In a CSV file (UTF-8, with a header; separated by commas, or by semicolons where the header has no comma)
    an empty field, NA, N/A, NaN, nan, null, NULL and ? are missing values, types are inferred from the whole
    file, dates are recognised, blanks around a field do not count, and blank lines are skipped. Where the
    separator is no comma, 1,5 is a number. A column without a name is called "column 1" by its place; but if it
    is the first and only counts the rows, as an index that pandas wrote, it is left out.

    Parameters
    ----------
    source : str or Path
        A .csv, .tsv, .parquet, .pq, .arrow, .feather or .ipc file, or the name of a bundled data set. A file
        of that name comes first. Binary files are read in a process of its own, so that a corrupt one ends that
        process at worst; the table may take 256 MiB and 64 times the size of the file.
    text : collection of str
        Columns of a CSV file that are to stay text whatever they look like, as `Encoding.text_columns` says.

    Returns
    -------
    DataFrame
        At least one row and one column; no NaN and no infinity: NaN is missing.

    Raises
    ------
    InputError
        When the file is missing, unreadable, of an unknown kind, empty or malformed, or a number is infinite.
    """
    path = Path(source)
    if not path.is_file() and str(source) in datasets.DEFAULT_TARGET:
        return datasets.load_dataset(str(source))
    return checked(path, _read_file(path, text))


def checked(path: Path, frame: pl.DataFrame) -> pl.DataFrame:
    """Return what a file holds with NaN as missing.

    Raises
    ------
    InputError
        When a name cannot be that of a column, there are no rows, or a number is infinite.
    """
    _check_names(path, frame.columns)
    if not frame.height:
        raise InputError(f"{path} has no rows: a header, but no data")
    return without_nan(frame, f"{path}: ")


def read_text(content: str, name: str = "the table") -> pl.DataFrame:
    """Read a table from a text in memory, as :func:`read_table` reads a CSV file.

    Parameters
    ----------
    content : str
        Separated by tabs where the header has no comma and no semicolon, but a tab.
    name : str
        What messages call it.

    Raises
    ------
    InputError
        When it is empty or malformed, or a number is infinite.
    """
    header = content.lstrip().partition("\n")[0]
    separator = "\t" if "\t" in header and "," not in header and ";" not in header else ","
    return without_nan(_read_csv(name, content.encode(errors="surrogatepass"), separator, ()), f"{name}: ")


def _read_file(path: Path, text: Collection[str]) -> pl.DataFrame:
    try:
        extension = _known_extension(path)
        if not path.stat().st_size:
            raise InputError(f"{path} is empty")
        if extension in (".csv", ".tsv"):
            return _read_csv(path, path.read_bytes(), "\t" if extension == ".tsv" else ",", text)
        return _read_binary(path, extension)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error


def _known_extension(path: Path) -> str:
    if path.is_dir():
        raise InputError(f"{path} is a folder: name one file in it")
    if not path.exists():
        could_be_bundled = not path.suffix and path.name == str(path)
        bundled = f"; {unknown_name('bundled data set', path.name, datasets.names())}" if could_be_bundled else ""
        raise InputError(f"file not found: {path}{bundled}")
    extension = path.suffix.lower()
    if extension not in EXTENSIONS:
        raise InputError(
            f"{path}: a table's format is told from its extension, and {extension or 'none'!r} is not one of "
            f"{', '.join(EXTENSIONS)}"
        )
    return extension


def _read_binary(path: Path, extension: str) -> pl.DataFrame:
    """Return the table of a Parquet or Arrow file, as a process that can fail alone reads it."""
    size = path.stat().st_size
    command = [_python(path), "-P", isolated.__file__, str(path), _format(path, extension)]
    seconds = SECONDS + size * SECONDS_PER_BYTE
    try:
        done = subprocess.run(  # noqa: S603 - our own script
            [*command, str(MEMORY + size * MEMORY_PER_BYTE)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _too_large(path, f"reading it takes more than {seconds:.0f} seconds, or hangs") from error
    reason = done.stdout.decode(errors="replace").strip().partition("\n")[0] if done.returncode else ""
    if done.returncode == isolated.TOO_LARGE:
        raise _too_large(path, reason)
    if done.returncode == isolated.REFUSED:
        raise InputError(f"{path} is corrupt or not a {extension} file: {reason:.150}")
    if done.returncode:
        raise _too_large(path, "the reader crashed or ran out of memory")
    return pl.read_ipc_stream(io.BytesIO(done.stdout))


def _python(path: Path) -> str:
    """Return the Python interpreter."""
    if not sys.executable:  # as where Python is embedded in another program
        raise InputError(
            f"cannot read {path}: no Python interpreter was found to read it in a separate process; "
            "save the table as CSV"
        )
    return sys.executable


def _format(path: Path, extension: str) -> str:
    if extension in (".parquet", ".pq"):
        return isolated.PARQUET
    with path.open("rb") as file:  # Arrow has a format for files, which begins with its name, and one for streams
        return isolated.ARROW if file.read(6) == b"ARROW1" else isolated.ARROW_STREAM


def _too_large(path: Path, reason: str) -> InputError:
    """Return the error for a file that goes beyond the limits, as a corrupt one and a very large one do."""
    return InputError(
        f"cannot read {path}: {reason:.150}. If the file is not corrupt, save the table as CSV, which has no such limit"
    )


def _read_csv(path: Path | str, content: bytes, separator: str, text: Collection[str]) -> pl.DataFrame:
    decoded = _decoded(path, content)
    header = decoded.lstrip().partition("\n")[0]
    if separator == "," and ";" in header and "," not in header:
        separator = ";"
    names, rows = _check_structure(path, decoded, separator)
    try:
        frame = _parsed(content, separator, text)
        usable = frame.height == rows and frame.columns == names and not _has_padded_text(frame)
    except pl.exceptions.PolarsError:
        usable = False
    if not usable:  # blank lines, blanks around fields, or quotation marks that Polars does not take
        try:
            frame = _parsed(_rewritten(path, decoded, separator, names), separator, text)
        except pl.exceptions.PolarsError as error:
            reason = str(error).strip().partition("\n")[0]
            raise InputError(f"{path} cannot be read as CSV: {reason:.150}") from error
    if len(names) > 1 and names[0] == _unnamed(1) and _counts_rows(frame[names[0]]):
        frame = columns_of(frame, names[1:])
    return frame.with_columns(_numbers_left_as_text(frame, text, decimal_comma=separator != ","))


def _decoded(path: Path | str, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(f"{path}, line {line}: not UTF-8 text; save the file as UTF-8") from error


def _check_structure(path: Path | str, decoded: str, separator: str) -> tuple[list[str], int]:
    """Return the names in the header and how many rows follow, all of the same length."""
    records = _records(path, decoded, separator)
    _, header = next(records, (0, []))
    if not header:
        raise InputError(f"{path} is empty")
    names = [name.strip() or _unnamed(i) for i, name in enumerate(header, start=1)]
    _check_names(path, names)
    rows = 0
    for rows, (line, record) in enumerate(records, start=1):
        if len(record) != len(names):
            raise InputError(f"{path}, row {rows} (line {line}): {len(record)} fields, but the header has {len(names)}")
    if not rows:
        raise InputError(f"{path} has no rows: a header, but no data")
    return names, rows


def _check_names(path: Path | str, names: list[str]) -> None:
    for i, name in enumerate(names, start=1):
        if not name.strip():
            raise InputError(f"{path}: column {i} has no name in the header")
        if len(name) > MAX_TEXT:
            raise InputError(f"{path}: the name of column {i} has {len(name):,} signs; at most {MAX_TEXT:,}")
    check_no_pattern(names)
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise InputError(f"{path}: more than one column is called {twice[0]!r:.100}; rename one")


def _parsed(content: bytes, separator: str, text: Collection[str]) -> pl.DataFrame:
    """Return a plain CSV file as a frame; trying every text as a date would take most of the time."""
    frame = _inferred(content, separator, text, dates=False)
    texts = {series.name: series for series in frame.select(pl.col(pl.String)) if series.name not in text}
    no_dates = [name for name, series in texts.items() if not series.str.contains(_LIKE_A_DATE).all()]
    if len(no_dates) == len(texts):
        return frame
    return _inferred(content, separator, [*text, *no_dates], dates=True)


def _inferred(content: bytes, separator: str, text: Collection[str], dates: bool) -> pl.DataFrame:
    return pl.read_csv(
        io.BytesIO(content),
        separator=separator,
        null_values=NULLS,
        infer_schema_length=None,
        try_parse_dates=dates,
        schema_overrides=dict.fromkeys(text, pl.String),
    )


def _unnamed(i: int) -> str:
    """Return the name of the i-th column where the header has none."""
    return f"column {i}"


def _counts_rows(series: pl.Series) -> bool:
    """Tell whether a column holds 0, 1, 2, … or 1, 2, 3, …: a row's number, from which nothing is to be learnt."""
    if not series.dtype.is_integer() or series.null_count() or len(series) < 2 or series[0] not in (0, 1):
        return False
    return bool((series.diff().drop_nulls() == 1).all())


def _has_padded_text(frame: pl.DataFrame) -> bool:
    """Return whether a text has blanks around it, which may hide a number or a missing value."""
    texts = frame.select(pl.col(pl.String))
    return any((series != series.str.strip_chars()).any() for series in texts)


def _rewritten(path: Path | str, decoded: str, separator: str, names: list[str]) -> bytes:
    """Return the same table as a plain CSV file: all named, no blanks around fields or blank lines, usual quotes."""
    tidy = io.StringIO(newline="")
    writer = csv.writer(tidy, delimiter=separator, lineterminator="\n")
    records = _records(path, decoded, separator)
    next(records)
    writer.writerow(names)
    for _, record in records:
        writer.writerow([field.strip() for field in record])
    return tidy.getvalue().encode()


def _records(path: Path | str, decoded: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the fields of every line that is not blank, with the number of the line, from 1."""
    reader = csv.reader(io.StringIO(decoded, newline=""), delimiter=separator, strict=True)
    try:
        for record in reader:
            if record:
                yield reader.line_num, record
    except csv.Error as error:
        raise InputError(f"{path}, line {reader.line_num}: {error}; check its quotation marks") from error


def _numbers_left_as_text(frame: pl.DataFrame, text: Collection[str], decimal_comma: bool) -> Iterator[pl.Series]:
    """Yield as numbers the columns of numbers that Polars does not infer, such as +5, Infinity or 1,5."""
    for series in frame.select(pl.col(pl.String)):
        points = series.str.replace(",", ".", literal=True) if decimal_comma else series
        numbers = points.cast(pl.Float64, strict=False)
        if series.name not in text and 0 < numbers.count() == series.count():
            yield numbers
