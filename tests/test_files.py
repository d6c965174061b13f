"""Files: at once or not at all, and nothing believed of a tensor file before it is checked."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
from chainrule.files import MAX_HEADER, read_tensors, remove_leftovers, write_atomically, write_tensors


def test_a_file_is_replaced_at_once(tmp_path: Path) -> None:
    path = tmp_path / "a"
    write_atomically(path, b"old")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]
    assert stat.S_IMODE(path.stat().st_mode) & 0o600 == 0o600


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(cr.InputError, match=r"cannot write .*none/a: No such file or directory"):
        write_atomically(tmp_path / "none" / "a", b"")


def test_only_the_leftovers_of_this_file_are_removed(tmp_path: Path) -> None:
    for name in (".run[1].x1y2abcd.cr~", ".run1.x1y2abcd.cr~", ".run[1].x.x1y2abcd.cr~", "run[1]"):
        (tmp_path / name).write_bytes(b"")
    remove_leftovers(tmp_path / "run[1]")
    assert {path.name for path in tmp_path.iterdir()} == {".run1.x1y2abcd.cr~", ".run[1].x.x1y2abcd.cr~", "run[1]"}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such pipes")
def test_files_that_no_writer_of_ours_left_are_kept_and_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / ".m.userfile.tmp").write_bytes(b"")
    os.mkfifo(tmp_path / ".m.x1y2abcd.cr~")
    write_atomically(tmp_path / "m", b"new")
    assert {path.name for path in tmp_path.iterdir()} == {".m.userfile.tmp", ".m.x1y2abcd.cr~", "m"}


WRITER = """
import os, sys
from pathlib import Path
from chainrule.files import write_atomically

fsync = os.fsync
def pause(descriptor):
    fsync(descriptor)
    print("written", flush=True)
    sys.stdin.read()
os.fsync = pause
write_atomically(Path(sys.argv[1]), b"theirs")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="a temporary file is kept for a minute there")
def test_a_save_removes_what_a_killed_one_left_and_nothing_of_one_that_is_still_writing(tmp_path: Path) -> None:
    path = tmp_path / "m"
    command = [sys.executable, "-c", WRITER, str(path)]
    writers = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "written\n"
    assert len(list(tmp_path.iterdir())) == 2
    killed, alive = writers
    killed.kill()
    killed.communicate()
    write_atomically(path, b"ours")
    assert len(list(tmp_path.iterdir())) == 2  # the file, and the temporary one of the writer that is alive
    assert path.read_bytes() == b"ours"
    alive.communicate("")
    assert alive.returncode == 0
    assert path.read_bytes() == b"theirs"
    assert list(tmp_path.iterdir()) == [path]


def test_many_writers_of_one_name_at_once_do_not_take_each_others_files_away(tmp_path: Path) -> None:
    path = tmp_path / "m"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda k: write_atomically(path, b"%d" % k * 1000), range(200)))
    assert len(path.read_bytes()) in (1000, 2000, 3000)
    assert list(tmp_path.iterdir()) == [path]


def test_tensors_and_their_document_come_back(tmp_path: Path) -> None:
    write_tensors(tmp_path / "t", "things", {"a": np.arange(6.0)[::2]}, {"δ": [1, None]})
    tensors, document = read_tensors(tmp_path / "t", "things")
    assert (tensors["a"].tolist(), document) == ([0.0, 2.0, 4.0], {"δ": [1, None]})


def _with_header(header: bytes, body: bytes = b"") -> bytes:
    return len(header).to_bytes(8, "little") + header + body


def _things(document: str, **tensors: object) -> bytes:
    return json.dumps({"__metadata__": {"kind": "things", "document": document}, **tensors}).encode()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is truncated"),
        (b"PK\x03\x04 a zip file", "is not a safetensors file: its header would be"),
        (_with_header(b"{}")[:-1], "is truncated"),
        (_with_header(b"{}"), "is not a things file, but 'of no known kind'"),
        (_with_header(b"not json"), "is corrupt or not a things file"),
        (_with_header(_things("[")), "is corrupt"),
        (_with_header(_things("[" * 10**5)), "is corrupt"),
        (_with_header(_things(r'{"a": ["\ud800"]}')), "surrogates not allowed"),
        (_with_header(_things("1", a={"dtype": "F64", "shape": [2**40], "data_offsets": [0, 2**43]})), "is corrupt"),
    ],
)
def test_a_file_that_is_not_one_is_refused_in_one_line(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "t").write_bytes(content)
    with pytest.raises(cr.InputError) as caught:
        read_tensors(tmp_path / "t", "things")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_header_over_the_limit_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with (tmp_path / "t").open("wb") as file:
        file.write((MAX_HEADER + 1).to_bytes(8, "little"))
        file.truncate(MAX_HEADER + 100)  # a hole, which takes no room on the disk
    with pytest.raises(cr.InputError, match="is over the limit"):
        read_tensors(tmp_path / "t", "things")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(cr.InputError, match=r"cannot read .*t: No such file or directory"):
        read_tensors(tmp_path / "t", "things")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="links and pipes as Unix has them")
def test_a_link_is_followed_and_a_device_is_left_alone(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "file")
    write_atomically(link, b"new")
    assert link.is_symlink()
    assert (tmp_path / "file").read_bytes() == b"new"
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(cr.InputError, match=r"cannot write .*pipe: it is not a regular file"):
        write_atomically(tmp_path / "pipe", b"")
    assert (tmp_path / "pipe").is_fifo()


def test_leftovers_of_a_link_lie_where_it_leads(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "kept" / "run")
    (tmp_path / "kept" / ".run.x1y2abcd.cr~").write_bytes(b"")
    remove_leftovers(tmp_path / "link")
    assert not list((tmp_path / "kept").iterdir())


def test_a_link_that_leads_in_a_circle_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("a")
    write_atomically(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"new"
