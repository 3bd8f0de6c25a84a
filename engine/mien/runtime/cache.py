"""Cache of measurements and compiled graphs on disk. If nothing can be written, everything works without it."""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import json
import logging
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mien.errors import Stopped, reason_of
from mien.machine.atomic import write_atomically
from mien.machine.folders import temporary_folder, user_cache
from mien.machine.reading import read_regular
from mien.machine.signals import is_ending

logger = logging.getLogger(__name__)

LOCK = "lock"
PATIENCE, LOOK = 60.0, 0.05
"""Time limit in seconds for waiting for another process, and polling interval."""


def key_of(facts: Mapping[str, Any]) -> str:
    """Cache key: SHA-256, in hexadecimal, of facts in JSON form."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Cache:
    """Files in a user folder; each name contains a hash of the inputs that its content depends on."""

    folder: Path | None = field(default_factory=user_cache)
    """None: nothing is cached."""

    def read(self, name: str) -> bytes | None:
        """The content of this name; None where there is none."""
        if self.folder is None:
            return None
        try:
            return read_regular(self.folder / name)
        except OSError:
            return None

    def write(self, name: str, content: bytes) -> bool:
        """Store the content atomically; returns False, with a warning, if that fails."""
        if self.folder is None:
            return self._warned("there is no home folder")
        path = self.folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, content)
        except OSError as error:
            return self._warned(reason_of(error))
        return True

    def place(self, name: str) -> Path | None:
        """A folder of this name, for a runtime's own files; None if it cannot be created."""
        if self.folder is None:
            self._warned("there is no home folder")
            return None
        path = self.folder / name
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            self._warned(reason_of(error))
            return None
        if not os.access(path, os.W_OK | os.X_OK):
            self._warned("what is in it may not be written to")
            return None
        return path

    def _warned(self, reason: str) -> bool:
        """Log a warning with the same words for all names, so that it is shown once."""
        logger.warning(
            "nothing can be kept in %s (%s), so that it is made again each time; XDG_CACHE_HOME names another folder",
            self.folder or "a cache",
            reason,
        )
        return False


@contextlib.contextmanager
def alone(folder: Path, patience: float = PATIENCE) -> Iterator[bool]:
    """Lock across processes and threads on a runtime's own files in `folder`, which must exist.

    Runtimes overwrite these files in place, and a process that has such a file mapped is then killed (SIGBUS).

    Yields whether the folder may be used: False if another process still held the lock after `patience` seconds.

    Raises:
        Stopped: a signal ended the command meanwhile.
    """
    try:
        import fcntl

        lock = (folder / LOCK).open("ab")
    except (ImportError, OSError):  # not on this system, or nothing can be written there, by others neither
        yield True
        return
    with lock:
        left = patience
        while not _taken(fcntl, lock.fileno()):
            if left <= 0:
                logger.warning("%s is used by another process; what it would keep is made anew", folder)
                yield False
                return
            if is_ending():
                raise Stopped(f"{folder}: expected another process to leave it, got the end of the program")
            time.sleep(LOOK)
            left -= LOOK
        yield True


def keep_matplotlib_here() -> None:
    """Have matplotlib keep its font cache in mien's folder, unless it is imported or was given a folder already.

    Where mien has none, the cache is in a temporary folder until the program ends: the one that matplotlib would make
    is of no use under a umask that takes the owner's rights, and its removal then writes a traceback.

    Raises:
        SettingError: there is no place for one.
    """
    if "matplotlib" not in sys.modules and "MPLCONFIGDIR" not in os.environ:
        place = Cache().place("matplotlib")
        if place is None:
            folder = ExitStack()
            place = folder.enter_context(temporary_folder("TMPDIR or XDG_CACHE_HOME names one"))
            atexit.register(folder.close)
        os.environ["MPLCONFIGDIR"] = str(place)


def _taken(fcntl: Any, lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks: as good as it gets
        return True
    return True
