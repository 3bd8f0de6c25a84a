"""An engine in a process of its own, from here."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import mien_bench
from mien.errors import BackendError


@dataclass(frozen=True, slots=True)
class Introduction:
    """What an engine says of itself when it is ready."""

    about: str
    trained: bool
    prepared_ms: float
    size: tuple[int, int]
    """Of its answers."""
    moved: int
    """Grey levels by which answers to different frames differ at most."""
    contrast: int
    """Grey levels from the darkest to the brightest of an answer."""


class Child:
    """Starts an adapter (a module) and speaks to it; ends it on leaving."""

    def __init__(self, name: str, module: str, arguments: Sequence[str], python: str = sys.executable) -> None:
        self._name = name
        self._command = [python, "-m", module, *arguments]

    def __enter__(self) -> Self:
        """Start it.

        Raises:
            BackendError: it does not get ready; with what it said last.
        """
        root = str(Path(mien_bench.__file__).parents[1])
        paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            self._command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=environment
        )
        try:
            said = self._answer()
        except BaseException:  # also an interrupt
            self.__exit__(None, None, None)
            raise
        width, height = said["size"]
        self.introduction = Introduction(
            said["about"], said["trained"], said["prepared_ms"], (width, height), said["moved"], said["contrast"]
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def round(self, keep: Path | None = None) -> list[float]:
        """Milliseconds for each frame; the answers are kept as .npy where asked.

        Raises:
            BackendError: the engine broke.
        """
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it has ended; what it said last is told below
            self._process.stdin.write("round\n" if keep is None else f"keep {keep}\n")
            self._process.stdin.flush()
        times: list[float] = self._answer()["ms"]
        return times

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if line:
            found: dict[str, Any] = json.loads(line)
            return found
        assert self._process.stderr is not None
        last = (self._process.stderr.read().strip().splitlines() or ["nothing"])[-1]
        raise BackendError(f"{self._name}: expected it to run, got {last!r}; see what its checkout needs")
