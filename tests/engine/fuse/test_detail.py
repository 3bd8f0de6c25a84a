import numpy as np
import pytest
from numpy.typing import NDArray

from mien.fuse.finish import Detail, grain_of
from mien.portrait.portrait import Portrait
from mien.posed import Painting

SIDE = 128


def paper(size: tuple[int, ...], grain: float, seed: int = 0) -> NDArray[np.uint8]:
    height, width = size
    noise = np.random.default_rng(seed).normal(0, grain, (height, width, 1))
    return np.asarray(np.clip(np.full((height, width, 3), 120.0) + noise, 0, 255).round(), dtype=np.uint8)


def painting(portrait: Portrait, larger: float, mask: float = 0.0) -> tuple[Painting, NDArray[np.float64]]:
    corner = portrait.landmarks[1, :2] - larger * SIDE / 2
    matrix = np.column_stack([np.eye(2) / larger, -corner / larger])
    made = np.full((SIDE, SIDE, 3), 120, np.uint8)
    return Painting(made, np.full((SIDE, SIDE), mask, np.float32), matrix), matrix


@pytest.mark.parametrize("grain", [2.0, 5.0])
def test_grain_is_measured_on_the_skin(portrait: Portrait, grain: float) -> None:
    flat = paper(portrait.pixels.shape[:2], grain)
    assert grain_of(flat, portrait.landmarks) == pytest.approx(grain * np.sqrt(8 / 9), rel=0.15)


def test_paint_gets_the_portraits_grain(portrait: Portrait) -> None:
    grainy = Portrait(**{n: getattr(portrait, n) for n in Portrait.__slots__} | {"pixels": paper((512, 512), 4.0)})
    made, matrix = painting(portrait, 2.5)
    window = paper((512, 512), 0.0)
    Detail(grainy)(window, made, matrix, portrait.landmarks)
    x, y = portrait.landmarks[13, :2].astype(int)
    mouth = window[y - 8 : y + 8, x - 12 : x + 12].astype(float)
    assert mouth.std() == pytest.approx(4.0, rel=0.3)
    x, y = portrait.landmarks[10, :2].astype(int)
    assert window[y - 4 : y + 4, x - 4 : x + 4].std() == 0


def test_kept_skin_is_left_alone(portrait: Portrait) -> None:
    made, matrix = painting(portrait, 2.5, mask=1.0)
    window = paper(portrait.pixels.shape[:2], 3.0)
    before = window.copy()
    Detail(portrait)(window, made, matrix, portrait.landmarks)
    np.testing.assert_array_equal(window, before)


def test_paint_at_its_own_size_is_left_alone(portrait: Portrait) -> None:
    made, matrix = painting(portrait, 1.0)
    window = paper(portrait.pixels.shape[:2], 1.0)
    before = window.copy()
    Detail(portrait)(window, made, matrix, portrait.landmarks)
    np.testing.assert_array_equal(window, before)


def test_grain_moves_with_the_head(portrait: Portrait) -> None:
    grainy = Portrait(**{n: getattr(portrait, n) for n in Portrait.__slots__} | {"pixels": paper((512, 512), 4.0)})
    detail, windows = Detail(grainy), []
    for way in (np.zeros(2), np.array([10.0, 5.0])):
        made, matrix = painting(portrait, 2.0)
        matrix[:, 2] -= matrix[:, :2] @ way
        window = paper((512, 512), 0.0)
        detail(window, made, matrix, portrait.landmarks[:, :2] + way)
        windows.append(window)
    x, y = portrait.landmarks[13, :2].astype(int)
    here = windows[0][y - 6 : y + 6, x - 10 : x + 10]
    np.testing.assert_array_equal(here, windows[1][y - 1 : y + 11, x : x + 20])
