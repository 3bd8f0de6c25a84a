"""`mien serve` as a user starts it, in a process of its own."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

ENDS_IN = 30.0


class RealServer:
    """Listens on a free port of loopback; ready once it is entered."""

    def __init__(self, log: Path, *options: str) -> None:
        self._log = log
        self._command = [sys.executable, "-m", "mien", "serve", "--port", "0", *options]
        self.origin = ""

    def __enter__(self) -> Self:
        with self._log.open("w") as log:
            self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if found := re.search(r"(http://[^/]+)/", line):
                self.origin = found[1]
            if "model:" in line:
                return self
        raise AssertionError(f"mien serve ended: {self._log.read_text()}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.communicate(timeout=ENDS_IN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
            raise

    @property
    def log(self) -> str:
        return self._log.read_text()

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Neither sends nor answers meanwhile, as behind a cable that is pulled."""
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)
