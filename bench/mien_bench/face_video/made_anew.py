"""Temporal error of `mien resynth`: real clips made anew, with maps as they are segmented and with cleaned ones.

Error and flow are those of `mien_bench.quality.temporal`, in the square view of the head that the command shows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

import mien
from mien.errors import FaceError
from mien.face.crop import SIDE, crop_matrix
from mien.face.face import Face
from mien.face.pose import fit_pose
from mien.frame import Frame
from mien.paint.face_video import FaceVideo
from mien.paint.synthesis import Synthesis
from mien.parse.parser import Parser
from mien.parsing.segmenter import Segmenter
from mien.plane import Affine
from mien.portrait.prepare import even, sized
from mien_bench.face_video.real_video import BEGIN, DRAWN_AT
from mien_bench.quality.summary import mean_interval
from mien_bench.quality.temporal import LAGS, correspondences, difference
from mien_bench.results import Better, Fact, Row, Table

Pixels = NDArray[np.uint8]
Watched = tuple[Face, Pixels]
"""A face, and the picture (H, W, 3) that it is in."""

CLIP, RAW, CLEANED = "the clip itself", "maps as segmented", "maps cleaned"
NOTES: Final = (
    (
        "The paper's error, (1/D) sum c (x - w)^2, of views of 256 x 256 in which the head is made anew from its label "
        "map, in the style of the first frame. Flow (OpenCV's DIS) and its certainty are the clip's. Long term is the "
        f"sum over {', '.join(map(str, LAGS))} frames back. Means over clips, 95 % intervals."
    ),
    "Cleaned: regions that cannot be, labels that flip for one frame, and what is background in the answer.",
)


@dataclass(frozen=True, slots=True, eq=False)
class MadeAnew:
    """Short and long term of one clip, by `CLIP`, `RAW`, `CLEANED`."""

    clip: str
    values: dict[str, tuple[float, float]]


def measure(path: Path, segmenter: Segmenter, synthesis: Synthesis, count: int) -> MadeAnew:
    """`count` frames of a clip from its first face after `BEGIN` on.

    Raises:
        SourceError: it cannot be read.
        FaceError: it has no two frames with a face.
    """
    seen = _watched(path, count)
    view = crop_matrix(fit_pose(seen[0][0].landmarks), SIDE)
    clip = [_viewed(pixels, view) for _, pixels in seen]
    flows = correspondences(clip)
    values = {}
    for name, frames in ((CLIP, clip), *((how, _made(seen, segmenter, synthesis, how)) for how in (RAW, CLEANED))):
        by_lag = ([difference(frames, flow) for flow in flows if flow.now - flow.then == lag] for lag in LAGS)
        means = [float(np.mean(found)) for found in by_lag if found]
        values[name] = means[0], sum(means)
    return MadeAnew(path.stem, values)


def table(found: Sequence[MadeAnew], model: str) -> Table:
    """A line for each way."""
    lines = [
        (name, *(mean_interval([one.values[name][term] for one in found], "{:.5f}") for term in (0, 1)))
        for name in (CLIP, RAW, CLEANED)
    ]
    title = f"Temporal error of mien resynth, {model}, {len(found)} clips"
    return Table(title, ("", "short term", "long term"), tuple(lines), (), NOTES)


def rows(found: Sequence[MadeAnew], model: str) -> Iterator[Row]:
    """A value for each clip."""
    for name in (CLIP, RAW, CLEANED):
        condition: dict[str, Fact] = {"on": "face-video, made anew", "model": model, "maps": name}
        judged: Better = "neither" if name == CLIP else "lower"
        for term, said in enumerate(("short", "long")):
            values = tuple(1e4 * one.values[name][term] for one in found)
            yield Row(f"temporal error, {said} term", "1e-4", values, judged, condition, each="clip")


def _watched(path: Path, count: int) -> list[Watched]:
    """Successive frames with one upright face."""
    with mien.capture.open(path, start=BEGIN) as source, Parser(hints=False) as parser:
        frames = (_reduced(item) for item in source if isinstance(item, Frame))
        pairs = ((parser(frame), frame.pixels) for frame in frames)
        seen = list(islice(((face, pixels) for face, pixels in pairs if face is not None and not face.turn), count))
    if len(seen) < 2:
        raise FaceError(f"{path}: expected at least 2 frames with an upright face, got {len(seen)}; take another clip")
    return seen


def _reduced(frame: Frame) -> Frame:
    return replace(frame, pixels=even(sized(np.ascontiguousarray(frame.pixels[..., :3]), None, DRAWN_AT)))


def _made(seen: Sequence[Watched], segmenter: Segmenter, synthesis: Synthesis, how: str) -> list[Pixels]:
    video = FaceVideo(segmenter, synthesis, SIDE, clean=how == CLEANED)
    return [video(face, pixels) for face, pixels in seen]


def _viewed(pixels: Pixels, view: Affine) -> Pixels:
    return np.asarray(cv2.warpAffine(pixels, view, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE), np.uint8)
