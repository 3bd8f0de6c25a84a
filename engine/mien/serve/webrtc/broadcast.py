"""Pictures and sound of one session for any number of peers."""

from __future__ import annotations

from mien.clock import Clock
from mien.emit.ending import Ending
from mien.frame import Frame
from mien.sound import Sound


class Broadcast(Ending):
    """A sink that peers send from: each reads the newest picture, and the sound that belongs to it.

    One thread writes, and is never held up by a peer; without peers writing costs next to nothing. Frames may change
    their size. Sound is held back by as long as the pictures take. `finish` and `discard` end the peers' tracks, not
    the peers.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        """`clock`: of the frames' `captured_at`."""

    def write(self, frame: Frame) -> None:
        """Show a picture, rgb24."""
        raise NotImplementedError

    def write_sound(self, sound: Sound) -> None:
        """Take sound with its own time on the frames' time line."""
        raise NotImplementedError

    @property
    def peers(self) -> int:
        """How many read at present."""
        raise NotImplementedError
