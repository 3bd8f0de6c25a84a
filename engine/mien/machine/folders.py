"""Where a user's own files of mien lie, by the XDG base directories."""

from __future__ import annotations

import os
from pathlib import Path


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
