"""Sample portraits and a sample driver clip in the package; they show nobody."""

from __future__ import annotations

from pathlib import Path

from mien.errors import SourceError

_FOLDER = Path(__file__).parent
_PICTURES = (".jpg", ".png")
_CLIPS = (".mp4",)


def portraits() -> dict[str, Path]:
    """The sample portraits by name, in order of their names.

    Raises:
        SourceError: the installation lacks them.
    """
    found = {path.stem: path for path in _with_suffix(_PICTURES)}
    if not found:
        raise _missing("portrait")
    return found


def driver() -> Path:
    """The sample clip of a face that moves and speaks.

    Raises:
        SourceError: the installation lacks it.
    """
    for path in _with_suffix(_CLIPS):
        return path
    raise _missing("driver clip")


def _with_suffix(suffixes: tuple[str, ...]) -> list[Path]:
    return sorted(path for path in _FOLDER.iterdir() if path.suffix in suffixes)


def _missing(what: str) -> SourceError:
    return SourceError(f"samples: expected a {what} in {_FOLDER}, got none; install mien again")
