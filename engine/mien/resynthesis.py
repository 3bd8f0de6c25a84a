"""All of `mien resynth`: a face video made anew from the label maps of its frames, in the style of a picture."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ContextDecorator, ExitStack
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien import capture, emit
from mien.clock import MonotonicClock
from mien.config import CredentialSettings, need_size, need_threads
from mien.credentials.filtered import Filtered, edited
from mien.emit.opening import need_place
from mien.emit.sink import SinkSettings
from mien.errors import FaceError, SettingError
from mien.face.face import Face, turned_pixels, turned_points
from mien.frame import Frame
from mien.machine.processor import usable_threads
from mien.marking.payload import drawn_if
from mien.paint.face_video import FaceVideo, VideoStyle
from mien.paint.synthesis import MODEL, open_synthesis
from mien.parse.find import find_turned, refine
from mien.parse.models import FaceMesh
from mien.parse.parser import Parser
from mien.parsing.opening import open_segmenter
from mien.pipeline import Progress, Stages, render
from mien.pipeline.chain import SingleStage
from mien.places import need_apart
from mien.portrait.prepare import LARGEST, read_picture, sized
from mien.posed import PaintLevel
from mien.stats import Statistics

Pixels = NDArray[np.uint8]

SIZE: Final = 512
"""Side of the output in pixels."""
TRIED: Final = 50
"""Frames from the wished time on in which a face is looked for, to take the style from."""
_LENIENT: ContextDecorator = np.errstate(under="ignore")


def resynth_file(
    source: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    portrait: str | os.PathLike[str] | None = None,
    style_frame: float | None = None,
    model: str = MODEL,
    size: int = SIZE,
    mark: bool = True,
    invisible_mark: bool = True,
    credentials: CredentialSettings | None = None,
    start: float = 0.0,
    duration: float | None = None,
    threads: int | None = None,
    begun: Callable[[int | None, str], None] | None = None,
    progress: Progress | None = None,
) -> Statistics:
    """A face video made anew, into a file that appears whole or not at all: a square view of the head.

    Args:
        source: see `mien.capture.open`, also for `start` and `duration` in seconds.
        output: see `mien.emit.open`.
        portrait: picture whose style it gets; None: a frame's of the video.
        style_frame: the time of that frame in seconds; None: the first one with a face.
        model: the packaged networks, or the name or folder of another bundle of the family `spade-video`.
        size: side of the view in pixels, an even number.
        mark, invisible_mark: whether "synthetic" is written in the picture, and what `mien verify` reads laid under it.
        credentials: how the file says what made it; None: as by default.
        threads: processor threads to use; None: all that this process may use.
        begun, progress: as in `mien.api.render_file`.

    Raises:
        MienError: anything that the user can cure, in one line.
    """
    need_threads(threads)
    need_size(size)
    if portrait is not None and style_frame is not None:
        raise SettingError("expected --portrait or --style-frame, got both; leave one out")
    need_apart([], [source, *([] if portrait is None else [portrait])], sink=output)
    need_place(os.fspath(output))
    count, clock = threads or usable_threads(), MonotonicClock()
    statistics, notes = Statistics(clock), list[str]()
    with ExitStack() as stack:
        segmenter, _ = stack.enter_context(open_segmenter(count))
        synthesis = stack.enter_context(open_synthesis(count, model))
        video = FaceVideo(segmenter, synthesis, size // 2 * 2)
        video.style = _style_of(video, source, portrait, style_frame)
        opened = stack.enter_context(capture.open(source, start=start, duration=duration, threads=max(count // 2, 1)))
        if begun is not None:
            begun(opened.info.frame_count, synthesis.about)
        stages = _stages(stack.enter_context(Parser(hints=False)), video, synthesis.about)
        side, said, info = size // 2 * 2, drawn_if(invisible_mark), opened.info
        did = Filtered("resynth", synthesis.about, f"{side} {style_frame} {start} {duration}", source, said, portrait)
        signed = edited(credentials, did, output, mark=mark, told=notes.append)
        settings = SinkSettings(side, side, info.rate, info.time_base, info.sound, payload=said, credentials=signed)
        with emit.open(output, settings, mark=mark, threads=count, waits=True) as sink:
            render(opened, stages, sink, statistics, clock, progress)
    return statistics.warned(notes)


def _stages(parser: Parser, video: FaceVideo, about: str) -> Stages[Face, Face]:
    def make(face: Face | None, frame: Frame, level: PaintLevel) -> Pixels:
        return _LENIENT(video)(face, np.ascontiguousarray(frame.pixels[..., :3]))

    chain = SingleStage(make, about=about, name="resynth")
    return Stages(parser, lambda face, seconds: face, chain, parser.shots)


@_LENIENT
def _style_of(
    video: FaceVideo,
    source: str | os.PathLike[str],
    portrait: str | os.PathLike[str] | None,
    style_frame: float | None,
) -> VideoStyle | None:
    """The style that is asked for; None: the first face's."""
    if portrait is not None:
        found = _style_in(video, read_picture(portrait))
        if found is None:
            raise FaceError(f"{os.fspath(portrait)}: expected a face, got none; use a picture seen from the front")
        return found
    if style_frame is None:
        return None
    with capture.open(source, start=style_frame) as opened:
        frames = (item for item in opened if isinstance(item, Frame))
        for _, frame in zip(range(TRIED), frames, strict=False):
            found = _style_in(video, np.ascontiguousarray(frame.pixels[..., :3]))
            if found is not None:
                return found
    raise FaceError(
        f"{os.fspath(source)}: expected a face within {TRIED} frames from second {style_frame:g}, got none; "
        "give another --style-frame"
    )


def _style_in(video: FaceVideo, pixels: Pixels) -> VideoStyle | None:
    """The style of the largest face in a picture, however it is held; None without one."""
    small = sized(pixels, None, LARGEST)
    with FaceMesh(still=True, most=5) as mesh:
        faces = find_turned(small, mesh)
        if not faces:
            return None
        turn, size = faces[0].turn, (small.shape[1], small.shape[0])
        upright = turned_pixels(small, turn)
        landmarks = refine(upright, turned_points(faces[0].landmarks, size, turn), mesh)
    return video.style_of(upright, landmarks)
