"""A microphone for other programs to choose, that hears what it is given."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import subprocess
import sys
import termios
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Self

import numpy as np

from mien.errors import BackendError
from mien.sound.clock import Samples, stretched
from mien.sound.server import ask, need_server, stream_command
from mien.sound.sound import Sound, SoundFormat

NAME = "mien"
"""What other programs list it as."""
_WANTED = "virtual microphone"
_OURS = re.compile(r"(\d+)\s.*\b(?:sink_name|master)=mien-(\d+)\b")
"""A module that such a microphone loaded: its number, and the process that it is for."""
_MILLISECONDS = 20
_PIPE = 8192
"""Bytes that may wait for the server: some hundredths of a second, not the third of one that pipes usually hold."""
_SLACK = 0.015
"""Seconds of sound that may wait in the pipe: what came late, all at once, would else stay in it for good."""
_FASTER = 0.01
"""How much faster sound is played while more waits."""
_BYTES = 4
_WHOLE = 4096
"""Bytes that a pipe takes whole or not at all (PIPE_BUF)."""


class VirtualMicrophone:
    """A null sink whose monitor is offered as a microphone; both are gone after leaving. A context manager.

    `play` never waits: what the server does not take in time is left out and counted.
    """

    def __init__(self, format: SoundFormat, told: Callable[[str], None] = lambda line: None) -> None:
        """Set it up.

        Args:
            told: is told in one line, once, when nobody takes the sound any more.

        Raises:
            BackendError: there is no sound server, or it refuses.
        """
        need_server(_WANTED)
        self.lost = 0
        """Bytes that were left out."""
        self._format = format
        self._told: Callable[[str], None] | None = told
        self._last = np.zeros((format.channels, 1), np.float32)
        sink = f"{NAME}-{os.getpid()}"
        described = f"device.description={NAME}"
        sampled = (f"rate={format.rate}", f"channels={format.channels}")  # else the server converts
        _sweep()
        with ExitStack() as stack:
            self._load(stack, "module-null-sink", f"sink_name={sink}", f"sink_properties={described}", *sampled)
            source = (f"source_name={sink}-mic", f"source_properties={described}")
            self._load(stack, "module-remap-source", f"master={sink}.monitor", *source)
            command = stream_command("playback", format, _MILLISECONDS, sink)
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
        """Seconds from `play` to when it is heard: what the server holds back, and what waits for it."""
        return _MILLISECONDS / 1e3 + self._waiting()

    def play(self, sound: Sound) -> None:
        """Play a run of the format."""
        data = np.ascontiguousarray(self._hastened(sound.samples).T, "<f4").tobytes()
        step = _WHOLE - _WHOLE % (_BYTES * self._format.channels)
        for first in range(0, len(data), step):
            part = data[first : first + step]
            try:
                os.write(self._pipe, part)
            except BlockingIOError:
                self.lost += len(part)
            except BrokenPipeError:
                self.lost += len(part)
                self._tell_end()

    def _hastened(self, samples: Samples) -> Samples:
        """The run, a little shorter while too much waits."""
        count = samples.shape[1]
        if not count:
            return samples
        shorter = max(round(count * (1 - _FASTER)), 1) if self._waiting() > _SLACK else count
        out, self._last = stretched(samples, shorter, self._last), samples[:, -1:]
        return out

    def _waiting(self) -> float:
        """Seconds of sound in the pipe; 0 where the system does not say."""
        held = bytearray(4)
        try:
            fcntl.ioctl(self._pipe, termios.FIONREAD, held)
        except OSError:
            return 0.0
        return int.from_bytes(held, sys.byteorder) / (_BYTES * self._format.channels * self._format.rate)

    def _tell_end(self) -> None:
        if self._told is not None:
            self._told(f"{_WANTED}: expected the sound server to go on, got an end; nobody hears it any more")
            self._told = None

    def close(self) -> None:
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _load(self, stack: ExitStack, *module: str) -> None:
        stack.callback(_unload, ask(_WANTED, "load-module", *module))

    def _end(self) -> None:
        self._process.terminate()
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()


def _sweep() -> None:
    """Unload what was left behind by processes that were killed; what lies on another module goes first."""
    modules = map(_OURS.match, reversed(ask(_WANTED, "list", "short", "modules").splitlines()))
    for number, process in [found.groups() for found in modules if found is not None]:
        if not _is_alive(int(process)):
            _unload(number)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # somebody else's
    return True


def _unload(number: str) -> None:
    with contextlib.suppress(BackendError):  # the server is gone, and the module with it
        ask(_WANTED, "unload-module", number)
