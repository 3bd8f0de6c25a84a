import numpy as np
from numpy.typing import NDArray

from mien.paint.erase import NOTHING, erase_invalid

SIDE = 32


def flow(zoom: float = 1.0) -> NDArray[np.float32]:
    x, y = np.meshgrid(np.arange(SIDE, dtype=np.float32), np.arange(SIDE, dtype=np.float32))
    return np.stack([x * np.float32(zoom), y], axis=-1)


def warped() -> NDArray[np.uint8]:
    return np.full((SIDE, SIDE, 3), 200, np.uint8)


def erased(mouth: NDArray[np.float32], way: NDArray[np.float32]) -> NDArray[np.uint8]:
    out = warped()
    erase_invalid(out, mouth, way)
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
