"""A recording beside the sink, which it never holds up."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread

from mien.emit.sink import Sink
from mien.emit.steady import Rebased
from mien.errors import MienError
from mien.frame import Frame
from mien.handover import Channel, Closed
from mien.sound.sound import Sound

DEPTH = 50
"""Frames and runs of sound that may wait to be encoded: about a second."""


class Recording:
    """Writes what it is offered on a thread of its own, from time 0 on; what finds no room is left out."""

    def __init__(self, opened: Callable[[], Sink], told: Callable[[str], None]) -> None:
        """Begin.

        Args:
            opened: opens the sink, on the thread that will write to it.
            told: is told in one line what went wrong, on that thread.
        """
        self._opened = opened
        self._told = told
        self._waiting: Channel[Frame | Sound] = Channel(DEPTH)
        self._thread = Thread(target=self._run, name="mien-record", daemon=True)
        self._thread.start()

    def offer(self, item: Frame | Sound) -> bool:
        """Whether there was room, or nothing is recorded any more."""
        try:
            return self._waiting.offer(item)
        except Closed:
            return True

    def end(self) -> None:
        """Let it finish what waits; does not wait for that."""
        self._waiting.close()

    @property
    def finished(self) -> bool:
        return not self._thread.is_alive()

    def join(self) -> None:
        """Wait until it is finished."""
        self._thread.join()

    def _run(self) -> None:
        try:
            with Rebased(self._opened()) as sink:
                for item in self._waiting:
                    if isinstance(item, Sound):
                        sink.write_sound(item)
                    else:
                        sink.write(item)
        except Exception as error:  # whatever is wrong with the recording, what is shown goes on
            self._told(str(error) if isinstance(error, MienError) else f"the recording ended: {error!r}")
        finally:
            self._waiting.cancel()
