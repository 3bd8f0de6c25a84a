"""All of `mien style`: a picture or video in a painter's style, without a portrait or a driver."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien import capture, emit
from mien.clock import MonotonicClock
from mien.config import need_threads
from mien.emit.opening import need_place
from mien.emit.sink import SinkSettings
from mien.frame import Frame
from mien.machine.processor import usable_threads
from mien.marking.payload import drawn_if
from mien.parse.find import find_faces
from mien.parse.models import FaceMesh
from mien.pipeline import Progress, Stages, render
from mien.pipeline.chain import SingleStage
from mien.places import need_apart
from mien.portrait.prepare import even, read_picture
from mien.posed import PaintLevel
from mien.stats import Statistics
from mien.style.frames import FrameStyler
from mien.style.opening import model_with, open_styler
from mien.style.readable import face_outline
from mien.style.wish import read_wish

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]

_STILL: Final = Fraction(25)
"""Rate of a single picture, which has none."""
MOST: Final = 4
"""Faces of a video that are followed."""
HELD: Final = 0.3
"""Seconds for which a face that is not found any more counts as seen."""


def style_file(
    source: str | os.PathLike[str],
    output: str | os.PathLike[str],
    style: str,
    *,
    model: str | None = None,
    mark: bool = True,
    invisible_mark: bool = True,
    start: float = 0.0,
    duration: float | None = None,
    threads: int | None = None,
    begun: Callable[[int | None, str], None] | None = None,
    progress: Progress | None = None,
) -> Statistics:
    """A picture or video in a style, into a file that appears whole or not at all. Faces are not needed; those
    that are found stay readable.

    Args:
        source: see `mien.capture.open`, also for `start` and `duration` in seconds.
        output: see `mien.emit.open`.
        style: `NAME[:STRENGTH][+NAME[:STRENGTH]...]`, of those that `model` has.
        model: name or folder of a bundle of the family `style`; None: the installed one that has the style.
        mark, invisible_mark: whether "synthetic" is written in the picture, and what `mien verify` reads laid under it.
        threads: processor threads to use; None: all that this process may use.
        begun, progress: as in `mien.api.render_file`.

    Raises:
        MienError: anything that the user can cure, in one line.
    """
    need_threads(threads)
    wish = read_wish(style)
    need_apart([], [source], sink=output)
    need_place(os.fspath(output))
    count, clock = threads or usable_threads(), MonotonicClock()
    statistics = Statistics(clock)
    with ExitStack() as stack:
        styler = stack.enter_context(open_styler(count, model or model_with(wish)))
        drawn = FrameStyler(styler, wish.mix(styler.names), wish.strength, count)
        opened = stack.enter_context(capture.open(source, start=start, duration=duration, threads=max(count // 2, 1)))
        info = opened.info
        if begun is not None:
            begun(info.frame_count, styler.about)
        if info.frame_count == 1 and not info.live:
            _draw_picture(drawn, source, output, mark, invisible_mark)
            statistics.frames_in = statistics.frames_out = 1
            statistics.end()
            return statistics

        draw = _drawing(drawn, FaceOutlines(stack.enter_context(FaceMesh(still=False, most=MOST))))
        # every frame counts as one with a face
        chain = SingleStage(draw, about=styler.about, name="style")
        stages: Stages[Frame, Frame] = Stages(lambda frame: frame, lambda found, seconds: found, chain)
        size = info.width // 2 * 2, info.height // 2 * 2
        settings = SinkSettings(*size, info.rate, info.time_base, info.sound, payload=drawn_if(invisible_mark))
        with emit.open(output, settings, mark=mark, threads=count, waits=True) as sink:
            render(opened, stages, sink, statistics, clock, progress)
    return statistics


def _drawing(drawn: FrameStyler, faces: FaceOutlines) -> Callable[[Frame | None, Frame, PaintLevel], Pixels]:
    """What a chain does with each frame."""

    def draw(_: Frame | None, frame: Frame, level: PaintLevel) -> Pixels:
        pixels = np.ascontiguousarray(frame.pixels[..., :3])
        return even(drawn(pixels, faces(pixels, frame.seconds)))

    return draw


class FaceOutlines:
    """Callable for one video: a frame (H, W, 3) and its time -> the outlines (N, 2) of its faces, in which strokes are
    to leave the face readable. Where fewer are found than before, those stay for a while, lest strokes flash up."""

    def __init__(self, find: Callable[[Pixels], list[Array]]) -> None:
        """`find`: a frame -> landmarks (478, 3) of its faces."""
        self._find = find
        self._seen: tuple[float, list[Array]] = 0.0, []

    def __call__(self, pixels: Pixels, seconds: float) -> list[Array]:
        found = [face_outline(face) for face in self._find(pixels)]
        when, before = self._seen
        if len(found) < len(before) and 0 <= seconds - when < HELD:
            return before
        self._seen = seconds, found
        return found


def _draw_picture(
    drawn: FrameStyler, source: str | os.PathLike[str], output: str | os.PathLike[str], mark: bool, invisible_mark: bool
) -> None:
    """One picture instead of a video."""
    picture = np.ascontiguousarray(read_picture(source))
    with FaceMesh(still=True) as mesh:
        faces = [face_outline(face) for face in find_faces(picture, mesh)]
    pixels = even(drawn(picture, faces))
    height, width = pixels.shape[:2]
    settings = SinkSettings(width, height, _STILL, 1 / _STILL, payload=drawn_if(invisible_mark))
    with emit.open(output, settings, mark=mark) as sink:
        sink.write(Frame(pixels, 0, 1 / _STILL))
