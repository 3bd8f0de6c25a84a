import numpy as np

from mien.face.crop import PLACE, SIDE, UNIT, crop_matrix
from mien.face.pose import Angles, Similarity, rotation_of
from mien.face.topology import canonical_face
from mien.plane import inverse, placed


def pose(yaw: float = 0.0, roll: float = 0.0, scale: float = 90.0) -> Similarity:
    return Similarity(rotation_of(Angles(yaw, 0.0, roll)), np.array([310.0, 220.0, 5.0]), scale)


def test_every_face_comes_upright_in_one_size_and_place() -> None:
    points = canonical_face().points
    crops = [placed(at.apply(points), crop_matrix(at)) for at in (pose(), pose(roll=25.0), pose(scale=41.0))]
    for other in crops[1:]:
        np.testing.assert_allclose(other[:, :2], crops[0][:, :2], atol=1e-9)
    eyes = crops[0][[33, 263], :2]
    assert abs(np.linalg.norm(eyes[1] - eyes[0]) - UNIT) < 1e-6
    assert abs(eyes[0, 1] - eyes[1, 1]) < 1.0


def test_a_turned_head_stays_in_the_crop() -> None:
    points = canonical_face().points
    for yaw in (-40.0, 40.0):
        at = pose(yaw=yaw)
        inside = placed(at.apply(points), crop_matrix(at))[:, :2]
        assert inside.min() > 0
        assert inside.max() < SIDE - 1


def test_a_chin_has_room_to_fall() -> None:
    chin = placed(pose().apply(canonical_face().points[[152]]), crop_matrix(pose()))[0, 1]
    assert chin + 0.45 * UNIT < SIDE


def test_sides_show_the_same_places() -> None:
    point = np.array([[300.0, 240.0]])
    small, large = (placed(point, crop_matrix(pose(), side)) for side in (128, 512))
    np.testing.assert_allclose((small + 0.5) / 128, (large + 0.5) / 512)


def test_the_inverse_leads_back() -> None:
    matrix = crop_matrix(pose(20.0, 13.0))
    points = np.random.default_rng(0).uniform(0, 500, (20, 2))
    np.testing.assert_allclose(placed(placed(points, matrix), inverse(matrix)), points, atol=1e-9)
    assert PLACE[1] < SIDE / 2
