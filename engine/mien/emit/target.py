"""Errors of the operating system and of libav for an output, as one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import av

from mien.errors import SinkError
from mien.machine.outputs import as_sink_error


@contextmanager
def as_sink_errors(name: str) -> Iterator[None]:
    """Tell errors of the file system and of libav as one line.

    Raises:
        SinkError: in their place.
    """
    try:
        yield
    except OSError as error:
        raise as_sink_error(name, error) from error
    except av.FFmpegError as error:  # of no number that the system knows
        reason = (error.strerror or type(error).__name__).lower()
        raise SinkError(
            f"{name}: expected to be able to write the output, got an error ({reason}); check path and disk"
        ) from error
