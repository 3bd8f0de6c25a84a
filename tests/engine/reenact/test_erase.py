import numpy as np
from numpy.typing import NDArray

from mien.reenact.erase import NOTHING, TEETH, Erasing

SIDE = 32


def flow(zoom: float = 1.0) -> NDArray[np.float32]:
    x, y = np.meshgrid(np.arange(SIDE, dtype=np.float32), np.arange(SIDE, dtype=np.float32))
    return np.stack([x * np.float32(zoom), y], axis=-1)


def warped() -> NDArray[np.uint8]:
    return np.full((SIDE, SIDE, 3), 200, np.uint8)


def erased(parsing: NDArray[np.float32], way: NDArray[np.float32]) -> NDArray[np.uint8]:
    out = warped()
    Erasing(SIDE)(out, parsing, way)
    return out


def test_the_inner_mouth_goes_whatever_the_flow_says() -> None:
    parsing = np.zeros((9, SIDE, SIDE), np.float32)
    parsing[TEETH, 10:20, 8:24] = 1
    out = erased(parsing, flow())
    assert (out[10:20, 8:24] == NOTHING).all()
    assert (out[:10] == 200).all()
    assert (out[20:] == 200).all()


def test_half_a_pixel_of_mouth_is_enough() -> None:
    parsing = np.zeros((9, SIDE, SIDE), np.float32)
    parsing[TEETH, 5, 5] = 0.5
    assert (erased(parsing, flow())[5, 5] == NOTHING).all()


def test_skin_stretched_beyond_use_goes() -> None:
    nothing = np.zeros((9, SIDE, SIDE), np.float32)
    assert (erased(nothing, flow(0.05)) == NOTHING).all()
    assert (erased(nothing, flow(0.5)) == 200).all()


def test_skin_turned_inside_out_goes() -> None:
    nothing = np.zeros((9, SIDE, SIDE), np.float32)
    assert (erased(nothing, flow(-1.0)) == NOTHING).all()


def test_nothing_is_left_from_the_call_before() -> None:
    erasing, nothing = Erasing(SIDE), np.zeros((9, SIDE, SIDE), np.float32)
    erasing(warped(), nothing, flow(0.0))
    out = warped()
    erasing(out, nothing, flow())
    assert (out == 200).all()
