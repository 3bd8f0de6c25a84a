"""Temporal error of `mien style` on real video in the paper's own form: before and after the running mean.

Error and flow are those of `mien_bench.quality.temporal`, of whole frames instead of faces.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

import mien
from mien.errors import SourceError
from mien.frame import Frame
from mien.portrait.prepare import even, sized
from mien.style.frames import FrameStyler, into_canvas
from mien.style.styler import Styler
from mien.style.wish import StyleWish
from mien_bench.face_video.exact_flow import SIDE
from mien_bench.face_video.stability import PAPER_STYLES
from mien_bench.quality.summary import mean_interval
from mien_bench.quality.temporal import LAGS, PAPER, Correspondence, correspondences, difference
from mien_bench.results import Better, Fact, Row, Table

Pixels = NDArray[np.uint8]

DRAWN_AT: Final = 512
"""Longer side of the frames that are drawn."""
BEGIN: Final = 1.0
"""Second of the clip at which is begun, if it is long enough: many clips begin with a still."""
CLIP: Final = "the clip itself"
NOTES: Final = (
    (
        "The paper's short-term error of whole frames, (1/D) sum c (x - w)^2: D counts all values, c is 1 where the "
        f"flow is sure; long term is the sum over {', '.join(map(str, LAGS))} frames back. Means over clips, 95 % "
        "intervals."
    ),
    (
        "Here each frame drawn by itself is before, the running mean after; the paper cleans segmentation maps. Flow "
        "is estimated on the clip without a style by OpenCV's DIS, there and back, as the running mean's is, at "
        "another setting: that favours the mean."
    ),
)


@dataclass(frozen=True, slots=True, eq=False)
class ClipStability:
    """Errors of one clip."""

    clip: str
    values: Mapping[tuple[str, str], tuple[float, float]]
    """Short and long term, by style and "before" or "after"; of the clip itself by `CLIP` and ""."""
    sure: float
    """Share of places where the flow is."""


def measure(path: Path, styler: Styler, count: int) -> ClipStability:
    """The first `count` frames of a clip from `BEGIN` on in every style.

    Raises:
        SourceError: it cannot be read, or has fewer frames than two.
    """
    frames = frames_of(path, count)
    small = [_small(frame) for frame in frames]
    flows = correspondences(small)
    values = {(CLIP, ""): _errors(small, flows)}
    for name in styler.names:
        wish = StyleWish(((name, 1.0),))
        mix, moving = wish.mix(styler.names), FrameStyler(styler, wish.mix(styler.names), wish.strength)
        before, after = [], []
        for frame in frames:
            drawn = styler.whole(frame, into_canvas(frame, styler.room), mix, wish.strength)[0]
            before.append(_small(drawn))
            after.append(_small(moving.steadied(frame, drawn)))
        values[name, "before"], values[name, "after"] = _errors(before, flows), _errors(after, flows)
    return ClipStability(path.stem, values, float(np.mean([flow.sure.mean() for flow in flows])))


def frames_of(path: Path, count: int) -> list[Pixels]:
    """(H, W, 3) each: successive frames from `BEGIN` on, or, in a clip that is too short for that, the first.

    Raises:
        SourceError: it cannot be read, or has fewer frames than two.
    """
    for start in (BEGIN, 0.0):
        with mien.capture.open(path, start=start) as source:
            seen = islice((item for item in source if isinstance(item, Frame)), count)
            frames = [even(sized(np.ascontiguousarray(one.pixels[..., :3]), None, DRAWN_AT)) for one in seen]
        if len(frames) == count:
            break
    if len(frames) < 2:
        raise SourceError(f"{path}: expected at least 2 frames, got {len(frames)}; take another clip")
    return frames


def table(found: Sequence[ClipStability]) -> Table:
    """Styles by term, before and after, beside the paper's."""
    lines: list[tuple[str, ...]] = [(CLIP, _cell(found, (CLIP, ""), 0), "-", _cell(found, (CLIP, ""), 1), "-")]
    for style in _styles(found):
        cells = (_cell(found, (style, when), term) for term in (0, 1) for when in ("before", "after"))
        lines.append((style, *cells))
    names = {name: style for style, name in PAPER_STYLES.items()}
    quoted = [
        (f"paper: {name} ({names[name]})", f"{before:.4f}", f"{after:.4f}", "-", "-")
        for name, (before, after) in PAPER.items()
    ]
    title = f"Temporal error of mien style on real video, {len(found)} clips"
    heads = ("", "before", "after", "long term, before", "long term, after")
    share = f"The flow was sure at {np.mean([one.sure for one in found]):.0%} of all places."
    places = tuple(range(len(lines), len(lines) + len(quoted)))
    return Table(title, heads, (*lines, *quoted), places, (*NOTES, share))


def rows(found: Sequence[ClipStability]) -> Iterator[Row]:
    """A value for each clip."""
    for style, when in dict.fromkeys(key for one in found for key in one.values):
        condition: dict[str, Fact] = {"on": "face-video, real video", "style": style, "running mean": when or "-"}
        judged: Better = "neither" if style == CLIP else "lower"
        for term, name in enumerate(("short", "long")):
            values = tuple(1e4 * one.values[style, when][term] for one in found)
            yield Row(f"temporal error, {name} term", "1e-4", values, judged, condition, each="clip")


def _errors(frames: Sequence[Pixels], flows: Sequence[Correspondence]) -> tuple[float, float]:
    """Short term, and the sum over `LAGS`, as means over frames."""
    by_lag = {lag: [difference(frames, flow) for flow in flows if flow.now - flow.then == lag] for lag in LAGS}
    means = [float(np.mean(values)) for values in by_lag.values() if values]
    return means[0], sum(means)


def _small(frame: Pixels) -> Pixels:
    height, width = frame.shape[:2]
    share = min(SIDE / max(height, width), 1.0)
    size = max(round(width * share), 16), max(round(height * share), 16)
    return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _styles(found: Sequence[ClipStability]) -> list[str]:
    return list(dict.fromkeys(style for one in found for style, when in one.values if when))


def _cell(found: Sequence[ClipStability], key: tuple[str, str], term: int) -> str:
    return mean_interval([one.values[key][term] for one in found], "{:.4f}")
