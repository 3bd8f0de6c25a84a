"""Labels without interpolation where neighbours agree are the same as with it everywhere."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from mien.face.classes import CLASSES
from mien.face.crop import SIDE
from mien.parsing.looks import Look, labels_of, largest, logits_at

Array = NDArray[np.float64]
Floats = NDArray[np.float32]


def _planes(side: int, seed: int) -> Floats:
    """(19, S, S): smooth random logits."""
    noise = np.random.default_rng(seed).normal(0, 1, (len(CLASSES), side, side)).astype(np.float32)
    return np.stack([cv2.GaussianBlur(plane, (0, 0), side / 16) for plane in noise])


def _crop(zoom: float, degrees: float, x: float, y: float) -> Array:
    """(2, 3): from the picture to a crop around (x, y)."""
    out = np.array(cv2.getRotationMatrix2D((x, y), degrees, zoom), np.float64)
    out[:, 2] += SIDE / 2 - np.array([x, y])
    return out


NEAR, FAR = _crop(1.3, 12.0, 210.3, 140.8), _crop(0.6, 0.0, 200.0, 160.0)


@pytest.mark.parametrize("side", [64, 128, 256])
@pytest.mark.parametrize("crops", [(NEAR,), (FAR, NEAR)])
def test_labels_are_those_of_the_largest_interpolated_logits(side: int, crops: tuple[Array, ...]) -> None:
    looks = [Look.of(_planes(side, seed), crop) for seed, crop in enumerate(crops)]
    shape = (320, 400)
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    labels = labels_of(looks, shape)
    assert labels.dtype == np.uint8
    assert len(np.unique(labels)) > 5
    np.testing.assert_array_equal(labels, logits_at(looks, x, y).argmax(axis=2))


@pytest.mark.parametrize("side", [128, 256])
def test_a_grid_of_any_step_lies_over_the_same_crop(side: int) -> None:
    step = SIDE // side
    planes = np.zeros((len(CLASSES), side, side), np.float32)
    planes[3, :, side // 2 :] = 1  # from the middle of the crop on, wherever the grid's nodes are
    labels = labels_of([Look.of(planes, np.eye(2, 3))], (SIDE, SIDE))
    assert (labels[:, : SIDE // 2 - step // 2] == 0).all()
    assert (labels[:, SIDE // 2 + step // 2 :] == 3).all()


def test_of_equal_ones_the_first_is_the_largest() -> None:
    rows = np.array([[0, 2, 1, -1], [0, 1, 1, -2], [-1, 2, 1, 0]], np.float32)
    np.testing.assert_array_equal(largest(rows), rows.argmax(axis=0))
