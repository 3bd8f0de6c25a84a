"""Standard streams of a command: usable even if the shell closed them, and safe when their reader ends.

Messages on standard error are optional: a missing reader does not end a command. Output on standard output is not: when
its reader (such as `head`) has ended, the command ends silently.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import select
import sys
from collections.abc import Iterator
from typing import Any, Final, TextIO, cast

_PATIENCE: Final = 1.0
"""Seconds for which a message waits for a reader that has stalled; later ones are lost at once until it reads again."""
_AT_ONCE: Final = select.PIPE_BUF // 4
"""Characters of one write: a pipe that takes anything takes so many without waiting, of four bytes each."""
_FLAGS: Final = {0: os.O_WRONLY, 1: os.O_RDONLY, 2: os.O_RDONLY}
"""That make a use of a closed stream an error, as it would be without a descriptor."""


@contextlib.contextmanager
def standard_streams() -> Iterator[None]:
    """Make the three streams usable for one command; those that tests or programs have put there are left alone."""
    _take_closed_descriptors()
    out, err = sys.stdout, sys.stderr
    if out is None:
        sys.stdout = _on(1)
    if err is None or err is sys.__stderr__:
        sys.stderr = cast(TextIO, _Unheard(err or _on(2)))
    if isinstance(out, io.TextIOWrapper) and out is sys.__stdout__:  # names of files need not be text, nor of its kind
        out.reconfigure(errors="surrogateescape" if out.encoding.lower() == "utf-8" else "backslashreplace")
    try:
        yield
    finally:
        sys.stdout, sys.stderr = out, err


def _on(descriptor: int) -> TextIO:
    return os.fdopen(descriptor, "w", closefd=False)


def silence(stream: TextIO) -> None:
    """Have what a stream still holds, and what comes, go nowhere: else the interpreter complains of it at the end."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, stream.fileno())
        finally:
            os.close(nowhere)


def is_unread(stream: TextIO) -> bool:
    """Whether a stream is a pipe or a socket that nobody reads any more."""
    try:
        looking = select.poll()
        looking.register(stream.fileno(), select.POLLOUT)
        return any(events & (select.POLLERR | select.POLLHUP) for _, events in looking.poll(0))
    except (OSError, ValueError, AttributeError):  # not of the system, or not on this one
        return False


def is_taken(stream: TextIO, seconds: float) -> bool:
    """Whether a stream takes something within so many seconds; a pipe whose reader has stalled does not."""
    try:
        looking = select.poll()
        looking.register(stream.fileno(), select.POLLOUT)
        return bool(looking.poll(seconds * 1e3))
    except (OSError, ValueError, AttributeError):  # not of the system, or not on this one
        return True


class _Unheard:
    """Writes on to a stream for as long as that takes it; what a stalled reader does not take is left out."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._patience = _PATIENCE

    def write(self, text: str) -> int:
        try:
            for first in range(0, len(text), _AT_ONCE):
                if not self._is_taken():
                    break
                self._stream.write(text[first : first + _AT_ONCE])
        except OSError:
            silence(self._stream)
        return len(text)

    def flush(self) -> None:
        try:
            if self._is_taken():
                self._stream.flush()
        except OSError:
            silence(self._stream)

    def _is_taken(self) -> bool:
        taken = is_taken(self._stream, self._patience)
        self._patience = _PATIENCE if taken else 0.0
        return taken

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _Once(logging.Filter):
    """Passes the same words once."""

    def __init__(self) -> None:
        super().__init__()
        self._told: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        words = record.getMessage()
        new = words not in self._told
        self._told.add(words)
        return new


def is_of_mien_or_wrong(record: logging.LogRecord) -> bool:
    """Whether a user should see it: libraries warn of much that is no concern of theirs."""
    return record.levelno >= logging.ERROR or record.name.startswith("mien")


@contextlib.contextmanager
def warnings_told(*, debug: bool) -> Iterator[None]:
    """Tell what mien logs as a warning on standard error, a line each and each once; of libraries only what is wrong.

    Not for `mien serve`, whose log has a form of its own.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("mien: %(message)s"))
    handler.addFilter(_Once())
    root = logging.getLogger()
    if not debug:
        handler.addFilter(is_of_mien_or_wrong)
    handler.setLevel(logging.WARNING)
    root.addHandler(handler)
    logging.captureWarnings(not debug)
    try:
        yield
    finally:
        logging.captureWarnings(False)
        root.removeHandler(handler)


def _take_closed_descriptors() -> None:
    """Else the next file that is opened becomes a standard stream, and what libraries say there goes into it."""
    for number, flags in _FLAGS.items():
        try:
            os.fstat(number)
        except OSError:
            nowhere = os.open(os.devnull, flags)
            if nowhere != number:
                os.dup2(nowhere, number)
                os.close(nowhere)
            else:
                os.set_inheritable(number, True)
