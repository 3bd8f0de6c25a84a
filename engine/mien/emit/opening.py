"""The one door: whatever the user names -> a sink, or one line why not."""

from __future__ import annotations

import os
import re
from pathlib import Path

from mien.emit.sink import Sink, SinkSettings
from mien.emit.video import CONTAINERS, VideoQuality, VideoSink
from mien.errors import SinkError

WINDOW = "window"
NOTHING = "null"
_PATTERN = re.compile(r"%0?\d*d")


def open(
    target: str | os.PathLike[str],
    settings: SinkSettings,
    *,
    mark: bool = True,
    beside: tuple[int, int] | None = None,
    quality: VideoQuality | None = None,
    threads: int = 0,
) -> Sink:
    """Open where frames go, and check it before any work is done.

    Args:
        target: a video (.mp4, .m4v, .mov, .mkv, .webm); one picture (.png, .jpg); a folder or a pattern (`%05d.png`)
            for numbered pictures; "window" for a preview; "null" to drop everything.
        settings: of the frames that will be written.
        mark: draw the visible mark "synthetic" on a copy of every frame; the metadata says so in any case.
        beside: (width, height) of the driver's frames, to show them on the left of the output.
        quality: of a video.
        threads: of the video encoder, a share of the caller's budget; 0: all processors.

    Raises:
        SinkError: a folder that does not exist or may not be written to, a folder or device where a file is needed, an
            unknown ending, no display.
    """
    from mien.emit.compare import CompareSink, beside_settings
    from mien.emit.mark import Marked

    outer = settings if beside is None else beside_settings(settings, beside)
    sink = _bare(os.fspath(target), outer, quality or VideoQuality(), threads)
    if mark:
        sink = Marked(sink)
    return sink if beside is None else CompareSink(sink, settings, beside)


def _bare(name: str, settings: SinkSettings, quality: VideoQuality, threads: int) -> Sink:
    if name == WINDOW:
        from mien.emit.window import WindowSink

        return WindowSink(settings)
    if name == NOTHING:
        from mien.emit.memory import NullSink

        return NullSink()
    if Path(name).suffix.lower() in CONTAINERS:
        return VideoSink(Path(name), settings, quality=quality, threads=threads)
    return _pictures(name, settings)


def _pictures(name: str, settings: SinkSettings) -> Sink:
    from mien.emit.images import SequenceSink, StillSink
    from mien.emit.picture import ENDINGS

    path = Path(name)
    ending = path.suffix.lower()
    if path.is_dir() or not ending or _PATTERN.search(path.name) or name.endswith(os.sep):
        return SequenceSink(path, settings)
    if ending in ENDINGS:
        return StillSink(path, settings)
    endings = ", ".join([*CONTAINERS, *ENDINGS])
    raise SinkError(f"{name}: expected an ending among {endings} or a folder, got {ending!r}; change the ending")
