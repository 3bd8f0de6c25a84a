"""The user's folders for cache and models (XDG base directories), and finding the `ffmpeg` program."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

_SECONDS = 10.0


def user_cache() -> Path | None:
    """For what can be made again: $XDG_CACHE_HOME/mien, else ~/.cache/mien; None for a user without a home folder."""
    return _within("XDG_CACHE_HOME", ".cache", "mien")


def user_models() -> Path | None:
    """For model bundles: $XDG_DATA_HOME/mien/models, else ~/.local/share/mien/models; None without a home folder."""
    return _within("XDG_DATA_HOME", ".local/share", "mien/models")


def _within(variable: str, otherwise: str, name: str) -> Path | None:
    """A relative path is to be ignored, says the specification."""
    given = Path(os.environ.get(variable, ""))
    if given.is_absolute():
        return given / name
    home = os.path.expanduser("~")  # "~" itself where nothing names one: no HOME, and a user whom the system lacks
    return Path(home, otherwise, name) if os.path.isabs(home) else None


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
