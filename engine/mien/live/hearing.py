"""Default choice of the sound input and output of a live run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mien.errors import BackendError, SettingError
from mien.sound.server import need_server

SoundFrom = Literal["auto", "source", "microphone", "none"]
_WANTED = "virtual microphone"


@dataclass(frozen=True, slots=True)
class Hearing:
    """Where sound comes from and goes to."""

    sound: SoundFrom
    """Not "auto"."""
    virtual_microphone: bool = False
    """Whether it goes, held back as long as pictures take, to a virtual microphone."""
    told: str | None = None
    """Why there is none, in one line."""


def hearing_of(sound: SoundFrom, virtual_microphone: bool, *, call: bool, sounding: bool, live: bool) -> Hearing:
    """What is heard.

    In a call the source, or the microphone where that is live and has no sound, goes to a virtual microphone, so that
    lips and sound are in step; where there is no sound server, it goes on without and says so. Everything else hears
    the source.

    Args:
        sound, virtual_microphone: what is wished; only "auto" leaves the choice to this.
        call: whether pictures go to a virtual camera.
        sounding: whether the source has sound.
        live: whether the source is what happens now, and no recording.

    Raises:
        SettingError: there is no sound for the virtual microphone that is wished.
        BackendError: there is no sound server for it.
    """
    if sound != "auto" or not (virtual_microphone or call):
        plain: SoundFrom = "source" if sound == "auto" else sound
        return _needed(Hearing(plain, virtual_microphone), sounding)
    try:
        need_server(_WANTED)
    except BackendError as error:
        if virtual_microphone:
            raise
        return Hearing("none", told=f"{error}; the picture goes on, and is later than your voice in the call")
    if not sounding and not live and not virtual_microphone:
        return Hearing("none")
    return _needed(Hearing("microphone" if live and not sounding else "source", virtual_microphone=True), sounding)


def _needed(hearing: Hearing, sounding: bool) -> Hearing:
    silent = hearing.sound == "none" or (hearing.sound == "source" and not sounding)
    if hearing.virtual_microphone and silent:
        raise SettingError(f"{_WANTED}: expected sound to give it, got a source without; use --sound microphone")
    return hearing
