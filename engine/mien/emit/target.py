"""The place of an output: checked before the work, written beside it, renamed at the end."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av

from mien.errors import SinkError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def need_folder(folder: Path, name: str) -> None:
    """Refuse a folder that files cannot be made in.

    Args:
        name: the output as the user called it, for messages.

    Raises:
        SinkError: it does not exist, is no folder, or may not be written to.
    """
    if not folder.exists():
        raise SinkError(f"{name}: expected the folder {str(folder)!r} to exist, got none; create it first")
    if not folder.is_dir():
        raise SinkError(f"{name}: expected {str(folder)!r} to be a folder, got a file; choose another path")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise SinkError(f"{name}: expected to be allowed to write in {str(folder)!r}, got none; change its permissions")


def need_file_place(path: Path, name: str) -> None:
    """Refuse a path that no regular file can be put at; one that is there already will be replaced.

    Raises:
        SinkError: its folder cannot be written in, or it is a folder or a device.
    """
    need_folder(path.parent, name)
    if path.is_dir():
        raise SinkError(f"{name}: expected a file's name, got a folder; name a file in it")
    if path.exists() and not path.is_file():
        raise SinkError(f"{name}: expected a regular file, got a device or pipe; choose another path")


def beside(path: Path) -> Path:
    """A hidden name, not in use, next to `path`."""
    while True:
        place = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
        if not place.exists():
            return place


@contextmanager
def told(name: str) -> Iterator[None]:
    """Tell errors of the file system and of libav as one line.

    Raises:
        SinkError: in their place.
    """
    try:
        yield
    except (OSError, av.FFmpegError) as error:
        raise _as_sink_error(name, error) from error


def replace(source: Path, target: Path) -> None:
    """Give a finished file its name in one step, replacing what was there; its bytes are on the disk before."""
    descriptor = os.open(source, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.replace(source, target)


def remove(path: Path) -> None:
    """Remove a file or a folder with all in it, if it is there."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _as_sink_error(name: str, error: OSError | av.FFmpegError) -> SinkError:
    reason = (error.strerror or type(error).__name__).lower()
    if error.errno in _FULL:
        return SinkError(f"{name}: expected room for the output, got none ({reason}); free some")
    return SinkError(f"{name}: expected to be able to write the output, got an error ({reason}); check path and disk")
