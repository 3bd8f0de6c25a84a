"""What stands behind a path, or one line why it cannot be read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from mien.errors import SourceError, reason_of

_SPECIAL = {
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
}


def is_folder(path: Path, name: str) -> bool:
    """Whether `path` is a folder rather than a readable file that is not empty.

    Args:
        name: how the user called it, for messages.

    Raises:
        SourceError: it is neither.
    """
    try:
        facts = path.stat()
    except (OSError, ValueError) as error:  # also a name that no file can have
        raise SourceError(f"{name}: expected a file, got none ({reason_of(error)}); check the path") from error
    if stat.S_ISDIR(facts.st_mode):
        return True
    special = _SPECIAL.get(stat.S_IFMT(facts.st_mode))
    if special is not None:
        raise SourceError(f"{name}: expected a file, got {special}; record it to a file first")
    if not os.access(path, os.R_OK):
        raise SourceError(f"{name}: expected a file that may be read, got another; change its permissions")
    if facts.st_size == 0:
        raise SourceError(f"{name}: expected a video or a picture, got an empty file; check how it was written")
    return False


def need_file(path: Path, name: str) -> None:
    """Refuse whatever is not a readable file that is not empty.

    Raises:
        SourceError: it is something else.
    """
    if is_folder(path, name):
        raise SourceError(f"{name}: expected a file, got a folder; name a file in it")
