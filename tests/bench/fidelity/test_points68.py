from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.face.points68 import MESH, MIRROR
from mien.face.pose import Angles, rotation_of
from mien.face.topology import canonical_face
from mien_bench.fidelity.points68 import UNITS, distances, read_mesh, read_points, unit_correlations

Array = NDArray[np.float64]
MOVES: dict[int, tuple[tuple[int, ...], tuple[float, float]]] = {
    1: ((20, 21, 22, 23), (0.0, -0.05)),
    2: ((17, 18, 25, 26), (0.0, -0.05)),
    4: ((20, 21, 22, 23), (0.0, 0.05)),
    5: ((37, 38, 43, 44), (0.0, -0.05)),
    6: ((40, 41, 46, 47), (0.0, -0.05)),
    9: ((31, 35), (0.0, -0.05)),
    12: ((48, 54), (0.0, -0.05)),
    15: ((48, 54), (0.0, 0.05)),
    17: ((8,), (0.0, -0.05)),
    25: ((65, 66, 67), (0.0, 0.05)),
    26: ((8,), (0.0, 0.05)),
}
"""For each unit points that are moved, and where to, in eye distances, y down."""


def face() -> Array:
    return canonical_face().points[list(MESH)].copy()


def seen(shape: Array, angles: Angles, scale: float = 90.0) -> Array:
    return scale * (shape @ rotation_of(angles).T)[:, :2] + (210.0, 160.0)


@pytest.mark.parametrize("unit", MOVES)
def test_a_unit_grows_with_what_it_is_named_after(unit: int) -> None:
    points, way = MOVES[unit]
    shape = face()[:, :2]
    before = distances(shape)
    shape[list(points)] += way
    change = dict(zip(UNITS, distances(shape) - before, strict=True))
    assert change[unit] >= 0.049


def test_stretched_lips_are_unit_20() -> None:
    shape = face()[:, :2]
    before = distances(shape)
    shape[48, 0] -= 0.05
    shape[54, 0] += 0.05
    assert (distances(shape) - before)[UNITS.index(20)] == pytest.approx(0.1)


@pytest.mark.parametrize("angles", [Angles(0, 0, 0), Angles(20, -10, 5), Angles(-15, 12, -25)])
def test_pose_is_found_and_undone(angles: Angles) -> None:
    shape = face()
    shape[[48, 54], 1] -= 0.06
    reading = read_points(seen(shape, angles))
    assert reading.angles == pytest.approx([angles.yaw, angles.pitch, angles.roll], abs=1e-6)
    assert reading.units == pytest.approx(distances(shape[:, :2]), abs=1e-9)


def test_points_and_mesh_of_one_face_agree() -> None:
    turned = 80.0 * canonical_face().points @ rotation_of(Angles(8, 4, -3)).T
    of_mesh, of_points = read_mesh(turned), read_points(turned[list(MESH), :2])
    assert of_points.units == pytest.approx(of_mesh.units, abs=1e-6)
    assert of_points.angles == pytest.approx(of_mesh.angles, abs=1e-6)


def test_a_mirrored_face_has_the_same_points_in_another_order() -> None:
    assert sorted(MIRROR) == list(range(68))
    mirrored = face() * (-1.0, 1.0, 1.0)
    assert mirrored[list(MIRROR)] == pytest.approx(face(), abs=0.02)


def test_each_unit_has_the_correlation_of_its_own() -> None:
    random = np.random.default_rng(0)
    guides = random.normal(size=(40, 12))
    answers = 0.5 * guides + 3.0
    answers[:, 0] = -guides[:, 0]
    answers[:, 1] = 7.0
    guides[:, 2] = 1.0
    answers[5] = np.nan
    found = unit_correlations(guides, answers)
    assert found[[0, 1]] == pytest.approx([-1.0, 0.0])
    assert np.isnan(found[2])
    assert found[3:] == pytest.approx(1.0)
    assert np.isnan(unit_correlations(guides[:2], answers[:2])).all()
