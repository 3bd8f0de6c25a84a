"""Content credentials of what a live run writes: its own output, and recordings beside it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace

from mien.api import reenacted
from mien.config import ReenactSettings
from mien.emit.sink import SinkSettings
from mien.errors import MienError, in_one_line
from mien.live.making import Shown
from mien.provenance import all_pictures, own_version, record


def signed(
    made: SinkSettings, shown: Shown, settings: ReenactSettings, source: object, path: str, told: Callable[[str], None]
) -> SinkSettings:
    """Sink settings with credentials of what is shown when the file is begun.

    Raises:
        SettingError: the key that signs cannot be used.
        OSError: a picture cannot be read any more.
    """
    if not settings.credentials.wanted:
        return made
    present = shown.of(settings)
    provenance = replace(record(all_pictures(shown.pictures, present), present, own_version()), payload=made.payload)
    return replace(made, credentials=reenacted(provenance, present, shown.pictures, source, path, told, "live"))


def make_ready(made: SinkSettings, shown: Shown, settings: ReenactSettings, source: object) -> None:
    """Do beforehand what takes long: hash the source, load the library, make a key. A recording is signed while its
    frames wait."""
    with contextlib.suppress(MienError, OSError):  # told when it is needed
        signed(made, shown, settings, source, ".mp4", lambda line: None)


def signed_if_possible(
    made: SinkSettings, shown: Shown, settings: ReenactSettings, source: object, path: str, told: Callable[[str], None]
) -> SinkSettings:
    """As `signed`; where that fails, without credentials, and `told` takes one line."""
    try:
        return signed(made, shown, settings, source, path, told)
    except (MienError, OSError) as error:
        told(f"{path}: expected to sign it, got an error ({in_one_line(error)}); it has no content credentials")
        return made
