"""What a live source reads from."""

from __future__ import annotations

from typing import Protocol

from av.container.input import InputContainer


class Feed(Protocol):
    """Something that can be opened, breaks off, and may be opened again."""

    @property
    def name(self) -> str:
        """How it is called in messages."""
        ...

    @property
    def lasting(self) -> bool:
        """Whether it is opened again when it ends or breaks off."""
        ...

    @property
    def patient(self) -> bool:
        """Whether its sender can be held up, and may give more than the time that passes: it is read ahead."""
        ...

    def open(self) -> InputContainer:
        """A container that is read by the thread that opened it, and closed by it.

        Raises:
            SourceError: it is not there, taken, or not what was expected.
        """
        ...

    def stop(self) -> None:
        """End, from another thread, what libav's interrupt does not: reads of our own. It is opened no more."""
        ...

    def close(self) -> None:
        """Give back what `open` took beside the container, which is closed by now, or was never made."""
        ...
