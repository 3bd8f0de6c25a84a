"""Child processes: started, waited for, never left behind; among them a server in measuring mode."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from subprocess import DEVNULL
from types import TracebackType
from typing import IO, Final, Self

from mien.config import ReenactSettings
from mien.errors import MienError

LIMIT: Final = 30.0
"""Seconds that a process is given to end."""
SESSION: Final = "session"
"""Line with the session's id, once it is established."""
SEEN: Final = "seen"
"""Line at the first readable picture."""
SECOND: Final = "second"
"""Every second from then on, with JSON: `at`, `pictures` that came since, and the `p95` of their latencies in ms."""
REFUSED: Final = 3
"""Exit code where the server is full."""
_SAID: Final = "mien serve: "
_READY: Final = "mien serve: model: "
_ENDING: Final = 20.0


def begin_module(name: str, arguments: Sequence[str], said: IO[str] | int | None = DEVNULL) -> subprocess.Popen[str]:
    """Start a module as a program that ends with this process, however that ends; its standard output is a pipe.

    `said`: where its standard error goes.
    """
    command = [sys.executable, "-P", "-m", "mien_bench.latency.tied", name, *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, text=True)


@contextlib.contextmanager
def run_module(
    name: str, arguments: Sequence[str], begun: str | None = None, said: int | None = DEVNULL
) -> Iterator[subprocess.Popen[str]]:
    """A module run as a program, that has written the line `begun`; killed on leaving, if it still runs.

    `said`: where its standard error goes; None: to ours.

    Raises:
        MienError: it ended before it had begun.
    """
    with begin_module(name, arguments, said) as process:
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


def wait_for_end(process: subprocess.Popen[str], limit: float = LIMIT) -> int:
    """Wait for its end; its exit code.

    Raises:
        MienError: it does not end.
    """
    try:
        process.wait(limit)
    except subprocess.TimeoutExpired as error:
        raise MienError(f"{process.args!r}: expected it to end within {limit:g} s, got none") from error
    return process.returncode


class Server:
    """Close it; what was started then ends."""

    def __init__(
        self,
        settings: ReenactSettings,
        *,
        url: str | None = None,
        sessions: int | None = None,
        extra: Sequence[str] = (),
    ) -> None:
        """Start nothing yet.

        Args:
            url: of a server that runs with `--measure`; None: our own.
            sessions: that our own admits; None: as many as it measures to fit.
            extra: options of `mien serve`.
        """
        self._settings = settings
        self._url = url
        self._extra = [*extra, *([] if sessions is None else ["--max-sessions", str(sessions)])]
        self._process: subprocess.Popen[str] | None = None
        self.about = ""
        """What makes its pictures and how many sessions it admits, in its own words."""

    @property
    def url(self) -> str:
        """Its address, once it is ready.

        Raises:
            MienError: it does not start.
        """
        if self._url is None:
            self._url = self._started()
        return self._url

    @property
    def pid(self) -> int | None:
        """Of our own; None of one that ran already."""
        return None if self._process is None else self._process.pid

    def close(self) -> None:
        """End our own in order; killed where that takes too long."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=_ENDING)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _started(self) -> str:
        own = ["serve", "--port", "0", "--measure", *_options(self._settings)]
        self._process = begin_module("mien", [*own, *self._extra])
        try:
            url = wait_for_line(self._process, _SAID).removeprefix(_SAID)
            self.about = wait_for_line(self._process, _READY).removeprefix(_READY)
        except BaseException:  # also an interrupt
            self.close()
            raise
        return url.rstrip("/")


def _options(settings: ReenactSettings) -> list[str]:
    names = ("model", "backend", "style", "size", "threads")
    given = {name: getattr(settings, name) for name in names}
    parts = [part for name, value in given.items() if value is not None for part in (f"--{name}", str(value))]
    return [*parts, *([] if settings.mark else ["--no-mark"])]
