"""What a live source's name stands for."""

from __future__ import annotations

from pathlib import Path

from mien.address import public_name, scheme_of
from mien.capture.camera import CameraFeed
from mien.capture.cameras import is_camera
from mien.capture.feed import Feed
from mien.capture.network import SCHEMES, NetworkFeed
from mien.capture.pipe import STANDARD_INPUT, named_pipe, standard_input
from mien.capture.screen import PREFIX, ScreenFeed
from mien.errors import SourceError


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
        from mien.capture.srt import SrtFeed

        return SrtFeed(name)
    if scheme in SCHEMES:
        return NetworkFeed(name)
    if scheme is not None:
        known = ", ".join(sorted(SCHEMES | {"srt"}))
        raise SourceError(f"{public_name(name)}: expected an address with one of {known}, got {scheme!r}")
    return named_pipe(Path(name), name)
