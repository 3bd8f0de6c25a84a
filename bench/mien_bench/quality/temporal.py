"""Temporal stability as the paper on face video has it: a frame against the warped one before, where the flow is sure.

(1/D) sum c_k (x_k - w_k)^2, over D = 256 x 256 x 3 values in 0..1: x is a frame, w an earlier one carried to it by the
optical flow of the true clip, c is 1 where that flow is consistent and 0 elsewhere. The flow is not the engine's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mien.portrait.portrait import Portrait
from mien_bench.quality.clips import Clip
from mien_bench.quality.regions import crop_of, cut
from mien_bench.quality.video_runs import SMOOTH, answers
from mien_bench.results import Better, Fact, Row, Table
from mien_kernels import ops

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

LAGS: Final = (1, 2, 4, 8)
"""Frames back; the first is the paper's short term, the sum over all its long term."""
MISSED, SLACK = 0.01, 0.5
"""Forward and backward flow agree up to this share of their squares, and so many squared pixels."""
BENT, EDGE = 0.01, 0.002
"""And the flow's gradient, squared, is not more than this share of its square plus that: it is no motion's border."""
TRUTH: Final = "the true clip"
PAPER: Final = {
    "Scream": (0.0065, 0.0043),
    "Wave": (0.0097, 0.0086),
    "Rain princess": (0.0032, 0.0026),
    "Udnie": (0.0054, 0.0020),
    "Wreck": (0.0021, 0.0009),
}
"""The paper's errors by style, before and after it cleaned its segmentation maps."""
DIFFERENT: Final = (
    (
        "The paper measures stylised frames at 20 a second, before and after segmentation maps are cleaned; here it is "
        "the reenacted clip itself, without and with temporal smoothing, and the true clip as the floor."
    ),
    (
        "The flow is estimated on the true clip (OpenCV's DIS), so that no answer can excuse itself by its own; the "
        "paper does not name its estimator. A pixel counts where forward and backward flow agree and no motion ends."
    ),
    "Values in 0..1, crops of 256 x 256 that stand still; the paper's D is stated as 256 x 256 x 152.",
)


