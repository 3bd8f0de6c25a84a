from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from mien import samples
from mien.portrait.portrait import Portrait
from mien_bench.quality.regions import REGIONS
from mien_bench.quality.video_runs import flicker, run_of, steadiness
from mien_kernels import ops

Pixels = NDArray[np.uint8]
FACE = REGIONS.index("face")


@pytest.fixture(scope="module")
def mira(people: dict[str, Portrait]) -> Portrait:
    return people["mira"]


def shifted(pixels: Pixels, way: float) -> Pixels:
    height, width = pixels.shape[:2]
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    return ops.flow_warp(pixels, np.stack([xs - np.float32(way), ys], axis=-1))


def test_what_moves_with_the_face_does_not_flicker(mira: Portrait) -> None:
    ways = [0.0, 4.0, 8.0, 12.0]
    frames = [shifted(mira.pixels, way) for way in ways]
    followed = flicker(frames, [mira.landmarks + [way, 0, 0] for way in ways], mira.landmarks)
    swaying = [0.0, 4.0, 0.0, 4.0]
    ignored = flicker([shifted(mira.pixels, way) for way in swaying], [mira.landmarks] * 4, mira.landmarks)
    assert ignored[FACE] > 10 * followed[FACE]


def test_even_change_is_no_flicker_and_alternation_is(mira: Portrait) -> None:
    dim = np.minimum(mira.pixels, 200)
    even = [dim + np.uint8(step) for step in (0, 6, 12, 18)]
    uneven = [dim + np.uint8(step) for step in (0, 6, 0, 6)]
    shapes = [mira.landmarks] * 4
    assert flicker(even, shapes, mira.landmarks)[FACE] == pytest.approx(0.0, abs=0.05)
    assert flicker(uneven, shapes, mira.landmarks)[FACE] == pytest.approx(36.0, rel=0.02)


def test_models_are_measured_on_runs(people: dict[str, Portrait]) -> None:
    run = run_of(samples.driver(), 4)
    assert [one.number for one in run.frames] == [0, 1, 2, 3]
    found = steadiness([(run, people["teo"])], ["warp"], 1)
    assert [(one.model, one.condition) for one in found] == [("warp", "none"), ("warp", "recoloured")]
    assert all(np.isfinite(one.octaves[FACE]) for one in found)
