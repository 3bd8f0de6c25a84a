"""Label maps of pictures and videos: `mien.parse_labels`, and the whole of `mien parse` as one call."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from contextlib import ContextDecorator, ExitStack
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from mien import capture, emit
from mien.capture.source import Source
from mien.clock import MonotonicClock
from mien.config import need_threads
from mien.emit.images import ENDINGS
from mien.emit.mark import tags
from mien.emit.opening import is_sequence, need_place
from mien.emit.sink import SinkSettings
from mien.errors import FaceError, SinkError
from mien.face.face import Face, turned_pixels, turned_points
from mien.frame import Frame
from mien.machine import outputs
from mien.machine.processor import usable_threads
from mien.parse.find import find_turned, refine
from mien.parse.models import FaceMesh
from mien.parse.parser import Parser
from mien.parsing.opening import MODEL, open_segmenter
from mien.parsing.segmenter import Segmenter
from mien.parsing.showing import PALETTE, coloured, overlaid
from mien.pipeline import Progress, Stages, render
from mien.pipeline.chain import SingleStage
from mien.places import need_apart
from mien.portrait.prepare import LARGEST, Picture, even, read_picture, sized
from mien.posed import PaintLevel
from mien.stats import Statistics

Pixels = NDArray[np.uint8]

_STILL: Final = Fraction(25)
"""Rate of a single picture, which has none."""
_LENIENT: ContextDecorator = np.errstate(under="ignore")


@_LENIENT
def parse_labels(picture: Picture, *, threads: int | None = None) -> Pixels:
    """The class of each pixel of a picture with a face: (H, W) ids, as `mien.face.classes.CLASSES` counts them.

    Args:
        picture: a file, or an array (H, W, 3) uint8 sRGB. Of several faces the largest is taken; the others' pixels are
            mostly of the class background.
        threads: processor threads to use; None: all that this process may use.

    Raises:
        SourceError: the picture cannot be read.
        FaceError: it has no face.
        SettingError: something that is no picture.
        ModelError, BackendError: the model or a runtime is missing.
    """
    pixels = read_picture(picture)
    name = os.fspath(picture) if isinstance(picture, (str, os.PathLike)) else "picture"
    with open_segmenter(threads or usable_threads()) as (segmenter, _):
        return _labels(pixels, name, segmenter)


def parse_file(
    source: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    overlay: bool = False,
    start: float = 0.0,
    duration: float | None = None,
    threads: int | None = None,
    begun: Callable[[int | None, str], None] | None = None,
    progress: Progress | None = None,
) -> Statistics:
    """All of `mien parse`: label maps of a picture or video into a file, which appears whole or not at all.

    The map of a picture, or of the only frame of a video or of a span, is a PNG with a palette: its pixels are ids of
    classes, shown in their colours. Videos show the colours; frames without a face are all background.

    Args:
        source: see `mien.capture.open`, also for `start` and `duration` in seconds.
        output: see `mien.emit.open`; for the map of one picture, a .png file.
        overlay: show the colours half over the picture itself.
        threads: processor threads to use; None: all that this process may use.
        begun, progress: as in `mien.api.render_file`.

    Raises:
        MienError: anything that the user can cure, in one line.
    """
    need_threads(threads)
    need_apart([], [source], sink=output)
    need_place(os.fspath(output))
    count, statistics = threads or usable_threads(), Statistics(MonotonicClock())
    with ExitStack() as stack:
        opened, frame = _opened(stack, source, start, duration, max(count // 2, 1))
        if not _is_one_picture(os.fspath(output)):
            frame = None
        elif frame is not None and not overlay and Path(output).suffix.lower() != ".png":
            raise SinkError(f"{os.fspath(output)}: expected a .png for the label map of a picture; change the ending")
        segmenter, about = stack.enter_context(open_segmenter(count))
        if begun is not None:
            begun(opened.info.frame_count, about)
        if frame is None:
            _parse_video(opened, output, overlay, segmenter, about, statistics, progress, count)
        else:
            _parse_still(frame.pixels, opened.info.name, Path(output), overlay, segmenter)
            statistics.frames_in = statistics.frames_out = 1
            statistics.end()
    return statistics


def _opened(
    stack: ExitStack, source: str | os.PathLike[str], start: float, duration: float | None, threads: int
) -> tuple[Source, Frame | None]:
    """The source, from its beginning, and its only frame; None where it has more, or is live."""

    def anew() -> Source:
        return stack.enter_context(capture.open(source, start=start, duration=duration, threads=threads))

    opened = anew()
    if opened.info.live or opened.info.frame_count != 1:  # which may be an estimate
        return opened, None
    first = list(islice((item for item in opened if isinstance(item, Frame)), 2))
    return anew(), first[0] if len(first) == 1 else None


def _is_one_picture(output: str) -> bool:
    """Whether an output is a single picture's file."""
    return Path(output).suffix.lower() in ENDINGS and not is_sequence(output)


