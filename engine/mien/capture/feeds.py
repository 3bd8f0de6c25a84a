"""Protocol of a feed (what a live source reads from), and the choice of a feed by name."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from av.container.input import InputContainer

from mien.address import public_name, scheme_of
from mien.capture.camera import CameraFeed, is_camera
from mien.capture.network import SCHEMES, NetworkFeed
from mien.capture.pipe import STANDARD_INPUT, named_pipe, standard_input
from mien.capture.screen import PREFIX, ScreenFeed
from mien.errors import SourceError


class Feed(Protocol):
    """An input that can be opened, may break off, and can be reopened."""

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
        """Whether the sender waits when it is not read and may send faster than real time; it is then read ahead."""
        ...

    @property
    def received(self) -> int | None:
        """Bytes that were read so far; None where libav reads by itself, and knows how many there are."""
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


def feed_of(name: str) -> Feed:
    """The feed of a camera, an address, a screen or a pipe.

    Raises:
        SourceError: a name that is understood by none, or what it needs is not on this machine.
    """
    if is_camera(name):
        return CameraFeed(name)
    if name.startswith(PREFIX):
        return ScreenFeed(name)
    if name == STANDARD_INPUT:
        return standard_input()
    scheme = scheme_of(name)
    if scheme == "srt":
        from mien.capture.pipe import SrtFeed

        return SrtFeed(name)
    if scheme in SCHEMES:
        return NetworkFeed(name)
    if scheme is not None:
        known = ", ".join(sorted(SCHEMES | {"srt"}))
        raise SourceError(f"{public_name(name)}: expected an address with one of {known}, got {scheme!r}")
    return named_pipe(Path(name), name)
