"""The microphone that the sound server has chosen, as runs of sound."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from fractions import Fraction
from types import TracebackType
from typing import Self

import numpy as np

from mien.sound.server import need_server, stream_command
from mien.sound.sound import Sound, SoundFormat

FORMAT = SoundFormat(rate=48000, channels=1)
RUN = 480
"""Samples at once: 10 ms."""
_MILLISECONDS = 10
_BYTES = 4


class Microphone:
    """Iterable, read by one thread; `close` ends it from any. Times count samples from the first one on."""

    def __init__(self) -> None:
        """Begin to listen.

        Raises:
            BackendError: there is no sound server.
        """
        need_server("microphone")
        command = stream_command("record", FORMAT, _MILLISECONDS)
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0)

    @property
    def format(self) -> SoundFormat:
        return FORMAT

    def __iter__(self) -> Iterator[Sound]:
        """Until closed, or the server is gone."""
        count, held = 0, b""
        wanted = RUN * FORMAT.channels * _BYTES
        assert self._process.stdout is not None
        while read := self._process.stdout.read(wanted - len(held)):
            held += read
            if len(held) == wanted:
                samples = np.frombuffer(held, "<f4").reshape(-1, FORMAT.channels).T
                yield Sound(np.ascontiguousarray(samples, np.float32), count, Fraction(1, FORMAT.rate), FORMAT)
                count, held = count + RUN, b""

    def close(self) -> None:
        self._process.terminate()  # which ends the read of whoever iterates
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        if self._process.stdout is not None:
            self._process.stdout.close()
