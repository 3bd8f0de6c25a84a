"""Traits of a portrait, measured without a human."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.face import classes, topology
from mien.face.traits import RANGES

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]
Bits = NDArray[np.bool_]

LEAST: Final = 40
"""Pixels of a region below which its colour is not read."""
CHIN: Final = 152


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """Where pixels lie in the face: u to the right, v down, in distances from between the eyes to the chin."""

    unit: float
    u: Floats
    v: Floats

    @classmethod
    def of(cls, landmarks: Array, shape: tuple[int, ...]) -> _Place:
        origin = (landmarks[list(topology.LEFT_EYE)].mean(axis=0) + landmarks[list(topology.RIGHT_EYE)].mean(axis=0))[
            :2
        ] / 2
        unit = max(float(np.hypot(*(landmarks[CHIN, :2] - origin))), 1.0)
        y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
        return cls(unit, (x - np.float32(origin[0])) / np.float32(unit), (y - np.float32(origin[1])) / np.float32(unit))


def traits_of(picture: Pixels, labels: Pixels, landmarks: Array) -> Floats:
    """(9,): `TRAITS` of an upright portrait (H, W, 3), with its label map (H, W) and landmarks (478, 2 or 3) in pixels;
    what lies beyond the range by more than a half of it is held there."""
    place = _Place.of(landmarks, labels.shape)
    lab = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB).astype(np.float32)
    points = landmarks[:, :2]
    corners, lips = (points[61] + points[291]) / 2, (points[13] + points[14]) / 2
    eyes = float(np.hypot(*(points[263] - points[33])))
    hair = labels == classes.HAIR
    area = place.unit**2
    raw = (
        float(np.hypot(*(points[291] - points[61]))) / eyes + 2.5 * float(lips[1] - corners[1]) / place.unit,
        float(np.hypot(*(points[13] - points[14]))) / place.unit,
        float((labels == classes.GLASSES).sum() > 0),
        _beard(lab, labels, place),
        float(points[1, 0] - (points[33, 0] + points[263, 0]) / 2) / place.unit,
        float((hair & (place.v > 0.75)).sum()) / area,
        float((hair & (place.v < -0.3)).sum()) / area,
        float((hair & (place.v > -0.45) & (place.v < -0.1) & (np.abs(place.u) < 0.35)).sum()) / area,
        _greyness(lab, hair),
    )
    low, high = np.array(RANGES).T
    return np.asarray(np.clip((np.array(raw) - low) / (high - low), -0.5, 1.5), np.float32)


def _beard(lab: Floats, labels: Pixels, place: _Place) -> float:
    """How much darker, less yellow and rougher the chin is than the cheeks; 0 where they are not seen."""
    skin = labels == classes.SKIN
    cheek = skin & (place.v > 0.25) & (place.v < 0.5) & (np.abs(place.u) > 0.2)
    chin = skin & (place.v > 0.78) & (place.v < 0.98) & (np.abs(place.u) < 0.35)
    if min(cheek.sum(), chin.sum()) < LEAST:
        return 0.0
    fine = np.abs(lab[..., 0] - cv2.GaussianBlur(lab[..., 0], (0, 0), 2))
    (light, _, yellow), (dark, _, pale) = np.median(lab[cheek], axis=0), np.median(lab[chin], axis=0)
    return float((light - dark) / 20 + (yellow - pale) / 6 + (fine[chin].mean() - fine[cheek].mean()) / 3)


def _greyness(lab: Floats, hair: Bits) -> float:
    """Of hair: the less colour and the more light the more; that of black hair where none is seen."""
    if hair.sum() < LEAST:
        return RANGES[-1][0]
    light, red, yellow = np.median(lab[hair], axis=0)
    return float((light - 60) / 20 - np.hypot(red - 128, yellow - 130))
