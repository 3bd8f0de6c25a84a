"""The sound server: PulseAudio, or PipeWire in its place, by the commands that both come with, `pactl` and `pacat`.

`Microphone` listens to the one that the server has chosen; `VirtualMicrophone` is one for other programs to choose.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from fractions import Fraction
from types import TracebackType
from typing import Self

import numpy as np

from mien.errors import BackendError
from mien.machine.programs import ended
from mien.sound.drift import Samples, stretched
from mien.sound.sound import Sound, SoundFormat

_PATIENCE = 5.0
"""Seconds until a server that does not answer counts as none."""
_ENDING = 1.0
"""Seconds that a stream's program is given to end by itself."""
FORMAT = SoundFormat(rate=48000, channels=1)
RUN = 480
"""Samples at once: 10 ms."""
_HEARD_MILLISECONDS = 10
_BYTES = 4
NAME = "mien"
"""Its name in other programs."""
_WANTED = "virtual microphone"
_OURS = re.compile(r"(\d+)\s.*\b(?:sink_name|master)=mien-(\d+)\b")
"""A module that such a microphone loaded: its number, and the process that it is for."""
_MILLISECONDS = 20
_PIPE = 8192
"""Pipe size in bytes: some hundredths of a second, less than the usual third of a second."""
_SLACK = 0.015
"""Seconds of sound that may wait in the pipe; more, after a stall, is played faster until it is gone."""
_FASTER = 0.01
"""Speed-up of playback while more waits."""
_WHOLE = 4096
"""Bytes that a pipe takes whole or not at all (PIPE_BUF)."""


def need_server(wanted: str) -> None:
    """Refuse where there is no sound server.

    Args:
        wanted: what it is for, to begin the message with.

    Raises:
        BackendError: in one line, what is missing.
    """
    for command in ("pactl", "pacat"):
        if shutil.which(command) is None:
            raise BackendError(
                f"{wanted}: expected PipeWire or PulseAudio with its command {command!r}, got none; "
                "install pulseaudio-utils, or leave the sound out with --sound none"
            )
    ask(wanted, "info")


def ask(wanted: str, *arguments: str) -> str:
    """What `pactl` answers.

    Raises:
        BackendError: the server refuses, or there is none.
    """
    try:
        done = subprocess.run(["pactl", *arguments], capture_output=True, text=True, timeout=_PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BackendError(f"{wanted}: expected an answer of the sound server, got none ({error})") from error
    if done.returncode != 0:
        said = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
        raise BackendError(f"{wanted}: expected PipeWire or PulseAudio to be running, got: {said}")
    return done.stdout.strip()


def stream_command(way: str, format: SoundFormat, milliseconds: int, device: str | None = None) -> list[str]:
    """`pacat` for a raw stream of float samples, `way` "playback" or "record", that holds `milliseconds` back."""
    return [
        "pacat",
        f"--{way}",
        "--raw",
        "--format=float32le",
        f"--rate={format.rate}",
        f"--channels={format.channels}",
        f"--latency-msec={milliseconds}",
        "--client-name=mien",
        *([] if device is None else [f"--device={device}"]),
    ]


class Microphone:
    """Iterable, read by one thread; `close` ends it from any. Times count samples from the first one on."""

    def __init__(self) -> None:
        """Begin to listen.

        Raises:
            BackendError: there is no sound server.
        """
        need_server("microphone")
        command = stream_command("record", FORMAT, _HEARD_MILLISECONDS)
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
        ended(self._process, _ENDING)  # which ends the read of whoever iterates

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        if self._process.stdout is not None:
            self._process.stdout.close()


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
        """Dropped bytes."""
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
        ended(self._process, _ENDING)
        if self._process.stdin is not None:
            self._process.stdin.close()


def _sweep() -> None:
    """Unload modules left behind by killed processes, dependent modules first."""
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
