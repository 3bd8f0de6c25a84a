"""Which sound goes along, where the user does not say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mien.capture.opening import is_live
from mien.emit.virtual import is_virtual
from mien.errors import BackendError
from mien.sound_server import need_server

SoundFrom = Literal["auto", "source", "microphone", "none"]


@dataclass(frozen=True, slots=True)
class Hearing:
    """Where sound comes from and goes to."""

    sound: SoundFrom
    """Not "auto"."""
    virtual_microphone: bool = False
    """Whether it goes, held back as long as pictures take, to a virtual microphone."""
    told: str | None = None
    """Why there is none, in one line."""


def hearing_of(sound: SoundFrom, virtual_microphone: bool, source: object, output: object) -> Hearing:
    """What is heard.

    A call, that is a camera shown on a virtual camera, hears the microphone through a virtual one, so that lips and
    sound are in step; where there is no sound server, it goes on without and says so. Everything else hears the source.

    Args:
        sound: what is wished; only "auto" leaves it to this.
        source, output: as the user called them; objects that are open already are no call.
    """
    if sound != "auto":
        return Hearing(sound, virtual_microphone)
    call = isinstance(output, str) and is_virtual(output) and isinstance(source, str) and is_live(source)
    if not call:
        return Hearing("source", virtual_microphone)
    try:
        need_server("virtual microphone")
    except BackendError as error:
        if virtual_microphone:
            raise
        return Hearing("none", told=f"{error}; the picture goes on without sound, which is then ahead of it in a call")
    return Hearing("microphone", virtual_microphone=True)
