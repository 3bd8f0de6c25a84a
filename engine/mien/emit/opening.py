"""Opens the sink that a name selects, or raises a one-line error."""

from __future__ import annotations

import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

from mien.address import public_name, scheme_of
from mien.cancellation import Cancellation
from mien.clock import Clock, MonotonicClock
from mien.emit.sink import Sink, SinkSettings
from mien.emit.stream import comes_back, is_stream, need_scheme
from mien.emit.video import CONTAINERS, VideoQuality, VideoSink, need_video
from mien.emit.virtual import VirtualCameraSink, is_virtual
from mien.errors import SinkError
from mien.numbered import Numbered
from mien.retry import Retry

WINDOW = "window"
NOTHING = "null"
_ANY = SinkSettings(2, 2, Fraction(25), Fraction(1, 25))
_NAMELESS = "expected the name of an output, got an empty one; check the command line"


def open(
    target: str | os.PathLike[str],
    settings: SinkSettings,
    *,
    mark: bool = True,
    beside: tuple[int, int] | None = None,
    quality: VideoQuality | None = None,
    threads: int = 0,
    told: Callable[[str], None] | None = None,
    pressed: Callable[[str], None] | None = None,
    retry: Retry | None = None,
    clock: Clock | None = None,
    waits: bool = False,
    cancellation: Cancellation | None = None,
) -> Sink:
    """Open where frames go, and check it before any work is done.

    Args:
        target: a video (.mp4, .m4v, .mov, .mkv, .webm); one picture (.png, .jpg); a folder or a pattern (`%05d.png`)
            for numbered pictures; "window" for a preview; "virtual" or "virtual:DEVICE" for a virtual camera; "null" to
            drop everything. For a stream an address of the scheme rtmp, rtsp, srt, tcp or udp, "-" for standard output,
            a named pipe, a descriptor (/dev/stdout, /dev/fd/N) or a device: it is encoded and sent on a thread of its
            own, drops what does not get through, and needs frames whose arrays do not change.
        settings: of the frames that will be written.
        mark: draw "synthetic" on a copy of every frame; the metadata, and an invisible mark of `settings`, say so, too.
        beside: (width, height) of the driver's frames, to show them on the left of the output.
        quality: of a video.
        threads: of the video encoder, a share of the caller's budget; 0: all processors.
        told: called with one line, on any thread, when a live stream breaks off and when it is back.
        pressed: called, on the writing thread, with each key pressed in a window.
        retry: delays for reopening a broken live stream; None: always, if it can be reopened.
        clock: for `retry`; None: the machine's.
        waits: for what need not be in time: a stream is written by whoever writes the frames, who waits as long as its
            reader does; nothing of it is left out, and the first break is the end.
        cancellation: ends the wait for whoever a live stream goes to, from another thread; None: nothing does.

    Raises:
        Stopped: it was cancelled.
        SinkError: a folder that does not exist or may not be written to, a folder or device where a file is needed, an
            unknown ending, no display, no driver, nobody who listens, or transparency where it cannot be kept.
    """
    from mien.emit.compare import CompareSink, beside_settings
    from mien.emit.mark import Marked

    outer = settings if beside is None else beside_settings(settings, beside)
    name = os.fspath(target)
    if not name:
        raise SinkError(_NAMELESS)
    streamed = is_stream(name)
    live = streamed and not waits
    if streamed and waits:
        sink = _connected(name, outer, threads, None)
    elif streamed:
        told, clock = told or (lambda line: None), clock or MonotonicClock()
        sink = _stream(name, outer, threads, told, retry, clock, cancellation or Cancellation())
    else:
        sink = _bare(name, outer, quality or VideoQuality(), threads, pressed)
    if mark or settings.payload is not None:
        sink = Marked(sink, visible=mark, payload=settings.payload, keeps=live)
    return sink if beside is None else CompareSink(sink, settings, beside, keeps=live)


def is_written(name: str) -> bool:
    """Whether a name is one of files that are made: a video, a picture or a sequence."""
    return not (is_stream(name) or name in (WINDOW, NOTHING) or is_virtual(name))


def is_sequence(name: str) -> bool:
    """Whether files that are made have a number each: in a folder, or by a pattern."""
    path = Path(name)
    if path.suffix.lower() in CONTAINERS:
        return False
    return os.path.isdir(path) or not path.suffix or Numbered.of(path.name) is not None or name.endswith(os.sep)


def need_place(name: str) -> None:
    """Refuse a file or a folder of pictures that cannot be written, and an address of an unknown scheme; of all else
    nothing is known before it is opened.

    Raises:
        SinkError: it cannot be written.
    """
    if not name:
        raise SinkError(_NAMELESS)
    need_scheme(name)
    if not is_written(name):
        return
    _need_named(name)
    if Path(name).suffix.lower() in CONTAINERS:
        need_video(Path(name))
    else:
        _pictures(name, _ANY).discard()


def _need_named(name: str) -> None:
    """Refuse an ending alone, which would become a hidden folder of pictures.

    Raises:
        SinkError: it is one.
    """
    from mien.emit.images import ENDINGS

    ending = Path(name).name.lower()
    if ending in CONTAINERS or ending in ENDINGS:
        raise SinkError(f"{name}: expected a name before the ending, got none; name a file, such as out{ending}")


def _stream(
    name: str,
    settings: SinkSettings,
    threads: int,
    told: Callable[[str], None],
    retry: Retry | None,
    clock: Clock,
    cancellation: Cancellation,
) -> Sink:
    from mien.emit.reconnecting import ReconnectingSink
    from mien.emit.threaded import ThreadedSink

    def connect() -> Sink:
        return _connected(name, settings, threads, cancellation)

    public, patient = public_name(name), retry or (Retry() if comes_back(name) else Retry(patience=0))
    return ThreadedSink(
        lambda: ReconnectingSink(connect, public, clock=clock, retry=patient, told=told), public, cancellation
    )


def _connected(name: str, settings: SinkSettings, threads: int, cancellation: Cancellation | None) -> Sink:
    from mien.emit.stream import SUBPROCESS_SCHEMES, StreamSink
    from mien.emit.subprocess_sink import SubprocessSink

    if scheme_of(name) in SUBPROCESS_SCHEMES and not settings.alpha:
        return SubprocessSink(name, settings, threads=threads, cancellation=cancellation)
    return StreamSink(name, settings, threads=threads)


def _bare(
    name: str, settings: SinkSettings, quality: VideoQuality, threads: int, pressed: Callable[[str], None] | None
) -> Sink:
    if name == WINDOW:
        from mien.emit.window import WindowSink

        return WindowSink(settings, pressed=pressed)
    if name == NOTHING:
        from mien.emit.sink import NullSink

        return NullSink()
    if is_virtual(name):
        return VirtualCameraSink(name, settings)
    _need_named(name)
    if Path(name).suffix.lower() in CONTAINERS:
        return VideoSink(Path(name), settings, quality=quality, threads=threads)
    return _pictures(name, settings)


def _pictures(name: str, settings: SinkSettings) -> Sink:
    from mien.emit.images import ENDINGS, SequenceSink, StillSink

    path = Path(name)
    ending = path.suffix.lower()
    if is_sequence(name):
        return SequenceSink(path, settings)
    if ending in ENDINGS:
        return StillSink(path, settings)
    endings = ", ".join([*CONTAINERS, *ENDINGS])
    raise SinkError(f"{name}: expected an ending among {endings} or a folder, got {ending!r}; change the ending")
