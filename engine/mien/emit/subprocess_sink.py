"""A live stream sent by a child process.

PyAV holds the interpreter's lock (GIL) while libav connects, and libav cannot be interrupted while it sends: within
this process, a server that does not answer would block everything. A child process can be awaited and killed.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import replace
from threading import Timer
from typing import Any

from mien.address import public_name
from mien.cancellation import Cancellation
from mien.emit.sink import SinkBase, SinkSettings
from mien.errors import SinkError
from mien.frame import Frame
from mien.sound.sound import Sound

OPENING = 10.0
ENDING = 4.0
"""Time limits in seconds for connecting and ending."""
READY, DONE = "ready", "done"


class SubprocessSink(SinkBase):
    """A `StreamSink` in a process that ends with this one. Used by one thread; `discard` may be called by any."""

    def __init__(
        self, name: str, settings: SinkSettings, *, threads: int = 0, cancellation: Cancellation | None = None
    ) -> None:
        """Start it and wait until it has connected; arguments as for `StreamSink`. `cancellation` ends the wait.

        Raises:
            SinkError: it does not connect.
        """
        self._name = public_name(name)
        command = [sys.executable, "-P", "-m", "mien.emit.sender"]  # nothing is imported from the folder we are in
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=False, start_new_session=True
        )
        try:
            with (cancellation or Cancellation()).calling(self._process.kill):
                self._send((name, settings, threads))
                self._expect(READY, OPENING)
        except BaseException:
            self.discard()
            raise

    def write(self, frame: Frame) -> None:
        """Hand over; blocks while the network does.

        Raises:
            SinkError: the stream broke off.
        """
        self._send(replace(frame, answers=None))  # the driver stays here

    def write_sound(self, sound: Sound) -> None:
        """Hand over; blocks while the network does.

        Raises:
            SinkError: the stream broke off.
        """
        self._send(sound)

    def finish(self) -> None:
        self._send(None)
        self._expect(DONE, ENDING)
        self.discard()

    def stop(self) -> None:
        self._process.kill()

    def discard(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            try:
                pipe.close()
            except (OSError, ValueError):
                continue  # what was left cannot be written any more

    def _send(self, item: Any) -> None:
        assert self._process.stdin is not None
        try:
            pickle.dump(item, self._process.stdin, protocol=5)
            self._process.stdin.flush()
        except (OSError, ValueError) as error:
            raise SinkError(self._answer() or f"{self._name}: expected to go on streaming, got an end") from error

    def _expect(self, word: str, seconds: float) -> None:
        timer = Timer(seconds, self._process.kill)
        timer.start()
        answer = self._answer()
        timer.cancel()
        if answer != word:
            raise SinkError(
                answer or f"{self._name}: expected an answer within {seconds:g} s, got none; check address and network"
            )

    def _answer(self) -> str:
        """Its next line of output; empty after its end."""
        assert self._process.stdout is not None
        try:
            return self._process.stdout.readline().decode(errors="replace").strip()
        except (OSError, ValueError):
            return ""
