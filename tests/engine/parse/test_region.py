"""Squares in which faces are looked for."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mien.face.topology import COUNT, LEFT_EYE, RIGHT_EYE
from mien.parse.detection import anchors, detections, region_of
from mien.parse.region import FaceRegion, distinct


def test_a_turned_square_is_where_its_matrix_says() -> None:
    region = FaceRegion(100.0, 50.0, 40.0, math.pi / 2)
    matrix = region.matrix(np.zeros((2, 3), np.float32), 20)
    corners = np.array([[0, 0], [20, 0], [20, 20], [10, 10]], np.float64)
    expected = [[120, 30], [120, 70], [80, 70], [100, 50]]
    np.testing.assert_allclose(corners @ matrix[:, :2].T + matrix[:, 2], expected, atol=1e-5)


def test_points_come_back_by_the_same_way_and_depth_grows_as_they_do() -> None:
    region = FaceRegion(320.0, 200.0, 300.0, 0.3)
    points = np.random.default_rng(0).uniform(0, 192, (COUNT, 3)).astype(np.float32)
    matrix = region.matrix(np.zeros((2, 3), np.float32), 192).astype(np.float64)
    placed = region.from_crop(points, 192)
    np.testing.assert_allclose(placed[:, :2], points[:, :2] @ matrix[:, :2].T + matrix[:, 2], atol=1e-3)
    np.testing.assert_allclose(placed[:, 2], points[:, 2] * 300 / 192, rtol=1e-5)


def test_a_face_is_looked_for_where_it_was_upright_by_its_eyes() -> None:
    landmarks = np.zeros((COUNT, 3))
    landmarks[:, 0], landmarks[:, 1] = 100, 80
    landmarks[LEFT_EYE[0], :2], landmarks[RIGHT_EYE[0], :2] = (60, 60), (140, 140)
    region = FaceRegion.of_landmarks(landmarks)
    assert (region.x, region.y, region.side) == pytest.approx((100, 100, 120))
    assert region.angle == pytest.approx(math.pi / 4)


def test_of_two_squares_around_one_face_the_later_is_kept() -> None:
    first, same, other = FaceRegion(100, 100, 50), FaceRegion(104, 100, 50), FaceRegion(300, 100, 50)
    assert first.overlap(first) == pytest.approx(1.0)
    assert first.overlap(other) == 0.0
    assert distinct([first, other, same]) == [other, same]


def test_boxes_at_neighbouring_anchors_are_one_face_by_their_scores() -> None:
    places = anchors(896)
    assert places.shape == (896, 2)
    boxes, scores = np.zeros((896, 16), np.float32), np.zeros(896, np.float32)
    for number, score in ((0, 0.9), (2, 0.6), (895, 0.5), (400, 0.3)):
        boxes[number, 2:4] = 32
        boxes[number, 4:] = np.tile([3.0, 0.0], 6)
        scores[number] = score
    found = detections(boxes.ravel(), scores, places, 128, 0.4)
    assert found.shape == (2, 8, 2)
    middle = (places[0] * 0.9 + places[2] * 0.6) / 1.5
    np.testing.assert_allclose(found[0, :2].mean(axis=0), middle, atol=1e-6)
    np.testing.assert_allclose(found[0, 1] - found[0, 0], 0.25, atol=1e-6)
    seen = FaceRegion.whole(640, 480)
    region = region_of(found[1], seen)
    assert (region.x, region.y) == pytest.approx(tuple((places[895] - 0.5) * 640 + [320, 240]), abs=1e-3)
    assert region.side == pytest.approx(1.5 * 160)


def test_no_score_is_no_detection() -> None:
    found = detections(np.zeros(2304 * 16, np.float32), np.zeros(2304, np.float32), anchors(2304), 192, 0.4)
    assert found.shape == (0, 8, 2)
