"""Where a user's own files of mien lie, by the XDG base directories."""

from __future__ import annotations

import os
from pathlib import Path


def user_cache() -> Path:
    """For what can be made again: $XDG_CACHE_HOME/mien, else ~/.cache/mien."""
    return _folder("XDG_CACHE_HOME", Path(".cache")) / "mien"


def user_models() -> Path:
    """For model bundles: $XDG_DATA_HOME/mien/models, else ~/.local/share/mien/models."""
    return _folder("XDG_DATA_HOME", Path(".local/share")) / "mien/models"


def _folder(variable: str, otherwise: Path) -> Path:
    """A relative path is to be ignored, says the specification."""
    given = Path(os.environ.get(variable, ""))
    return given if given.is_absolute() else Path.home() / otherwise
