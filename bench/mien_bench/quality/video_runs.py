"""Runs of consecutive frames, smoothed as a user sees them, and their flicker.

Flicker is change from frame to frame that neither motion nor the truth explains.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.config import Mouth, ReenactSettings
from mien.face import topology
from mien.face.crop import SIDE
from mien.plane import placed
from mien.portrait.portrait import Portrait
from mien.reenact.mesh import mesh_triangles
from mien_bench.quality.clips import Clip, read_clip
from mien_bench.quality.picture_measures import averages, luma
from mien_bench.quality.puppet import open_puppet, settings_for, towards
from mien_bench.quality.regions import REGIONS, crop_of, cut, regions_of
from mien_bench.quality.self_reenactment import mouth_of, recoloured
from mien_bench.quality.summary import mean_of
from mien_bench.results import Fact, Row, Table
from mien_kernels import ops

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]
SMOOTH = ReenactSettings().smooth
FLOOR = 0.1
"""Squared grey levels added to both sides, so that a picture that stands still gives a finite ratio."""
LIGHT_SEED = 0
Run = tuple[Clip, Portrait]
"""Consecutive frames, and the portrait that answers them."""
CONDITIONS: tuple[tuple[str, Mouth], ...] = (("none", "none"), ("recoloured", "driver"))


def flicker(frames: Sequence[Pixels], landmarks: Sequence[Array], portrait: Array) -> Array:
    """(6,): energy of the temporal high-pass in squared grey levels, per region, over consecutive frames.

    Each frame is compared with the mean of its two neighbours, carried to it by the flow between their landmarks
    (478, 3), in a crop that stands still; what changes evenly, or moves with the face, has none.

    Args:
        frames: at least 3, (H, W, 3).
        portrait: (478, 3), landmarks of the portrait, for the regions.
    """
    matrix = crop_of(landmarks[0])
    size = frames[0].shape[1], frames[0].shape[0]
    crops = [luma(cut(frame, matrix))[..., None] for frame in frames]
    points = [placed(one, matrix) for one in landmarks]
    rows = []
    for now in range(1, len(frames) - 1):
        around = [ops.flow_warp(crops[i], _flow(points[now], points[i])) for i in (now - 1, now + 1)]
        left = crops[now] - (around[0] + around[1]) / 2
        regions = regions_of(landmarks[now], portrait, matrix, size)
        rows.append(averages(np.square(left[..., 0]), regions))
    return mean_of(np.array(rows))


def _flow(target: Array, source: Array) -> Floats:
    """(SIDE, SIDE, 2): where in the crop with `source` each place of the one with `target` lies; (478, 3) each."""
    skin = slice(0, topology.SKIN_COUNT)
    flow, _ = ops.rasterize_flow(
        target[skin].astype(np.float32), source[skin, :2].astype(np.float32), _skin_triangles(), size=(SIDE, SIDE)
    )
    return flow


@lru_cache(maxsize=1)
def _skin_triangles() -> NDArray[np.int32]:
    """(T, 3): the mesh without its rings."""
    triangles = mesh_triangles()
    return np.ascontiguousarray(triangles[(triangles < topology.SKIN_COUNT).all(axis=1)])


@dataclass(frozen=True, slots=True, eq=False)
class Steadiness:
    """How one model flickers."""

    model: str
    condition: str
    octaves: Array
    """(6,): octaves of flicker above the truth's in each region, over clips; 0 is as much as the camera and codec."""
    of_runs: Array
    """(runs, 6): of each."""


def run_of(path: Path, count: int) -> Clip:
    """The first `count` frames of a clip that show a face, each of them."""
    return read_clip(path, 1, count)


def steadiness(runs: Sequence[Run], models: Sequence[str], threads: int | None = None) -> list[Steadiness]:
    """Every model on every run; each is given its clip's portrait.

    Raises:
        MienError: a model cannot be opened.
    """
    found = []
    for model in models:
        for condition, mouth in CONDITIONS:
            rows = np.array([_octaves(run, portrait, model, mouth, threads) for run, portrait in runs])
            found.append(Steadiness(model, condition, mean_of(rows), rows))
    return found


def table(found: Sequence[Steadiness], frames: int) -> Table:
    """For reading."""
    cells = [(f"{Path(one.model).name}, mouth: {one.condition}", *(f"{v:+.2f}" for v in one.octaves)) for one in found]
    title = f"Flicker in clips, octaves above the truth's own; runs of {frames} frames, smoothing {SMOOTH:g}"
    return Table(title, ("", *REGIONS), tuple(cells))


def rows(found: Sequence[Steadiness]) -> list[Row]:
    """A row for each model, condition and region, with a value for each clip that shows it."""
    out = []
    for one in found:
        condition: dict[str, Fact] = {"on": "clips", "model": Path(one.model).name, "mouth": one.condition}
        for place, region in enumerate(REGIONS):
            seen = tuple(value for value in one.of_runs[:, place].tolist() if np.isfinite(value))
            if seen:
                out.append(Row(f"flicker, {region}", "octaves", seen, "lower", condition, each="clip"))
    return out


def answers(
    run: Clip, portrait: Portrait, model: str, mouth: Mouth, smooth: float = SMOOTH, threads: int | None = None
) -> list[Pixels]:
    """What a model makes of a run, frame by frame.

    Raises:
        MienError: the model cannot be opened.
    """
    made = []
    with open_puppet(portrait, settings_for(model, mouth, smooth=smooth, threads=threads)) as puppet:
        for number, one in enumerate(run.frames):
            # one light for the whole run: a camera's does not change from frame to frame
            light = recoloured(one.pixels, np.random.default_rng(LIGHT_SEED))
            own = mouth_of(run.name, light, one.landmarks) if mouth == "driver" else None
            motion = towards(one.landmarks, portrait.size, own.hint if own is not None else None)
            made.append(puppet(motion, number).pixels.copy())
    return made


def _octaves(run: Clip, portrait: Portrait, model: str, mouth: Mouth, threads: int | None) -> Array:
    """(6,): of one model on one run."""
    landmarks = [one.landmarks for one in run.frames]
    ours = flicker(answers(run, portrait, model, mouth, threads=threads), landmarks, portrait.landmarks)
    truth = flicker([one.pixels for one in run.frames], landmarks, portrait.landmarks)
    return np.asarray(np.log2((ours + FLOOR) / (truth + FLOOR)))
