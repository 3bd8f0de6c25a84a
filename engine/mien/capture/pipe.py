"""Reading from pipes: standard input, a named pipe, or an `ffmpeg` program that receives SRT."""

from __future__ import annotations

import os
import select
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Final

import av
from av.container.input import InputContainer

from mien.address import host_of, is_known, public_name, unknown
from mien.capture.pixels import describe
from mien.errors import SourceError
from mien.machine.folders import program_with
from mien.machine.programs import Complaints, ended

STANDARD_INPUT = "-"
_BUFFER = 1 << 16
_PROBE: Final = {"probesize": "500000", "analyzeduration": "1000000"}
"""Limits of libav's stream detection in bytes and microseconds."""
_RAW: Final = {"probesize": "500000", "analyzeduration": "1", "fpsprobesize": "0"}
"""Of streams without times, whose rate is told by when they come: libav would read all of `_PROBE` to guess it."""
_PICTURES: Final = {"probesize": "32", "fpsprobesize": "0"}
"""Of pictures one after the other: the first one tells all, and is shown before the second one is whole."""
_FORMATS = {b"\xff\xd8\xff": "mjpeg", b"\x89PNG\r\n\x1a\n": "png_pipe"}
"""Pictures one after the other, by their first bytes: libav would read much to tell one from several."""
_START_CODES = b"\0\0\0\1", b"\0\0\1"
"""With which H.264, HEVC and MPEG video begin, and MPEG-PS, which has times: its first code is `_PACK`."""
_PACK = b"\0\0\1\xba"
_Y4M = b"YUV4MPEG2"
_HEAD = 9
"""Bytes at the beginning that tell such a stream."""
_ENDING = 2.0
"""Seconds that the program is given to end by itself."""


class PipeReader:
    """Interruptible reader of a descriptor, as a file object for libav."""

    def __init__(self, descriptor: int, *, owned: bool) -> None:
        """`owned`: whether it closes the descriptor."""
        self._descriptor = descriptor
        self._owned = owned
        self._woken, self._waker = os.pipe()
        self._lock = Lock()
        self._stopped = False
        self._ahead = b""
        self.received = 0
        """Bytes that came so far."""
        self.interrupted = False
        """Whether a read was interrupted by the user."""

    def head(self, size: int) -> bytes:
        """The first `size` bytes, waiting for them, fewer at the end or after `stop`; they are read again by `read`."""
        while len(self._ahead) < size and (part := self._read(size - len(self._ahead))):
            self._ahead += part
        return self._ahead

    def read(self, size: int) -> bytes:
        """Up to `size` bytes as soon as some are available; empty at the end or after `stop`."""
        if self._ahead:
            given, self._ahead = self._ahead[:size], self._ahead[size:]
            return given
        try:
            return self._read(size)
        except KeyboardInterrupt:  # which libav would swallow
            self.interrupted = True
            self.stop()  # libav reads again after an end
            return b""

    def _read(self, size: int) -> bytes:
        if sys.platform != "win32":  # where only sockets can be waited for
            ready, _, _ = select.select([self._descriptor, self._woken], [], [])
            if self._woken in ready:
                return b""
        came = os.read(self._descriptor, size)
        self.received += len(came)
        return came

    def stop(self) -> None:
        """End a waiting read in another thread, and all later ones."""
        with self._lock:
            if not self._stopped:
                self._stopped = True
                os.close(self._waker)

    def close(self) -> None:
        """Give the descriptors back, once nobody reads any more."""
        self.stop()
        os.close(self._woken)
        if self._owned:
            os.close(self._descriptor)


