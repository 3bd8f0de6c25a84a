"""A server in measuring mode: one that runs already, or one of our own, started when it is first needed."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

from mien.config import ReenactSettings
from mien_bench.latency.process import wait_for_line

_SAID: Final = "mien serve: "
_READY: Final = "mien serve: model: "
_ENDING: Final = 20.0


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
        command = [sys.executable, "-P", "-m", "mien", "serve", "--port", "0", "--measure", *_options(self._settings)]
        self._process = subprocess.Popen(
            [*command, *self._extra], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        try:
            url = wait_for_line(self._process, _SAID).removeprefix(_SAID)
            self.about = wait_for_line(self._process, _READY).removeprefix(_READY)
        except BaseException:  # also an interrupt
            self.close()
            raise
        return url.rstrip("/")


def _options(settings: ReenactSettings) -> list[str]:
    given = {"model": settings.model, "backend": settings.backend, "size": settings.size, "threads": settings.threads}
    parts = [part for name, value in given.items() if value is not None for part in (f"--{name}", str(value))]
    return [*parts, *([] if settings.mark else ["--no-mark"])]
