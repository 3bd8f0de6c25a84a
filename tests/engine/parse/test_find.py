from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.capture.image import resized
from mien.face.face import eye_distance
from mien.face.pose import fit_pose
from mien.face.topology import canonical_face
from mien.parse.find import bounds, cut_square, find_faces, refine
from mien.parse.models import FaceDetector, FaceMesh, segment_person

Pixels = NDArray[np.uint8]
NAMES = ("aldo", "mira", "teo")


@pytest.mark.parametrize("name", NAMES)
def test_the_face_of_a_sample_is_found_where_it_is(
    name: str, pictures: dict[str, Pixels], still_mesh: FaceMesh
) -> None:
    (face,) = find_faces(pictures[name], still_mesh)
    assert face.shape == (478, 3)
    width = pictures[name].shape[1]
    assert 0.15 * width < eye_distance(face) < 0.4 * width
    assert (face[:, 0] > 0).all()
    assert (face[:, 0] < width).all()
    pose = fit_pose(face)
    far = np.linalg.norm(pose.undo(face)[:, :2] - canonical_face().points[:, :2], axis=1)
    assert far.max() < 0.3


def test_of_two_faces_the_largest_comes_first(pictures: dict[str, Pixels], still_mesh: FaceMesh) -> None:
    picture = side_by_side(pictures["mira"], pictures["teo"], share=0.7)
    large, small = find_faces(picture, still_mesh)
    assert eye_distance(large) > 1.2 * eye_distance(small)
    assert large[4, 0] < 512 < small[4, 0]


def test_a_small_face_in_a_large_picture_is_found(pictures: dict[str, Pixels], still_mesh: FaceMesh) -> None:
    large = np.full((1100, 1500, 3), 120, np.uint8)
    large[700:860, 1100:1260] = resized(pictures["mira"], 160, 160)
    (face,) = find_faces(large, still_mesh)
    own = find_faces(pictures["mira"], still_mesh)[0]
    np.testing.assert_allclose(face[:, :2], own[:, :2] * 160 / 512 + [1100, 700], atol=4)


@pytest.mark.parametrize("seed", [None, 3])
def test_a_picture_without_a_face_has_none(seed: int | None, still_mesh: FaceMesh) -> None:
    shape = (240, 320, 3)
    blank = np.full(shape, 90, np.uint8)
    pixels = blank if seed is None else np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    assert find_faces(pixels, still_mesh) == []


def test_several_looks_are_steadier_than_one(pictures: dict[str, Pixels], still_mesh: FaceMesh) -> None:
    """Between pictures shifted by whole pixels landmarks should shift alike; what is left is the landmarker's noise."""
    once, often = [], []
    for shift in range(3):
        pixels = np.ascontiguousarray(pictures["aldo"][shift * 5 : 490 + shift * 5, shift * 7 : 490 + shift * 7])
        face = find_faces(pixels, still_mesh)[0]
        back = [shift * 7, shift * 5, 0]
        once.append(face + back)
        often.append(refine(pixels, face, still_mesh) + back)
    spread = [np.std(faces, axis=0)[:, :2].mean() for faces in (once, often)]
    assert spread[1] < spread[0]
    assert spread[1] < 0.8


def test_refining_a_face_that_no_cut_shows_keeps_it(still_mesh: FaceMesh) -> None:
    face = canonical_face().points * 60 + [160, 100, 0]
    np.testing.assert_allclose(refine(np.full((240, 320, 3), 80, np.uint8), face, still_mesh), face)


def test_a_cut_is_clipped_to_the_picture_and_says_where_it_lies() -> None:
    pixels = np.arange(40 * 50 * 3, dtype=np.uint32).astype(np.uint8).reshape(40, 50, 3)
    (x, y), cut = cut_square(pixels, (30.0, 5.0, 60.0, 25.0), 0.5)
    assert (x, y) == (15, 0)
    np.testing.assert_array_equal(cut, pixels[y : y + cut.shape[0], x : x + cut.shape[1]])
    assert cut.flags.c_contiguous
    corner, whole = cut_square(pixels, (80.0, 80.0, 90.0, 90.0), 0.1)
    assert corner == (0, 0)
    assert whole.shape == pixels.shape


def test_bounds_hold_all_landmarks() -> None:
    face = np.random.default_rng(0).normal(size=(478, 3))
    x0, y0, x1, y1 = bounds(face)
    assert (face[:, 0] >= x0).all()
    assert (face[:, 0] <= x1).all()
    assert (face[:, 1].min(), face[:, 1].max()) == (y0, y1)


def test_boxes_hold_the_face_and_come_largest_first(pictures: dict[str, Pixels]) -> None:
    detector = FaceDetector()
    boxes = detector(side_by_side(pictures["mira"], pictures["teo"], share=0.6))
    detector.close()
    assert len(boxes) == 2
    areas = [(b[2] - b[0]) * (b[3] - b[1]) for b in boxes]
    assert areas[0] > areas[1]
    assert boxes[0][0] < 256 < boxes[0][2]


def test_a_person_is_told_from_the_background(pictures: dict[str, Pixels]) -> None:
    mask = segment_person(pictures["aldo"])
    assert mask.shape == (512, 512)
    assert mask[240, 256] > 0.9
    assert mask[10, 10] < 0.1


def side_by_side(a: Pixels, b: Pixels, share: float) -> Pixels:
    """`a` on the left, and on the right `b` shrunk by `share`, on grey."""
    side = round(b.shape[0] * share)
    out = np.full((a.shape[0], a.shape[1] + side, 3), 110, np.uint8)
    out[:, : a.shape[1]] = a
    out[-side:, a.shape[1] :] = resized(b, side, side)
    return out