class PipeFeed:
    """A container (MPEG-TS, Matroska, NUT, ...) that comes through a pipe; it ends when its writer does."""

    def __init__(self, name: str, opening: Callable[[], int], *, owned: bool = True) -> None:
        """`opening`: gives the descriptor to read from; `owned`: it is ours to close."""
        self._name = name
        self._opening = opening
        self._owned = owned
        self._reader: PipeReader | None = None
        self._stopped = False

    @property
    def name(self) -> str:
        return self._name

    @property
    def lasting(self) -> bool:
        return False

    @property
    def patient(self) -> bool:
        return True

    @property
    def received(self) -> int | None:
        return None if self._reader is None else self._reader.received

    def open(self) -> InputContainer:
        reader = self._reader = PipeReader(self._opening(), owned=self._owned)
        if self._stopped:  # before there was anything to stop
            reader.stop()
        try:
            format, options = _kind_of(reader.head(_HEAD))
            return av.open(reader, "r", format=format, options=options, buffer_size=_BUFFER, metadata_errors="replace")
        except (av.FFmpegError, OSError) as error:
            if reader.interrupted:
                raise KeyboardInterrupt from error
            raise SourceError(
                f"{self._name}: expected a stream in a container (MPEG-TS, Matroska, NUT), got none "
                f"({describe(error)}); let the writer use -f mpegts or -f nut"
            ) from error

    def stop(self) -> None:
        self._stopped = True
        reader = self._reader
        if reader is not None:
            reader.stop()

    def close(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()


def _kind_of(head: bytes) -> tuple[str | None, dict[str, str]]:
    """Format and options for a stream that begins so; None: the format is libav's to find out."""
    for signature, format in _FORMATS.items():
        if head.startswith(signature):
            return format, dict(_PICTURES)
    raw = head.startswith((*_START_CODES, _Y4M)) and not head.startswith(_PACK)
    return None, dict(_RAW if raw else _PROBE)


def standard_input() -> PipeFeed:
    """What is written to this program."""
    return PipeFeed(STANDARD_INPUT, _own_input, owned=False)


def _own_input() -> int:
    if sys.stdin is None:  # it was closed before this program began
        raise SourceError(f"{STANDARD_INPUT}: expected an open standard input, got a closed one; give a file or a pipe")
    return sys.stdin.fileno()


def named_pipe(path: Path, name: str) -> PipeFeed:
    """A FIFO; opening it does not wait for a writer, reading does."""
    return PipeFeed(name, lambda: os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)))


def is_pipe(path: Path) -> bool:
    """Whether a path is a FIFO."""
    try:
        return stat.S_ISFIFO(path.stat().st_mode)
    except (OSError, ValueError):
        return False


class SrtFeed:
    """A stream at an address of the scheme srt; each opening starts a program of its own, which ends with it."""

    def __init__(self, address: str) -> None:
        """Look for the program.

        Raises:
            SourceError: there is none that speaks SRT.
        """
        program = program_with("srt")
        if program is None:
            raise SourceError(
                f"{public_name(address)}: expected an ffmpeg program with SRT, got none; install ffmpeg, "
                "or send the stream as RTMP or RTSP"
            )
        quiet = ["-nostdin", "-hide_banner", "-loglevel", "error"]
        self._command = [program, *quiet, "-i", address, "-c", "copy", "-f", "mpegts", "-flush_packets", "1", "pipe:1"]
        self._address, self._name = address, public_name(address)
        self._complaints: Complaints | None = None
        self._pipe = PipeFeed(self._name, self._start)
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped = False

    @property
    def name(self) -> str:
        return self._name

    @property
    def lasting(self) -> bool:
        return True

    @property
    def patient(self) -> bool:
        return False

    @property
    def received(self) -> int | None:
        return self._pipe.received

    def open(self) -> InputContainer:
        """Start the program, and read what it gives.

        Raises:
            SourceError: no such host, nobody who sends there, or something that is no stream.
        """
        host = host_of(self._address)
        if host is not None and not is_known(host):
            raise SourceError(f"{self._name}: expected a stream, got {unknown(host)}")
        try:
            return self._pipe.open()
        except SourceError as error:
            said = self._complaints.last().replace(self._address, self._name) if self._complaints is not None else ""
            raise SourceError(
                f"{self._name}: expected a stream by SRT, got none ({said or 'nothing came'}); "
                "is somebody sending there, are host, port and passphrase right?"
            ) from error

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            if self._process is not None:
                self._process.terminate()
        self._pipe.stop()

    def close(self) -> None:
        self._pipe.close()
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            ended(process, _ENDING)
        complaints, self._complaints = self._complaints, None
        if complaints is not None:
            complaints.close()

    def _start(self) -> int:
        with self._lock:
            if self._stopped:
                raise SourceError(f"{self._name}: expected a stream, got none: it was closed")
            complaints = self._complaints = Complaints()
            with complaints.written_to() as said:
                self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, stderr=said)
            assert self._process.stdout is not None
            with self._process.stdout as output:
                return os.dup(output.fileno())
