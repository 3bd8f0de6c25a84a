"""Opens the source that a name selects, or raises a one-line error."""

from __future__ import annotations

import glob
import os
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.address import public_name, scheme_of
from mien.cancellation import Cancellation, waited_for
from mien.capture.source import Source, Span, is_folder
from mien.clock import Clock, MonotonicClock
from mien.errors import SettingError
from mien.machine.processor import usable_threads

_THREADS_LIMIT = 4
"""Upper limit of the default number of threads; more gain little for one stream."""


def open(
    source: str | os.PathLike[str] | NDArray[np.uint8] | Sequence[NDArray[np.uint8]],
    *,
    start: float = 0.0,
    duration: float | None = None,
    rate: Fraction | int = 25,
    alpha: bool = False,
    threads: int | None = None,
    clock: Clock | None = None,
    in_time: bool = False,
    cancellation: Cancellation | None = None,
) -> Source:
    """Open what frames come from.

    Args:
        source: a video file; a picture; a folder of pictures, or a pattern of them (`shots/%04d.png`, `shots/*.jpg`);
            one (H, W, 3) or (H, W, 4) uint8 array, or several of one shape; or what is live: `camera:0`, `/dev/video0`,
            either with `@WxH` and `@RATE` behind; rtsp, rtmp, http (HLS), tcp, udp and srt addresses;
            `screen:X,Y,WxH`; "-" for standard input, or a named pipe.
        start: seconds to leave out at the beginning.
        duration: seconds to play, None: to the end. A single picture is shown for so long; without, it is one frame.
        rate: frames per second of what has no rate of its own: pictures and arrays.
        alpha: give `rgba` frames; otherwise transparent pixels are flattened over black.
        threads: of decoding, a share of the caller's budget; None: the processors this process may use, at most 4.
        clock: that says when a live source's frames came; None: the machine's.
        in_time: give what is live at its time, and leave out what is late; else what can wait for its reader (HTTP,
            TCP, RTMP, pipes) comes as fast as it is taken, all of it. What is no live source always does.
        cancellation: ends the opening of what is live, from another thread; None: nothing does.

    Raises:
        SourceError: no such file, camera or stream; a device, or a folder without pictures; neither video nor picture;
            damaged; no frame that decodes; sound only; a start past the end.
        Stopped: it was cancelled.
        SettingError: a negative start, or a duration or rate that is not positive; a start of what is live.
    """
    span = Span.of(start, duration)
    count = threads if threads is not None else min(_THREADS_LIMIT, usable_threads())
    if not isinstance(source, (str, os.PathLike)):
        from mien.capture.synthetic import array_source

        return array_source(source, rate=Fraction(rate), span=span)
    name = os.fspath(source)
    if is_live(name):
        return _open_live(name, span, alpha, count, clock, in_time, cancellation)
    return _open_path(name, span, Fraction(rate), alpha, count)


def is_live(name: str) -> bool:
    """Whether a name is one of a camera, a stream, a screen or a pipe."""
    from mien.capture.camera import is_camera
    from mien.capture.pipe import STANDARD_INPUT, is_pipe

    live = is_camera(name) or name.startswith("screen:") or name == STANDARD_INPUT or scheme_of(name) is not None
    return live or is_pipe(Path(name))


def _open_live(
    name: str,
    span: Span,
    alpha: bool,
    threads: int,
    clock: Clock | None,
    in_time: bool,
    cancellation: Cancellation | None,
) -> Source:
    """What nobody may write to for long is opened aside, so that a signal ends the wait."""
    from mien.capture.feeds import feed_of
    from mien.capture.live import LiveSource

    if span.start:
        raise SettingError(f"start must be 0 for what is live, got {float(span.start):g} s with {public_name(name)}")
    feed = feed_of(name)
    now = clock or MonotonicClock()

    def opened(own: Cancellation) -> Source:
        return LiveSource(
            feed, clock=now, duration=span.duration, alpha=alpha, threads=threads, in_time=in_time, cancellation=own
        )

    return waited_for("mien-open-source", opened, cancellation)


def _open_path(name: str, span: Span, rate: Fraction, alpha: bool, threads: int) -> Source:
    """Files are opened again while they are played: that must not hang on where the program stands by then."""
    path = Path(name)
    source = _open_pictures(path.absolute(), name, rate, span, alpha)
    if source is not None:
        return source
    from mien.capture.video import VideoSource

    return VideoSource(path.absolute(), name=name, span=span, alpha=alpha, threads=threads)


def _open_pictures(path: Path, name: str, rate: Fraction, span: Span, alpha: bool) -> Source | None:
    """A source over the pictures that a name stands for, None if it is a file of another kind."""
    from mien.capture import animation, image, sequence

    if not os.path.lexists(path) and ("%" in name or glob.has_magic(name)):
        files = sequence.pictures_of_pattern(name)
    elif is_folder(path, name):
        files = sequence.pictures_of_folder(path, name)
    else:
        kind = image.kind_of_file(path)
        if kind is None or animation.is_video(path, kind):
            return None
        moving = animation.animation(path, kind, name=name, rate=rate, span=span, alpha=alpha)
        if moving is not None:
            return moving
        files = [path]
    return sequence.picture_source([file.absolute() for file in files], name=name, rate=rate, span=span, alpha=alpha)