def _labels(pixels: Pixels, name: str, segmenter: Segmenter) -> Pixels:
    """Of the largest face in a picture, however it is held."""
    small = sized(pixels, None, LARGEST)
    with FaceMesh(still=True, most=5) as mesh:
        faces = find_turned(small, mesh)
        if not faces:
            raise FaceError(f"{name}: expected a face, got none; use a picture whose face is seen from the front")
        turn = faces[0].turn
        size = small.shape[1], small.shape[0]
        landmarks = refine(turned_pixels(small, turn), turned_points(faces[0].landmarks, size, turn), mesh)
    share = max(pixels.shape[:2]) / max(small.shape[:2])
    upright = (landmarks + (0.5, 0.5, 0.0)) * share - (0.5, 0.5, 0.0)
    return turned_pixels(segmenter(turned_pixels(pixels, turn), upright), -turn % 4)


@_LENIENT
def _parse_still(pixels: Pixels, name: str, output: Path, overlay: bool, segmenter: Segmenter) -> None:
    labels = _labels(pixels, name, segmenter)
    if not overlay:
        outputs.write(output, _indexed_png(labels))
        return
    settings = SinkSettings(pixels.shape[1], pixels.shape[0], _STILL, 1 / _STILL)
    with emit.open(output, settings, mark=False) as sink:
        sink.write(Frame(overlaid(labels, pixels), 0, 1 / _STILL))


def _parse_video(
    source: Source,
    output: str | os.PathLike[str],
    overlay: bool,
    segmenter: Segmenter,
    about: str,
    statistics: Statistics,
    progress: Progress | None,
    threads: int,
) -> None:
    def segment(face: Face | None, frame: Frame, level: PaintLevel) -> Pixels:
        pixels = np.ascontiguousarray(frame.pixels[..., :3])
        labels = np.zeros(pixels.shape[:2], np.uint8) if face is None else _labels_of_face(pixels, face, segmenter)
        return even(overlaid(labels, pixels) if overlay else coloured(labels))

    with Parser(hints=False) as parser:
        chain = SingleStage(segment, about=about, name="segment")
        stages = Stages(parser, lambda face, seconds: face, chain, parser.shots)
        info = source.info
        size = info.width // 2 * 2, info.height // 2 * 2
        settings = SinkSettings(*size, info.rate, info.time_base, info.sound)
        with emit.open(output, settings, mark=False, threads=threads, waits=True) as sink:
            render(source, stages, sink, statistics, MonotonicClock(), progress)


@_LENIENT
def _labels_of_face(pixels: Pixels, face: Face, segmenter: Segmenter) -> Pixels:
    labels = segmenter(turned_pixels(pixels, face.turn), face.upright)
    return turned_pixels(labels, -face.turn % 4)


def _indexed_png(labels: Pixels) -> bytes:
    """A PNG file whose pixels are ids of classes and whose palette holds their colours."""
    image = Image.fromarray(labels, "P")
    image.putpalette(PALETTE.tobytes())
    said = PngInfo()
    for key, value in tags({"mien_model": MODEL}).items():
        said.add_text(key, value)
    file = io.BytesIO()
    image.save(file, "PNG", pnginfo=said, optimize=True)
    return file.getvalue()
