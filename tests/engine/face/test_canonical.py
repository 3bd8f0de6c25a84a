from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from mien.face import topology
from mien.face.contacts import lid_gaps, lip_gaps
from mien.face.topology import canonical_face
from mien_kernels import ops

FACE = canonical_face()
PLANE = FACE.points[:, :2]


def _areas() -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    a, b, c = (PLANE[FACE.triangles[:, i]] for i in range(3))
    return np.asarray(((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]) / 2)


def _covered(at: list[tuple[float, float]]) -> list[bool]:
    """Whether the mesh's triangles cover places in the face's plane."""
    scale, middle = 200.0, np.array([300.0, 200.0])
    target = np.concatenate([PLANE * scale + middle, FACE.points[:, 2:]], axis=1).astype(np.float32)
    _, depth = ops.rasterize_flow(target, target[:, :2].copy(), FACE.triangles, size=(600, 600))
    places = np.rint(np.array(at) * scale + middle).astype(int)
    return [bool(np.isfinite(depth[y, x])) for x, y in places]


def test_its_arrays_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        FACE.points[0] = 0


def test_its_unit_is_the_distance_of_the_outer_eye_corners() -> None:
    corners = FACE.points[[topology.LEFT_EYE[0], topology.RIGHT_EYE[0]]]
    assert np.linalg.norm(corners[1] - corners[0]) == pytest.approx(1.0, abs=1e-3)
    assert abs(corners[:, 1].mean()) < 0.1


def test_it_is_its_own_mirror_image() -> None:
    np.testing.assert_array_equal(FACE.mirror[FACE.mirror], np.arange(topology.COUNT))
    np.testing.assert_allclose(FACE.points[FACE.mirror] * [-1, 1, 1], FACE.points, atol=1e-6)


def test_outlines_are_mirrored_onto_each_other() -> None:
    for left, right in ((topology.LEFT_EYE, topology.RIGHT_EYE), (topology.LEFT_BROW, topology.RIGHT_BROW)):
        assert [int(FACE.mirror[k]) for k in left] == list(right)
    for outline in (topology.OVAL, topology.INNER_LIPS, topology.OUTER_LIPS, topology.NOSE, topology.NOSE_BRIDGE):
        assert {int(FACE.mirror[k]) for k in outline} == set(outline)
        assert len(set(outline)) == len(outline)


def test_its_triangles_cover_the_face_once_and_are_oriented_one_way() -> None:
    areas = _areas()
    assert (areas > 0).all()
    ring = PLANE[list(topology.OVAL)]
    after = np.roll(ring, -1, axis=0)
    oval = abs((ring[:, 0] * after[:, 1] - ring[:, 1] * after[:, 0]).sum()) / 2
    holes = sum(
        abs((r[:, 0] * np.roll(r[:, 1], -1) - r[:, 1] * np.roll(r[:, 0], -1)).sum()) / 2
        for r in (PLANE[list(ring)] for ring in (*topology.EYES, topology.INNER_LIPS))
    )
    assert areas.sum() == pytest.approx(oval - holes, rel=0.02)


def test_every_skin_landmark_is_used_and_no_iris() -> None:
    assert set(np.unique(FACE.triangles).tolist()) == set(range(topology.SKIN_COUNT))


def test_edges_that_belong_to_one_triangle_are_the_contour_and_the_holes() -> None:
    edges = Counter(frozenset((int(t[i]), int(t[(i + 1) % 3]))) for t in FACE.triangles for i in range(3))
    assert set(edges.values()) == {1, 2}
    rim = {k for edge, count in edges.items() if count == 1 for k in edge}
    named = {*topology.OVAL, *topology.LEFT_EYE, *topology.RIGHT_EYE, *topology.INNER_LIPS}
    assert rim <= named
    bridged = {topology.INNER_LIPS[0], topology.INNER_LIPS[10]}
    assert named - rim <= bridged


def test_eyes_and_mouth_are_holes_and_the_cheek_is_not() -> None:
    eyes = [tuple(PLANE[list(eye)].mean(axis=0)) for eye in topology.EYES]
    assert _covered([(float(x), float(y)) for x, y in eyes]) == [False, False]
    cheek, tip = PLANE[50], PLANE[4]
    assert _covered([(float(x), float(y)) for x, y in (cheek, tip)]) == [True, True]


def test_its_mouth_is_closed_and_its_eyes_are_open() -> None:
    assert np.abs(lip_gaps(FACE.points)).max() < 0.02
    assert lid_gaps(FACE.points).mean() > 0.05
