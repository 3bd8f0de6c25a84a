"""A sink on its own thread, so that a slow network or disk does not block the caller."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

from mien.cancellation import Cancellation
from mien.emit.sink import Sink, SinkBase
from mien.errors import SinkError
from mien.frame import Frame
from mien.handover import DropQueue
from mien.machine.signals import is_ending
from mien.machine.threads import begun
from mien.sound.sound import Sound

FRAMES, SOUNDS = 4, 100
"""Frames and runs of sound that may wait; of more, the newest."""
OPENING = 15.0
"""Time limit in seconds for opening a sink."""
ENDING = 5.0
"""Time limit in seconds for writing the rest and finishing."""
STOPPING = 1.0
"""Time limit in seconds for stopping, and for writing the rest where a signal has ended the command."""
GIVING_UP = 0.5
"""Time limit in seconds for the end of a cancelled opening."""


class ThreadedSink(SinkBase):
    """Opens, writes and ends a sink on its own thread; frames that it cannot keep up with are dropped.

    Frames are kept until they are written, so their arrays must not change. The sink's first error is raised by the
    next call.
    """

    def __init__(self, opening: Callable[[], Sink], name: str, cancellation: Cancellation | None = None) -> None:
        """Open it.

        Args:
            name: the output as the user called it, for messages.
            cancellation: ends the wait; what is being opened is given back by the thread that opens it.

        Raises:
            SinkError: it cannot be opened, or not in time.
            Stopped: it was cancelled.
        """
        cancellation = cancellation or Cancellation()
        self._opening = opening
        self._name = name
        self._waiting: DropQueue[Frame | Sound] = DropQueue({Frame: FRAMES, Sound: SOUNDS}, type)
        self._opened = Event()
        self._discarded = False
        self._sink: Sink | None = None
        self._error: SinkError | None = None
        self._thread = begun("mien-sink", self._run)
        with cancellation.calling(self._opened.set):
            answered = self._opened.wait(OPENING)
        if cancellation.is_cancelled:
            self.discard(wait=GIVING_UP)
            cancellation.need_wanted()
        if not answered:
            self.discard(wait=0.0)
            raise SinkError(f"{name}: expected an answer within {OPENING:g} s, got none; check address and network")
        self._raise()

    @property
    def dropped(self) -> int:
        """Dropped frames."""
        return self._waiting.dropped(Frame)

    def write(self, frame: Frame) -> None:
        """Hand over without waiting.

        Raises:
            SinkError: the sink has failed.
        """
        self._raise()
        self._waiting.put(frame)

    def write_sound(self, sound: Sound) -> None:
        """Hand over without waiting.

        Raises:
            SinkError: the sink has failed.
        """
        self._raise()
        self._waiting.put(sound)

    def finish(self) -> None:
        """Write the rest, and finish.

        Raises:
            SinkError: it failed, or nobody took the rest in time.
        """
        patience = STOPPING if is_ending() else ENDING
        self._waiting.close()
        self._thread.join(patience)
        if self._thread.is_alive():
            raise SinkError(
                f"{self._name}: expected its reader to take the rest within {patience:g} s, got one that does not; "
                "the end of the stream was not delivered"
            )
        self._raise()

    def discard(self, *, wait: float = STOPPING) -> None:
        """Stop: a sink that does not let go within `wait` seconds is stopped under way. Its own thread discards it."""
        self._discarded = True
        self._waiting.close(empty=True)
        self._thread.join(wait)
        if self._thread.is_alive() and self._sink is not None:
            self._sink.stop()
            self._thread.join(wait)

    def stop(self) -> None:
        sink = self._sink
        if sink is not None:
            sink.stop()

    def _raise(self) -> None:
        if self._error is not None:
            error, self._error = self._error, None
            self._waiting.close(empty=True)
            raise error

    def _run(self) -> None:
        try:
            sink = self._sink = self._opening()
        except SinkError as error:
            self._error = error
            return
        finally:
            self._opened.set()
        try:
            self._pass_on(sink)
        except SinkError as error:
            self._error = error
            sink.discard()

    def _pass_on(self, sink: Sink) -> None:
        for item in self._waiting:
            if isinstance(item, Sound):
                sink.write_sound(item)
            else:
                sink.write(item)
        if self._discarded:
            sink.discard()
        else:
            sink.finish()
