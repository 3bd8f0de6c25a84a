"""Errors that a user can cause or fix; the command line prints them as one line and exits with 2."""

from __future__ import annotations


class MienError(Exception):
    """Base class of errors that are shown as one line instead of a traceback."""


class SourceError(MienError):
    """A driver or portrait that cannot be read: what, expected, got, what to do."""


class SinkError(MienError):
    """An output that cannot be written."""


class ReaderGone(SinkError):
    """The reader of an output, such as `head`, has ended: commands then end silently with exit code 141."""


class FaceError(MienError):
    """A picture without a usable face."""


class SettingError(MienError):
    """A setting outside of its range, or settings that exclude each other."""


class ModelError(MienError):
    """A model bundle that is missing, broken or foreign: which file, what was expected, what it is."""


class BackendError(MienError):
    """A runtime or kernel that is missing or broken, with its likely causes."""


class Stopped(MienError):
    """Work that was given up because the program ends; nobody is left to be told."""


def reason_of(error: OSError | ValueError) -> str:
    """What the system says of an error, in lower case."""
    said = error.strerror if isinstance(error, OSError) else None
    return (said or str(error) or type(error).__name__).lower()


def cure_of(error: OSError | ValueError, otherwise: str = "check the path") -> str:
    """What to do about an error of a file: where a permission is missing, to give it; else what `otherwise` says."""
    return "change its permissions" if isinstance(error, PermissionError) else otherwise


_BREAKS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))} | {0x2028: "\\u2028", 0x2029: "\\u2029"}


def without_controls(text: str) -> str:
    """`text` with characters that would break its line, or speak to a terminal, written out: names may have any."""
    return text.translate(_BREAKS)


def in_one_line(error: BaseException) -> str:
    """Its kind and what it says, without line breaks."""
    return " ".join(f"{type(error).__name__}: {error}".split())
