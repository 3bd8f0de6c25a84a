"""The background that a setting names, with its picture read."""

from __future__ import annotations

from typing import cast, get_args

from mien.capture import image
from mien.errors import SettingError, SourceError
from mien.fuse.background import COLOURS, Background, Kind, colour_of, plain

_NAMED = tuple(kind for kind in get_args(Kind) if kind != "picture")


def background_of(setting: str) -> Background:
    """What `keep`, `blur`, `alpha`, a colour (`#rrggbb` or a name) or the path of a picture stands for.

    Raises:
        SettingError: it is none of the words, no colour, and no picture can be read there.
    """
    if setting in _NAMED:
        return Background(cast(Kind, setting))
    colour = colour_of(setting)
    if colour is not None:
        return plain(colour)
    try:
        return Background("picture", image.read(setting))
    except SourceError as error:
        words = ", ".join((*_NAMED, *COLOURS))
        raise SettingError(f"background must be one of {words}, a colour as #rrggbb, or a picture; {error}") from error
