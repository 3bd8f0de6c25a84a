from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from mien import parse_labels
from mien.face.pose import Angles, Similarity, rotation_of
from mien.plane import Affine, Box
from mien.portrait.portrait import Portrait
from mien.posed import Posed
from mien_bench.fidelity.head_layer import HeadLayer, head_layer, off_segment, straying
from mien_bench.fidelity.integrity import Integrity, area_range, beyond_edge, rows, table, targets
from mien_bench.quality.puppet import open_puppet, settings_for

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]


@pytest.fixture(scope="module")
def mira(people: dict[str, Portrait]) -> Portrait:
    return people["mira"]


@pytest.fixture(scope="module")
def head(mira: Portrait) -> HeadLayer:
    return head_layer(mira, parse_labels(mira.pixels, threads=1), None)


def moved(portrait: Portrait, scale: float, roll: float, way: tuple[float, float]) -> tuple[Pixels, Similarity, Affine]:
    """The whole picture scaled, rolled and shifted as one, and the pose that its head then has."""
    turn = rotation_of(Angles(0.0, 0.0, roll))
    middle = np.array([portrait.size[0] / 2, portrait.size[1] / 2, 0.0])
    shift = middle - scale * turn @ middle + np.array([*way, 0.0])
    own = portrait.pose
    pose = Similarity(turn @ own.rotation, scale * turn @ own.translation + shift, scale * own.scale)
    matrix = np.column_stack([scale * turn[:2, :2], shift[:2]])
    shown = cv2.warpAffine(portrait.pixels, matrix, portrait.size, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(shown), pose, matrix


@pytest.mark.parametrize(("scale", "roll", "way"), [(1.0, 0.0, (0, 0)), (1.3, 20.0, (20, 5)), (0.75, -25.0, (-30, 15))])
def test_a_head_that_moves_as_one_piece_does_not_stray(
    mira: Portrait, head: HeadLayer, scale: float, roll: float, way: tuple[float, float]
) -> None:
    answer, pose, _ = moved(mira, scale, roll, way)
    found = straying(head, answer, pose)
    assert len(found.parts["hair"]) > 1000
    assert np.percentile(found.all, 95) < 0.3


def test_hair_that_stays_behind_strays_by_as_much(mira: Portrait, head: HeadLayer) -> None:
    width = float(np.linalg.norm(mira.landmarks[127, :2] - mira.landmarks[356, :2]))
    _, pose, _ = moved(mira, 1.0, 0.0, (0.1 * width, 0.0))
    found = straying(head, mira.pixels, pose)
    assert np.median(found.parts["hair"]) == pytest.approx(10.0, abs=1.0)


def test_a_way_that_some_depth_explains_is_no_straying() -> None:
    along, flow = np.array([2.0, 0.0]), np.array([[1.0, 0.0], [6.0, 0.0], [0.0, 3.0]])
    away = off_segment(flow, along, np.full(3, -0.5), np.full(3, 2.0))
    assert away == pytest.approx([0.0, 2.0, 3.0])
    assert off_segment(flow, np.zeros(2), np.zeros(3), np.zeros(3)) == pytest.approx([1.0, 6.0, 3.0])


@pytest.fixture
def posed(mira: Portrait) -> Posed:
    with open_puppet(mira, settings_for("warp", "none", threads=1)) as puppet:
        shown = puppet(None, 0).posed[0]
        return replace(shown, vertices=shown.vertices.copy(), texture=shown.texture.copy(), flow=shown.flow.copy())


def test_areas_count_beyond_what_the_head_s_size_explains(mira: Portrait, posed: Posed) -> None:
    still = replace(posed, texture=np.ascontiguousarray(posed.vertices[:, :2]))
    assert area_range(still) == pytest.approx(1.0)
    middle = np.append(mira.pose.translation[:2], 0.0).astype(np.float32)
    larger = replace(still, vertices=middle + np.float32(1.2) * (still.vertices - middle))
    assert area_range(larger) == pytest.approx(1.44, abs=1e-4)
    nearer = replace(larger, pose=replace(posed.pose, scale=posed.pose.scale * 1.2))
    assert area_range(nearer) == pytest.approx(1.0, abs=1e-4)
    wider = replace(nearer, vertices=nearer.vertices * np.array([1.25, 1.0, 1.0], np.float32))
    assert area_range(wider) == pytest.approx(1.25, abs=1e-3)


def test_what_comes_from_beyond_the_edge_is_counted_where_the_person_is_repeated(mira: Portrait, posed: Posed) -> None:
    width, height = mira.size
    window = Box.whole(width, height)
    flow = np.zeros((10, 10, 2), np.float32) + np.float32(20)
    flow[0, :, 1] = -5.0
    shown = replace(posed, window=window, flow=flow, portrait=replace(mira, matte=None))
    assert beyond_edge(shown) == pytest.approx(10.0)
    matte = np.zeros((height, width), np.uint8)
    assert beyond_edge(replace(shown, portrait=replace(mira, matte=matte))) == 0.0
    assert beyond_edge(replace(shown, window=Box(0, 0, width // 2, height))) == pytest.approx(5.0)


def test_tables_and_targets_say_what_was_found() -> None:
    good = Integrity(
        "a",
        "d",
        "warp",
        {"hair": np.full(4, 0.5), "ears": np.full(4, np.nan), "skin": np.full(4, 1.0), "head": np.full(4, 0.8)},
        np.tile([0.7, 0.8, 1.2, 1.5], (4, 1)),
        np.zeros(4),
    )
    torn = replace(good, portrait="b", areas=np.tile([0.1, 0.8, 1.2, 3.0], (4, 1)), uncovered=np.array([0.0, 2, 0, 0]))
    assert [check.kept for check in targets([good])] == [True, True, True]
    assert [check.kept for check in targets([good, torn])] == [True, False, False]
    lines = table([good, torn]).rows
    assert [line[0] for line in lines] == ["a, warp", "b, warp", "all, warp", "median pair, warp"]
    assert lines[2][2] == lines[3][2] == "-"
    assert lines[3][4] == "0.8 [0.8, 0.8]"
    found = {row.name: row.values for row in rows([good, torn])}
    assert found["area of triangles, least"] == (0.7, 0.1)
    assert found["shown from beyond the edge, worst frame"] == (0.0, 2.0)
