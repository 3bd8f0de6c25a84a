"""A microphone for other programs to choose, that hears what it is given."""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
from contextlib import ExitStack
from types import TracebackType
from typing import Self

import numpy as np

from mien.errors import BackendError
from mien.sound import Sound, SoundFormat
from mien.sound_server import ask, need_server, stream_command

NAME = "mien"
"""What other programs list it as."""
_MILLISECONDS = 20
_PIPE = 8192
"""Bytes that may wait for the server: some hundredths of a second, not the third of one that pipes usually hold."""
_WHOLE = 4096
"""Bytes that a pipe takes whole or not at all (PIPE_BUF)."""


class VirtualMicrophone:
    """A null sink whose monitor is offered as a microphone; both are gone after leaving. A context manager.

    `play` never waits: what the server does not take in time is left out and counted.
    """

    def __init__(self, format: SoundFormat) -> None:
        """Set it up.

        Raises:
            BackendError: there is no sound server, or it refuses.
        """
        need_server("virtual microphone")
        self.lost = 0
        """Bytes that were left out."""
        self._format = format
        with ExitStack() as stack:
            sampled = (f"rate={format.rate}", f"channels={format.channels}")  # else the server converts
            self._load(
                stack, "module-null-sink", f"sink_name={NAME}", f"sink_properties=device.description={NAME}", *sampled
            )
            described = f"source_properties=device.description={NAME}"
            self._load(stack, "module-remap-source", f"master={NAME}.monitor", f"source_name={NAME}-mic", described)
            command = stream_command("playback", format, _MILLISECONDS, NAME)
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0)
            stack.callback(self._end)
            assert self._process.stdin is not None
            self._pipe = self._process.stdin.fileno()
            os.set_blocking(self._pipe, False)
            with contextlib.suppress(OSError, AttributeError):  # elsewhere than on Linux it is as long as it is
                fcntl.fcntl(self._pipe, fcntl.F_SETPIPE_SZ, _PIPE)
            self._stack = stack.pop_all()

    @property
    def latency(self) -> float:
        """Seconds from `play` to when it is heard, about."""
        return _MILLISECONDS / 1e3

    def play(self, sound: Sound) -> None:
        """Play a run of the format."""
        data = np.ascontiguousarray(sound.samples.T, "<f4").tobytes()
        step = _WHOLE - _WHOLE % (4 * self._format.channels)
        for first in range(0, len(data), step):
            part = data[first : first + step]
            try:
                os.write(self._pipe, part)
            except (BlockingIOError, BrokenPipeError):
                self.lost += len(part)

    def close(self) -> None:
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _load(self, stack: ExitStack, *module: str) -> None:
        number = ask("virtual microphone", "load-module", *module)
        stack.callback(self._unload, number)

    def _unload(self, number: str) -> None:
        with contextlib.suppress(BackendError):  # the server is gone, and the module with it
            ask("virtual microphone", "unload-module", number)

    def _end(self) -> None:
        self._process.terminate()
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
