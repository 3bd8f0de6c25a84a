"""Processes of our own: begun, waited for, and never left behind."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Final

from mien.errors import MienError

LIMIT: Final = 30.0
"""Seconds that a process is given to end."""


@contextlib.contextmanager
def module(name: str, arguments: Sequence[str], begun: str | None = None) -> Iterator[subprocess.Popen[str]]:
    """A module run as a program, that has written the line `begun`; killed on leaving, if it still runs.

    Raises:
        MienError: it ended before it had begun.
    """
    command = [sys.executable, "-P", "-m", name, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            if begun is not None:
                wait_for_line(process, begun)
            yield process
        finally:
            process.kill()


def wait_for_line(process: subprocess.Popen[str], begun: str) -> str:
    """Read its output up to a line that begins so; that line.

    Raises:
        MienError: it ended before.
    """
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(begun):
            return line.strip()
    raise MienError(f"{process.args!r}: expected it to begin, got exit code {process.wait()}")


def ended(process: subprocess.Popen[str], limit: float = LIMIT) -> int:
    """Wait for its end; its exit code.

    Raises:
        MienError: it does not end.
    """
    try:
        process.wait(limit)
    except subprocess.TimeoutExpired as error:
        raise MienError(f"{process.args!r}: expected it to end within {limit:g} s, got none") from error
    return process.returncode
