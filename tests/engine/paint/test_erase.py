import numpy as np
from numpy.typing import NDArray

from mien.draw.outlines import outline_mask
from mien.face.contacts import set_lip_gaps
from mien.face.pose import Angles, Similarity, rotation_of
from mien.face.topology import canonical_face
from mien.paint.erase import INNER, LIP_SHARE, NOTHING, OUTER, Erasing, erased_mouth
from mien.paint.parsing import TEETH, parsing_map
from mien.plane import placed

SIDE = 32
POSE = Similarity(rotation_of(Angles(8.0, -5.0, 12.0)), np.array([128.0, 100.0, 0.0]), 80.0)
FACE = canonical_face().points
SHUT, PARTED, WIDE = (set_lip_gaps(FACE, np.full(9, gap)) for gap in (0.0, 0.06, 0.3))


def flow(zoom: float = 1.0) -> NDArray[np.float32]:
    x, y = np.meshgrid(np.arange(SIDE, dtype=np.float32), np.arange(SIDE, dtype=np.float32))
    return np.stack([x * np.float32(zoom), y], axis=-1)


def warped() -> NDArray[np.uint8]:
    return np.full((SIDE, SIDE, 3), 200, np.uint8)


def erased(mouth: NDArray[np.float32], way: NDArray[np.float32]) -> NDArray[np.uint8]:
    out = warped()
    Erasing((SIDE, SIDE))(out, mouth, way)
    return out


def test_the_inner_mouth_goes_whatever_the_flow_says() -> None:
    mouth = np.zeros((SIDE, SIDE), np.float32)
    mouth[10:20, 8:24] = 1
    out = erased(mouth, flow())
    assert (out[10:20, 8:24] == NOTHING).all()
    assert (out[:10] == 200).all()
    assert (out[20:] == 200).all()


def test_half_a_pixel_of_mouth_is_enough() -> None:
    mouth = np.zeros((SIDE, SIDE), np.float32)
    mouth[5, 5] = 0.5
    assert (erased(mouth, flow())[5, 5] == NOTHING).all()


def test_skin_stretched_beyond_use_goes() -> None:
    nothing = np.zeros((SIDE, SIDE), np.float32)
    assert (erased(nothing, flow(0.05)) == NOTHING).all()
    assert (erased(nothing, flow(0.5)) == 200).all()


def test_skin_turned_inside_out_goes() -> None:
    nothing = np.zeros((SIDE, SIDE), np.float32)
    assert (erased(nothing, flow(-1.0)) == NOTHING).all()


def test_nothing_is_left_from_the_call_before() -> None:
    erasing, nothing = Erasing((SIDE, SIDE)), np.zeros((SIDE, SIDE), np.float32)
    erasing(warped(), nothing, flow(0.0))
    out = warped()
    erasing(out, nothing, flow())
    assert (out == 200).all()


def test_of_a_mouth_that_opens_only_the_inside_goes() -> None:
    for portrait, target in ((SHUT, WIDE), (WIDE, WIDE), (SHUT, SHUT)):
        landmarks = POSE.apply(target)
        np.testing.assert_allclose(erased_mouth(portrait, landmarks, POSE), landmarks[INNER, :2])
    landmarks, view = POSE.apply(WIDE), np.array([[1.0, 0.0, 3.0], [0.0, 1.0, -9.0]])
    alone = outline_mask(placed(erased_mouth(SHUT, landmarks, POSE), view), (256, 256))
    np.testing.assert_array_equal(alone, parsing_map(landmarks, view, (256, 256))[TEETH])


def test_lips_that_close_over_an_open_mouth_go_in_part() -> None:
    landmarks = POSE.apply(SHUT)
    inner, outer = landmarks[INNER, :2], landmarks[OUTER, :2]
    outline = erased_mouth(WIDE, landmarks, POSE)
    corners = [0, 10]
    np.testing.assert_allclose(outline[corners], inner[corners])
    rims = np.delete(np.arange(20), corners)
    np.testing.assert_allclose(outline[rims], (inner + LIP_SHARE * (outer - inner))[rims], atol=1e-6)


def test_the_more_they_close_the_more_of_them_goes() -> None:
    def grown(gap: float) -> float:
        landmarks = POSE.apply(set_lip_gaps(FACE, np.full(9, gap)))
        return float(np.abs(erased_mouth(WIDE, landmarks, POSE) - landmarks[INNER, :2]).sum())

    ways = [grown(gap) for gap in (0.2, 0.1, 0.07, 0.04, 0.0)]
    assert ways[0] == ways[1] == 0
    assert ways[1:] == sorted(ways[1:])
    landmarks = POSE.apply(SHUT)
    half = np.abs(erased_mouth(PARTED, landmarks, POSE) - landmarks[INNER, :2]).sum()
    assert 0 < half < ways[-1]
