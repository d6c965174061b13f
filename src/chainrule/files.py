"""Files that are never half-written, and tensor files that are safe to open.

A tensor file is a safetensors file whose metadata holds one JSON document. Nothing in it is ever executed.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import stat
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from .errors import InputError, quoted
from .named import JSON

if sys.platform != "win32":
    import fcntl

# A header names every tensor and holds the JSON document; beyond this it is an attack, or not a header.
MAX_HEADER = 64 * 2**20

# A temporary file is called .NAME.XXXXXXXX and this: no other program's file is, and long names leave no room for more.
_SUFFIX = ".cr~"

# Seconds after which a temporary file is abandoned, on systems without locks that end with their process.
_ABANDONED_AFTER = 60.0


def path_of(what: str, given: object) -> Path:
    """Return what was passed as a path.

    Parameters
    ----------
    what : str
        The name of the argument, for the message.

    Raises
    ------
    InputError
        When it is neither a string nor a path, or has a null character, which no name of a file can have.
    """
    if not isinstance(given, (str, os.PathLike)) or "\0" in str(given):
        raise InputError(f"{what} must be a path, but is {quoted(given)}")
    try:
        return Path(given)
    except TypeError as error:  # of bytes
        raise InputError(f"{what} must be a path, but is {quoted(given)}: {error}") from error


def write_atomically(path: Path, content: bytes, tidy: bool = True) -> None:
    """Write a file so that at any moment the path holds the old content or the new, never a part.

    The bytes go to a temporary file beside it, ``.NAME.XXXXXXXX.cr~``, reach the disk, and then take the name. Where
    the path is a symbolic link, its target is replaced.

    Parameters
    ----------
    tidy : bool
        Whether to remove temporary files that killed writers left, by :func:`remove_leftovers`.

    Raises
    ------
    InputError
        When the folder does not exist or cannot be written, or the path is a device, a pipe or a folder.
    """
    check_is_file_or_free(path)
    path = _followed(path)
    if tidy:
        remove_leftovers(path)
    temporary: Path | None = None
    try:
        with _temporary_file(path) as file:
            temporary = Path(file.name)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            temporary.chmod(0o666 & ~_umask())  # tempfile makes files that only their owner can read
            if sys.platform == "win32":
                file.close()  # an open file cannot be renamed there; elsewhere the lock lasts until it has its name
            temporary.replace(path)
            temporary = None
        _sync_folder(path.parent)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink()


def _temporary_file(path: Path) -> IO[bytes]:
    """Return a new file beside `path`, locked while it is open: the lock shows that its writer is alive."""
    while True:
        file = tempfile.NamedTemporaryFile(  # noqa: SIM115 - the caller closes it
            prefix=f".{path.name}.", suffix=_SUFFIX, dir=path.parent, delete=False
        )
        if sys.platform != "win32":
            with contextlib.suppress(OSError):  # some network file systems have no locks
                fcntl.flock(file, fcntl.LOCK_EX)
        if Path(file.name).exists():  # otherwise another writer removed it before it was locked
            return file
        file.close()


def check_is_file_or_free(path: Path) -> None:
    """Refuse what a file must not take the place of.

    Raises
    ------
    InputError
        When the path is a folder, a device or a pipe, or cannot be looked at.
    """
    try:
        if path.is_dir():
            raise InputError(f"cannot write {path}: it is a folder")
        if path.exists() and not path.is_file():
            raise InputError(f"cannot write {path}: it is not a regular file, but a device or a pipe")
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error


def _followed(path: Path) -> Path:
    """Return where a link leads; a path that is none, or leads round in a circle, stays as it is."""
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def remove_leftovers(path: Path) -> None:
    """Remove the temporary files that a killed :func:`write_atomically` left beside `path`, or where it leads.

    Those of a writer that is still alive stay. This lists the folder, which takes long where it has many files.
    """
    path = _followed(path)
    temporary = re.compile(re.escape(f".{path.name}.") + "[a-z0-9_]{8}" + re.escape(_SUFFIX))  # as tempfile names them
    with contextlib.suppress(OSError):
        for leftover in path.parent.iterdir():
            if temporary.fullmatch(leftover.name):
                _remove_abandoned(leftover)


def _remove_abandoned(temporary: Path) -> None:
    """Remove a temporary file unless its writer is alive."""
    with contextlib.suppress(OSError):
        if not stat.S_ISREG(temporary.lstat().st_mode):  # a pipe would have to be opened by a writer, too
            return
        if sys.platform == "win32":  # where a file that is open cannot be removed
            if time.time() - temporary.stat().st_mtime > _ABANDONED_AFTER:
                temporary.unlink()
        else:
            with temporary.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                temporary.unlink()


def write_tensors(
    path: Path, kind: str, tensors: Mapping[str, NDArray[np.generic]], document: JSON, tidy: bool = True
) -> None:
    """Write a tensor file atomically.

    Parameters
    ----------
    kind : str
        What the file is, such as "chainrule model 1"; :func:`read_tensors` asks for it.
    tensors : mapping
        Arrays by name.
    document : JSON
        What goes with them.
    tidy : bool
        As for :func:`write_atomically`.
    """
    contiguous = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    write_atomically(path, save(contiguous, {"kind": kind, "document": json.dumps(document)}), tidy)


def read_tensors(path: Path, kind: str) -> tuple[dict[str, NDArray[np.floating]], JSON]:
    """Return the tensors and the JSON document of a tensor file, which may come from a stranger.

    Raises
    ------
    InputError
        When the file does not exist, is truncated or corrupt, is of another kind, has a huge header,
        or holds anything but float32 and float64 tensors of finite size.
    """
    try:
        _check_header(path)
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            if metadata.get("kind") != kind:
                raise InputError(f"{path} is not a {kind} file, but {metadata.get('kind', 'of no known kind')!r:.60}")
            tensors = {}
            for name in file.keys():  # noqa: SIM118 - a safetensors file is not a mapping
                if file.get_slice(name).get_dtype() not in ("F32", "F64"):
                    raise InputError(f"{path}: tensor {name!r:.60} is not of float32 or float64")
                tensors[name] = file.get_tensor(name)
        document = json.loads(metadata.get("document", "null"))
        json.dumps(document, ensure_ascii=False).encode()  # JSON can hold half a surrogate pair, which no text can
        return tensors, document
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    except (SafetensorError, ValueError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        reason = " ".join(str(error).split())
        raise InputError(f"{path} is corrupt or not a {kind} file: {reason:.200}") from error


def _check_header(path: Path) -> None:
    """Check the length of the header before anything is read or allocated by it."""
    with path.open("rb") as file:
        start = file.read(8)
        size = os.fstat(file.fileno()).st_size
    length = int.from_bytes(start, "little")
    if len(start) < 8 or size < 8 + length:
        if length > MAX_HEADER:
            raise InputError(f"{path} is not a safetensors file: its header would be {length:,} bytes")
        raise InputError(f"{path} is truncated: {size:,} bytes, too few for its header")
    if length > MAX_HEADER:
        raise InputError(f"{path}: its header of {length:,} bytes is over the limit of {MAX_HEADER:,}")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _sync_folder(folder: Path) -> None:
    """Make a rename outlast a power cut, where the system lets a folder be opened (Windows does not)."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
