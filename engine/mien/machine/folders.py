"""The user's folders for cache and models (XDG base directories), temporary ones, and finding the `ffmpeg` program."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from mien.errors import SettingError

_SECONDS = 10.0
_MEMORY = "/dev/shm"
"""A file system in memory that Linux has, containers too."""


def user_cache() -> Path | None:
    """For what can be made again: $XDG_CACHE_HOME/mien, else ~/.cache/mien; None for a user without a home folder."""
    return _within("XDG_CACHE_HOME", ".cache", "mien")


def user_models() -> Path | None:
    """For model bundles: $XDG_DATA_HOME/mien/models, else ~/.local/share/mien/models; None without a home folder."""
    return _within("XDG_DATA_HOME", ".local/share", "mien/models")


def user_credentials() -> Path | None:
    """For the key that signs and its certificates: $XDG_DATA_HOME/mien/credentials, as above."""
    return _within("XDG_DATA_HOME", ".local/share", "mien/credentials")


def user_records() -> Path | None:
    """For the records of calls: $XDG_DATA_HOME/mien/records, as above."""
    return _within("XDG_DATA_HOME", ".local/share", "mien/records")


def _within(variable: str, otherwise: str, name: str) -> Path | None:
    """A relative path is to be ignored, says the specification."""
    given = Path(os.environ.get(variable, ""))
    if given.is_absolute():
        return given / name
    home = os.path.expanduser("~")  # "~" itself where nothing names one: no HOME, and a user whom the system lacks
    return Path(home, otherwise, name) if os.path.isabs(home) else None


@contextlib.contextmanager
def temporary_folder(cure: str) -> Iterator[Path]:
    """A folder that its owner may use, under any umask, and that is removed on leaving.

    It is in memory where no disk may be written, as in a container with a read-only root.

    Args:
        cure: what to do where there cannot be one, for the message.

    Raises:
        SettingError: there is no place for one.
    """
    folder = _made(cure)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _made(cure: str) -> Path:
    for place in (None, _MEMORY):
        with contextlib.suppress(OSError):
            folder = Path(tempfile.mkdtemp(prefix="mien-", dir=place))
            folder.chmod(stat.S_IRWXU)
            return folder
    raise SettingError(f"expected a folder for temporary files, got none that may be written to; {cure}")


def program_with(protocol: str) -> str | None:
    """Path of an installed `ffmpeg` that speaks a protocol in both directions; None where there is none."""
    program = shutil.which("ffmpeg")
    if program is None:
        return None
    asked = [program, "-hide_banner", "-protocols"]
    try:
        answer = subprocess.run(asked, capture_output=True, text=True, timeout=_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    inputs, _, outputs = answer.stdout.partition("Output:")
    return program if protocol in inputs.split() and protocol in outputs.split() else None
