"""Warped differences: what moves evenly has none, what flickers has as much as it flickers, where the flow is sure."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from mien import samples
from mien.portrait.portrait import Portrait
from mien_bench.quality.picture_strips import CELL, MARGIN, extremes, grid
from mien_bench.quality.temporal import LAGS, PAPER, TRUTH, correspondences, difference, rows, stabilities, table
from mien_bench.quality.video_runs import run_of
from mien_bench.roundtrip.reenacted import Performance
from mien_kernels import ops

Pixels = NDArray[np.uint8]


def moved(pixels: Pixels, way: float) -> Pixels:
    height, width = pixels.shape[:2]
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    return ops.flow_warp(pixels, np.stack([xs - np.float32(way), ys], axis=-1))


@pytest.fixture(scope="module")
def sliding(people: dict[str, Portrait]) -> list[Pixels]:
    return [moved(people["mira"].pixels[:256, :256], 2.0 * number) for number in range(4)]


def test_what_moves_with_the_flow_has_no_difference(sliding: list[Pixels]) -> None:
    ways = correspondences(sliding)
    assert [(way.now, way.then) for way in ways] == [(1, 0), (2, 1), (2, 0), (3, 2), (3, 1)]
    assert all(way.sure.mean() > 0.5 for way in ways)
    assert all(difference(sliding, way) < 1e-3 for way in ways)


def test_what_flickers_is_told_as_the_paper_s_formula_has_it(sliding: list[Pixels]) -> None:
    ways = correspondences(sliding)
    dim = [np.minimum(frame, 200) + np.uint8(20 * (number % 2)) for number, frame in enumerate(sliding)]
    (way,) = (one for one in ways if (one.now, one.then) == (1, 0))
    plain = [np.minimum(frame, 200) for frame in sliding]
    assert difference(dim, way) - difference(plain, way) == pytest.approx((20 / 255) ** 2 * way.sure.mean(), rel=0.15)


def test_what_comes_into_view_is_not_relied_on(sliding: list[Pixels]) -> None:
    torn = [sliding[0], np.ascontiguousarray(sliding[0][::-1])]
    (way,) = correspondences(torn)
    assert way.sure.mean() < 0.3


def test_models_stand_between_the_truth_and_the_paper(people: dict[str, Portrait]) -> None:
    run = run_of(samples.driver(), LAGS[2] + 2)
    found, sure = stabilities([(run, people["mira"])], ["warp"], 1)
    assert [(one.model, one.smooth > 0) for one in found] == [(TRUTH, False), ("warp", False), ("warp", True)]
    assert found[2].short[0] <= found[1].short[0]
    assert all(one.long[0] >= one.short[0] > 0 for one in found)
    told = table(found, sure)
    assert told.rows[0][2] == "-"
    assert len(told.quoted) == len(PAPER)
    assert [row.better for row in rows(found)] == ["neither", "neither", "lower", "lower", "lower", "lower"]


def test_a_strip_holds_every_picture_in_its_place() -> None:
    white = np.full((30, 60, 3), 255, np.uint8)
    picture = grid([[None, white], [white, white]])
    assert picture.shape == (2 * CELL + MARGIN, 2 * CELL + MARGIN, 3)
    assert (picture[:CELL, :CELL] == 128).all()
    assert (picture[CELL // 2, CELL + MARGIN + CELL // 2] == 255).all()


def test_the_driver_s_extremes_are_shown() -> None:
    channels = np.zeros((9, 5))
    channels[:, 1] = 1.0
    channels[2, 0], channels[3, 1], channels[4, 2], channels[5, 3] = 1.0, 0.1, -30.0, 12.0
    performance = Performance(samples.driver(), None, (), (), channels)  # type: ignore[arg-type]
    assert list(extremes(performance).values()) == [2, 3, 4, 5]