@dataclass(frozen=True, slots=True)
class Stability:
    """One model's runs."""

    model: str
    smooth: float
    short: tuple[float, ...]
    """For each clip, the mean over frames."""
    long: tuple[float, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Correspondence:
    """From a frame to an earlier one."""

    now: int
    then: int
    flow: Floats
    """(256, 256, 2): where in the earlier one each place of the frame lies."""
    sure: Floats
    """(256, 256): 1 where it may be relied on, else 0."""


def stabilities(
    runs: Sequence[tuple[Clip, Portrait]], models: Sequence[str], threads: int | None = None
) -> tuple[list[Stability], float]:
    """The truth, then every model without and with smoothing; and the share of places where the flow is sure.

    Raises:
        MienError: a model cannot be opened.
    """
    crops = [crop_of(run.frames[0].landmarks) for run, _ in runs]
    true = [[cut(one.pixels, crop) for one in run.frames] for (run, _), crop in zip(runs, crops, strict=True)]
    flows = [correspondences(frames) for frames in true]
    found = [_stability(TRUTH, 0.0, true, flows)]
    for model in models:
        for smooth in (0.0, SMOOTH):
            made = [
                [cut(one, crop) for one in answers(run, portrait, model, "driver", smooth, threads)]
                for (run, portrait), crop in zip(runs, crops, strict=True)
            ]
            found.append(_stability(model, smooth, made, flows))
    return found, float(np.mean([flow.sure.mean() for several in flows for flow in several]))


def correspondences(frames: Sequence[Pixels]) -> list[Correspondence]:
    """From each frame (256, 256, 3) to those `LAGS` before it."""
    grey = [np.ascontiguousarray(np.rint(frame.mean(axis=2)), np.uint8) for frame in frames]
    estimate = _estimator()
    return [
        Correspondence(
            now, now - lag, *_reliable(estimate(grey[now], grey[now - lag]), estimate(grey[now - lag], grey[now]))
        )
        for now in range(1, len(frames))
        for lag in LAGS
        if now >= lag
    ]


def difference(frames: Sequence[Pixels], flow: Correspondence) -> float:
    """The paper's error of one frame (256, 256, 3) and an earlier one."""
    warped = ops.flow_warp(frames[flow.then], flow.flow)
    squares = np.square((frames[flow.now].astype(np.float32) - warped) / 255)
    return float((flow.sure[..., None] * squares).mean())


def table(found: Sequence[Stability], sure: float) -> Table:
    """In the paper's form, with its figures."""
    rows: list[tuple[str, ...]] = []
    for model in dict.fromkeys(one.model for one in found):
        own = {one.smooth: one for one in found if one.model == model}
        plain, smoothed = own[0.0], own.get(SMOOTH)
        cells = (_cell(one, what) for what in ("short", "long") for one in (plain, smoothed))
        rows.append((Path(model).name, *cells))
    theirs = [(f"paper: {name}", f"{before:.4f}", f"{after:.4f}", "-", "-") for name, (before, after) in PAPER.items()]
    heads = ("before", "after", "long term, before", "long term, after")
    title = "Temporal error in consistent regions, before and after (here: smoothing; there: cleaning)"
    quoted = tuple(range(len(rows), len(rows) + len(theirs)))
    notes = (*DIFFERENT, f"The flow was sure at {sure:.0%} of all places.")
    return Table(title, ("", *heads), (*rows, *theirs), quoted, notes)


def rows(found: Sequence[Stability]) -> list[Row]:
    """A value for each clip."""
    out = []
    for one in found:
        condition: dict[str, Fact] = {"on": "clips", "model": Path(one.model).name, "smoothing": one.smooth}
        judged: Better = "neither" if one.model == TRUTH else "lower"
        for name, values in (("short", one.short), ("long", one.long)):
            shown = tuple(value * 1e4 for value in values)
            out.append(Row(f"temporal warping error, {name} term", "1e-4", shown, judged, condition, each="clip"))
    return out


def _stability(
    model: str, smooth: float, made: Sequence[Sequence[Pixels]], flows: Sequence[Sequence[Correspondence]]
) -> Stability:
    short, long = [], []
    for frames, several in zip(made, flows, strict=True):
        errors = {lag: [difference(frames, flow) for flow in several if flow.now - flow.then == lag] for lag in LAGS}
        short.append(float(np.mean(errors[LAGS[0]])))
        long.append(float(sum(np.mean(values) for values in errors.values() if values)))
    return Stability(model, smooth, tuple(short), tuple(long))


def _reliable(there: Floats, back: Floats) -> tuple[Floats, Floats]:
    """Absolute places of a relative flow (H, W, 2), and where it is sure."""
    height, width = there.shape[:2]
    places = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(np.float32) + there
    returned = ops.flow_warp(np.ascontiguousarray(back), places)
    size = _squared(there) + _squared(returned)
    inside = (places >= 0).all(axis=2) & (places[..., 0] <= width - 1) & (places[..., 1] <= height - 1)
    agree = _squared(there + returned) <= MISSED * size + SLACK
    gradient = sum(_squared(part) for part in np.gradient(there, axis=(0, 1)))
    sure = inside & agree & (gradient <= BENT * _squared(there) + EDGE)
    return places, sure.astype(np.float32)


def _squared(flow: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(np.square(flow).sum(axis=2))


def _estimator() -> Any:
    """(grey, grey) -> flow (H, W, 2) from the first to the second; OpenCV comes with MediaPipe."""
    cv2 = import_module("cv2")
    dense = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    return lambda one, other: dense.calc(one, other, None)


def _cell(one: Stability | None, what: str) -> str:
    if one is None:
        return "-"
    return f"{np.mean(one.short if what == 'short' else one.long):.4f}"
