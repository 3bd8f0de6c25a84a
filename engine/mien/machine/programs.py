"""Programs that run beside: ended for certain, and what they complained of."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from typing import Final

_KEPT: Final = 1 << 16
"""Bytes of complaints that are kept, the first ones: so many a pipe holds."""


def ended(process: subprocess.Popen[bytes], patience: float) -> None:
    """Ask a program to end, and kill it if it has not within `patience` seconds; one that was halted never hears."""
    process.terminate()
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Complaints:
    """What a program writes to its standard error, which never makes it wait: what finds no room is lost."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)
        self._said = b""

    @contextlib.contextmanager
    def written_to(self) -> Iterator[int]:
        """The descriptor for the program, which is started inside."""
        try:
            yield self._write
        finally:
            os.close(self._write)

    def last(self) -> str:
        """The last line so far; empty where there is none."""
        with contextlib.suppress(OSError):
            self._said += os.read(self._read, _KEPT)
        lines = self._said.decode(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    def close(self) -> None:
        os.close(self._read)
