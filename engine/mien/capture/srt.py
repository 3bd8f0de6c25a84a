"""SRT, by an installed `ffmpeg` program that passes the stream on through a pipe as it is."""

from __future__ import annotations

import os
import subprocess
from threading import Lock

from av.container.input import InputContainer

from mien.address import public_name
from mien.capture.pipe import PipeFeed
from mien.errors import SourceError
from mien.machine.ffmpeg import program_with

_ENDING = 2.0
"""Seconds that the program is given to end by itself."""


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
        self._name = public_name(address)
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

    def open(self) -> InputContainer:
        return self._pipe.open()

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
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_ENDING)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _start(self) -> int:
        with self._lock:
            if self._stopped:
                raise SourceError(f"{self._name}: expected a stream, got none: it was closed")
            self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            assert self._process.stdout is not None
            with self._process.stdout as output:
                return os.dup(output.fileno())
