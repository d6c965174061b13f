"""Reading tables: what is understood, and how a file that cannot be read is reported."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chainrule import InputError
from chainrule.tables import read_table, read_text


def written(folder: Path, content: str | bytes, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def complaint(source: Path | str) -> str:
    """Return the one line that reading this ends in."""
    with pytest.raises(InputError) as caught:
        read_table(source)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 600
    return message


# What is understood


def test_a_csv_file_has_a_header_and_typed_columns(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "n,r,word,day,at,yes\n1,0.5,a,2024-02-29,2024-02-29 12:00:00,true\n2,1,b,2024-03-01,,false\n",
    )
    assert read_table(path).rows() == [
        (1, 0.5, "a", date(2024, 2, 29), datetime(2024, 2, 29, 12), True),
        (2, 1.0, "b", date(2024, 3, 1), None, False),
    ]


@pytest.mark.parametrize("null", ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "?", " NA "])
def test_these_mean_missing(tmp_path: Path, null: str) -> None:
    frame = read_table(written(tmp_path, f"n,word\n1,a\n{null},{null}\n"))
    assert frame.rows() == [(1, "a"), (None, None)]


def test_a_column_without_a_name_is_called_by_its_place(tmp_path: Path) -> None:
    frame = read_table(written(tmp_path, "x,,y\n0,1.5,a\n1,2.5,b\n"))
    assert frame.columns == ["x", "column 2", "y"]


def test_an_index_that_pandas_wrote_is_left_out(tmp_path: Path) -> None:
    assert read_table(written(tmp_path, ",x\n0,1.5\n1,2.5\n")).columns == ["x"]
    assert read_table(written(tmp_path, ",x\n7,1.5\n9,2.5\n")).columns == ["column 1", "x"]


def test_a_decimal_comma_is_understood_where_the_separator_is_another_sign(tmp_path: Path) -> None:
    frame = read_table(written(tmp_path, "x;word\n1,5;a,b\n-2;c\n"))
    assert frame.rows() == [(1.5, "a,b"), (-2.0, "c")]


def test_arrow_files_and_arrow_streams_are_read(tmp_path: Path) -> None:
    frame = pl.DataFrame({"x": [1, 2], "word": ["a", "b"]})
    frame.write_ipc(tmp_path / "file.arrow")
    frame.write_ipc_stream(tmp_path / "stream.arrow")
    assert read_table(tmp_path / "file.arrow").rows() == read_table(tmp_path / "stream.arrow").rows() == frame.rows()


def test_types_are_told_from_the_whole_file(tmp_path: Path) -> None:
    path = written(tmp_path, "n\n" + "1\n" * 5_000 + "1.5\n")
    assert read_table(path)["n"].dtype == pl.Float64


def test_a_column_can_be_kept_as_text(tmp_path: Path) -> None:
    path = written(tmp_path, "code,n\n01,1\n1.0,2\n")
    assert read_table(path, text=["code"])["code"].to_list() == ["01", "1.0"]


def test_blanks_around_fields_and_blank_lines_do_not_count(tmp_path: Path) -> None:
    path = written(tmp_path, "\nn, word\n1, a\n\n 2 ,b \n\n")
    assert read_table(path).to_dict(as_series=False) == {"n": [1, 2], "word": ["a", "b"]}


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ('a,b\n"x, y",1\n', [("x, y", 1)]),
        ('a,b\n"x\ny",1\n', [("x\ny", 1)]),
        ('a,b\n5" pipe,1\n', [('5" pipe', 1)]),
        ("a,b\r\nx,1\r\n", [("x", 1)]),
        ("a,b\rx,1\r", [("x", 1)]),
        ("\ufeffa,b\nx,1", [("x", 1)]),
        ("a;b\nx;1\n", [("x", 1)]),
        ("a,b\nx,+5\n", [("x", 5.0)]),
    ],
    ids=["comma", "line", "inches", "windows", "old mac", "byte order mark", "semicolons", "plus"],
)
def test_usual_variants_of_csv_are_read(tmp_path: Path, content: str, rows: list[tuple[object, ...]]) -> None:
    frame = read_table(written(tmp_path, content))
    assert frame.columns == ["a", "b"]
    assert frame.rows() == rows


def test_tsv_parquet_and_arrow_files_are_read(tmp_path: Path) -> None:
    frame = pl.DataFrame({"n": [1, 2], "word": ["a", None]})
    frame.write_csv(tmp_path / "t.tsv", separator="\t")
    frame.write_parquet(tmp_path / "t.parquet")
    frame.write_parquet(tmp_path / "t.PQ")
    for name in ("t.arrow", "t.feather", "t.ipc"):
        frame.write_ipc(tmp_path / name)
    for path in tmp_path.iterdir():
        assert read_table(path).equals(frame), path.name


def test_nan_is_missing(tmp_path: Path) -> None:
    pl.DataFrame({"r": [1.0, float("nan")]}).write_parquet(tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet")["r"].to_list() == [1.0, None]


def test_a_bundled_name_is_read_unless_there_is_a_file_of_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wine").mkdir()
    assert read_table("wine").height == 178
    (tmp_path / "iris").write_text("a\n1\n")
    assert "extension" in complaint("iris")


names = st.lists(st.text("abcXYZ_", min_size=1, max_size=5), min_size=1, max_size=4, unique=True)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names, st.data())
def test_what_polars_writes_is_what_is_read(tmp_path: Path, header: list[str], data: st.DataObject) -> None:
    word = st.text('ab ,;"\n\r\té', max_size=6).map(lambda text: f"x{text}x")
    rows = data.draw(st.lists(st.tuples(*[word for _ in header]), min_size=1, max_size=5))
    frame = pl.DataFrame(rows, schema=header, orient="row")
    frame.write_csv(tmp_path / "t.csv")
    assert read_table(tmp_path / "t.csv").equals(frame)


# What cannot be read


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "t.csv is empty"),
        ("\n\n", "t.csv is empty"),
        ("a,b\n", "t.csv has no rows"),
        ("a,b\n1,2\n\n1,2,3\n", "row 2 (line 4): 3 fields, but the header has 2"),
        ("a,b,c\n1,2\n", "row 1 (line 2): 2 fields, but the header has 3"),
        ("a,b,a\n1,2,3\n", "more than one column is called 'a'"),
        ("a, a\n1,2\n", "more than one column is called 'a'"),
        (f"a,{'b' * 2000}\n1,2\n", "the name of column 2 has 2,000 signs"),
        (b"a,b\n1,2\n1,\xff\n", "line 3: not UTF-8"),
        ("a,b\n1,2\n".encode("utf-16"), "line 1: not UTF-8"),
        ('a,b\n"1,2\n', "check its quotation marks"),
        ("a,b\n1,2\ninf,3\n", "column 'a', row 2: inf is infinite"),
        ("a,b\nInfinity,3\n", "column 'a', row 1: inf is infinite"),
        ("a,b\n1e300,3\n", "column 'a', row 1: 1e+300 is too large"),
    ],
)
def test_a_malformed_csv_file_is_one_line_that_says_where(tmp_path: Path, content: str | bytes, says: str) -> None:
    message = complaint(written(tmp_path, content))
    assert says in message
    assert "t.csv" in message


def test_a_missing_file_suggests_the_nearest_bundled_name() -> None:
    message = complaint("pengiuns")
    assert message.startswith("file not found: pengiuns")
    assert "did you mean 'penguins'" in message


def test_a_missing_file_with_an_extension_is_no_bundled_name() -> None:
    assert complaint("new.csv") == "file not found: new.csv"


def test_a_folder_and_an_unknown_extension_are_named(tmp_path: Path) -> None:
    assert "is a folder" in complaint(tmp_path)
    assert "'.xlsx' is not one of .csv" in complaint(written(tmp_path, "x", "t.xlsx"))
    assert "'none' is not one of .csv" in complaint(written(tmp_path, "x", "t"))


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    path = written(tmp_path, "a\n1\n")
    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert complaint(path) == f"cannot read {path}: Permission denied"


@pytest.mark.parametrize("extension", ["parquet", "arrow"])
def test_a_corrupt_file_is_one_line_and_never_a_crash(tmp_path: Path, extension: str) -> None:
    whole = tmp_path / f"whole.{extension}"
    frame = pl.DataFrame({"n": range(100), "word": [str(i % 7) for i in range(100)]})
    frame.write_parquet(whole) if extension == "parquet" else frame.write_ipc(whole)
    content = whole.read_bytes()
    for length in range(1, len(content), len(content) // 4):
        assert f".{extension}" in complaint(written(tmp_path, content[:length], f"cut.{extension}"))


@pytest.mark.parametrize("extension", ["parquet", "arrow"])
def test_a_file_whose_table_is_far_larger_than_the_file_is_refused(tmp_path: Path, extension: str) -> None:
    nothing = pl.DataFrame({"n": pl.Series([None], dtype=pl.Null).extend_constant(None, 10**8)})
    path = tmp_path / f"t.{extension}"
    nothing.write_parquet(path) if extension == "parquet" else nothing.write_ipc(path)
    assert path.stat().st_size < 10**6
    message = complaint(path)
    assert "its table would take 800,000,008 bytes, but at most" in message
    assert "If the file is not corrupt, save the table as CSV, which has no such limit" in message


def test_texts_that_share_their_bytes_count_in_full(tmp_path: Path) -> None:
    text = "x" * 2**20
    pl.DataFrame({"a": [text] * 2**9}).write_parquet(tmp_path / "t.parquet")
    refusal = complaint(tmp_path / "t.parquet")
    by_old_polars = "takes too much memory", "ran out of memory"
    assert any(reason in refusal for reason in ("its table would take 536,870,912 bytes", *by_old_polars))


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the limit is one of Linux")
def test_the_memory_of_the_reader_is_limited() -> None:
    program = "from chainrule.tables import isolated; isolated.limit_memory(2**20); bytearray(2**20); bytearray(2**29)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1] == "MemoryError"


def test_a_reader_that_crashes_or_hangs_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pl.DataFrame({"a": [1.0]}).write_parquet(tmp_path / "t.parquet")
    script = written(tmp_path, "import os; os.abort()", "script.py")
    monkeypatch.setattr("chainrule.tables.isolated.__file__", str(script))
    assert "the reader crashed or ran out of memory" in complaint(tmp_path / "t.parquet")
    script.write_text("import time; time.sleep(60)")
    monkeypatch.setattr("chainrule.tables.reading.SECONDS", 0.5)
    assert "reading it takes more than 1 seconds, or hangs" in complaint(tmp_path / "t.parquet")


@pytest.mark.slow
def test_a_large_binary_file_is_read_in_time(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    frame = pl.DataFrame({f"c{k}": random.normal(size=200_000) for k in range(10)})
    for name in ("t.parquet", "t.arrow"):
        frame.write_parquet(tmp_path / name) if name == "t.parquet" else frame.write_ipc(tmp_path / name)
        assert read_table(tmp_path / name).equals(frame)


def test_a_parquet_file_without_rows_or_with_infinity_is_named(tmp_path: Path) -> None:
    pl.DataFrame({"a": [1.0]}).clear().write_parquet(tmp_path / "empty.parquet")
    assert "empty.parquet has no rows" in complaint(tmp_path / "empty.parquet")
    pl.DataFrame({"a": [1.0, float("-inf")]}).write_parquet(tmp_path / "t.parquet")
    assert "column 'a', row 2: -inf is infinite" in complaint(tmp_path / "t.parquet")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_text_in_memory_is_read_as_a_file_is(tmp_path: Path, separator: str) -> None:
    text = separator.join(["n", "word"]) + "\n" + separator.join(["1", "one"]) + "\n" + separator.join(["2", ""])
    extension = "tsv" if separator == "\t" else "csv"
    assert read_text(text).equals(read_table(written(tmp_path, text, f"t.{extension}")))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the table is empty"),
        ("a,b\n1,2\n3\n", "the table, row 2 (line 3): 1 fields, but the header has 2"),
        ("a,b\n1,\ud800\n", "the table, line 2: not UTF-8 text; save the file as UTF-8"),
        ("a,b\n1,2\n1e999,2\n", "the table: column 'a', row 2: inf is infinite"),
    ],
)
def test_what_is_wrong_with_a_text_is_named(text: str, message: str) -> None:
    with pytest.raises(InputError) as error:
        read_text(text)
    assert message in str(error.value)
