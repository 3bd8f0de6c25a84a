"""Checks of an output's location before the work, and one-line errors of the file system."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from mien.errors import ReaderGone, SinkError, reason_of
from mien.machine.atomic import Destination, Draft, destination_of, standard_output, write_atomically

STANDARD_OUTPUT: Final = "-"
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def need_folder(folder: Path, name: str) -> None:
    """Refuse a folder that files cannot be made in.

    Args:
        name: the output as the user called it, for messages.

    Raises:
        SinkError: it does not exist, is no folder, or may not be written to.
    """
    try:
        os.stat(folder)
    except FileNotFoundError:
        raise SinkError(f"{name}: expected the folder {str(folder)!r} to exist, got none; create it first") from None
    except OSError as error:  # a folder above that may not be entered
        raise as_sink_error(name, error) from error
    if not os.path.isdir(folder):
        raise SinkError(f"{name}: expected {str(folder)!r} to be a folder, got a file; choose another path")
    if os.statvfs(folder).f_flag & os.ST_RDONLY:
        raise SinkError(f"{name}: expected a disk that can be written, got one that is read-only; choose another path")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise SinkError(f"{name}: expected to be allowed to write in {str(folder)!r}, got none; change its permissions")


def need_file_place(path: Path, name: str) -> Destination:
    """Refuse a path that nothing can be written at; a regular file that is there already will be replaced.

    What a permission, a limit of the file system or a flag forbids is found out by trying, with a hidden file.

    Raises:
        SinkError: its folder cannot be written in, it is a folder, or it is closed to writing.
    """
    if not path.name:
        raise SinkError(f"{name}: expected a file's name, got none; name a file")
    with as_sink_errors(name):
        try:
            place = destination_of(path)
        except NotADirectoryError:
            need_folder(path.parent, name)
            raise
        if place.is_folder:
            raise SinkError(f"{name}: expected a file's name, got a folder; name a file in it")
        if place.special:
            _need_open(place, name)
            return place
        need_folder(place.path.parent, name)
        if place.facts is not None:
            os.close(place.open())
        trial = Draft(place.path)
        trial.drop()
        if os.path.lexists(place.path.with_name(trial.path.name)):
            raise SinkError(
                f"{name}: expected a folder where files can be renamed, got one that keeps all; choose another"
            )
        return place


def need_file(path: Path, name: str) -> None:
    """As `need_file_place`, for what needs a regular file.

    Raises:
        SinkError: as that, or it is a device, a pipe or a descriptor.
    """
    if need_file_place(path, name).special:
        raise SinkError(
            f"{name}: expected a regular file, got a device or pipe; a name without an ending is written as a stream"
        )


def is_special(name: str | os.PathLike[str]) -> bool:
    """Whether a name is one of a device, a pipe, or a descriptor of this process."""
    try:
        return destination_of(name).special
    except (OSError, ValueError):
        return False


def identity(name: str | os.PathLike[str]) -> object:
    """Equal for names of one output; None for what any number of outputs may share, such as /dev/null."""
    try:
        place = standard_output() if name == STANDARD_OUTPUT else destination_of(name)
    except (OSError, ValueError):
        return os.fspath(name)
    if place.facts is None:
        return str(place.path)
    if stat.S_ISCHR(place.facts.st_mode) and place.descriptor is None:
        return None
    return place.facts.st_dev, place.facts.st_ino


def write(path: Path, content: bytes, *, patience: float | None = None) -> None:
    """Give `path` this content, whole or not at all; into what is no regular file it is written.

    Args:
        patience: seconds to wait for whoever reads a pipe; None: no limit.

    Raises:
        SinkError: it cannot be written; what was there before still is.
    """
    with as_sink_errors(str(path)):
        write_atomically(path, content, patience=patience)


@contextlib.contextmanager
def as_sink_errors(name: str) -> Iterator[None]:
    """Tell errors of the file system as one line.

    Raises:
        SinkError: in their place; ReaderGone where nobody reads any more.
    """
    try:
        yield
    except (OSError, ValueError) as error:
        raise as_sink_error(name, error) from error


def as_sink_error(name: str, error: OSError | ValueError) -> SinkError:
    """The line for an error of the file system."""
    reason = reason_of(error)
    if isinstance(error, BrokenPipeError):
        return ReaderGone(f"{name}: expected somebody to read the output, got none any more ({reason})")
    if isinstance(error, TimeoutError):
        return SinkError(f"{name}: expected its reader to take the output, got one that does not; it was not delivered")
    if is_full(error):
        return SinkError(f"{name}: expected room for the output, got none ({reason}); free some")
    return SinkError(f"{name}: expected to be able to write the output, got an error ({reason}); check path and disk")


def is_full(error: OSError | ValueError) -> bool:
    """Whether an error says that a disk, a quota or a limit of files has no room left."""
    return isinstance(error, OSError) and error.errno in _FULL


def _need_open(place: Destination, name: str) -> None:
    """That a device may be written; a pipe is not opened for that, which might have no reader yet."""
    if place.descriptor is not None:
        os.close(place.open())
    elif not os.access(place.path, os.W_OK):
        raise SinkError(f"{name}: expected to be allowed to write to it, got none; change its permissions")
    elif place.facts is not None and stat.S_ISSOCK(place.facts.st_mode):
        raise SinkError(f"{name}: expected a file, got a socket; choose another path")
