"""What a network of styles learns from: portraits, each with the same portrait a moment later, in other light."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mien_export.data.faces import Faces

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

FEATURES: Final = np.array(
    [33, 133, 159, 145, 160, 144, 158, 153, 468, 263, 362, 386, 374, 387, 373, 385, 380, 473]  # eyes
    + [61, 291, 0, 17, 13, 14, 37, 267, 84, 314]  # lips
    + [70, 105, 107, 336, 334, 300]  # brows
    + [1, 2, 98, 327]  # nose
)
"""Landmarks around which the picture's content counts more, so that a face stays readable."""
SPREAD: Final = 0.035
"""Standard deviation of a landmark's weight, as a share of the picture's side."""
ANGLE: Final = 14.0
"""Largest rotation in degrees."""
SCALES: Final = (0.55, 1.1)
"""Smallest and largest size of a face, relative to the configuration's."""
MOTION: Final = (0.5, 14.0)
"""Smallest and largest size in pixels of the motion from one moment to the next: the small ones are the step from a
frame to the next one, the large ones that from frames long before."""
GRAIN: Final = 0.1
"""Largest standard deviation of grain, of 0..1."""
OUTSIDE: Final = 0.97
"""Of half the side: what moves in from beyond counts not as the same."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One portrait at two moments."""

    picture: Pixels
    """(S, S, 3)."""
    later: Pixels
    """(S, S, 3): `picture` moved and in other light."""
    weight: Pixels
    """(S, S), 255 at the parts of the face that must stay readable."""
    flow: Floats
    """(S, S, 2): where each pixel of `later` was, x and y in -1..1 from border to border of `picture`."""


@dataclass(frozen=True)
class Samples:
    """Samples by number, the same for the same seed."""

    faces: Faces
    seed: int
    side: int
    """Of the windows that are learnt from."""
    full: int
    """Side in pixels to which whole portraits are brought."""

    @cached_property
    def _grid(self) -> Floats:
        line = np.linspace(-1, 1, self.side, dtype=np.float32)
        return np.stack(np.meshgrid(line, line), axis=-1)

    def __call__(self, number: int) -> Sample:
        """Sample `number`."""
        rng = np.random.default_rng([self.seed, number])
        index = int(rng.integers(self.faces.count))
        whole = self.faces.picture(index)
        points = self.faces.landmarks(index, whole.shape[0])[FEATURES, :2]
        matrix = self._matrix(whole.shape[0], rng)
        picture = self._moved(whole, matrix)
        weight = readable(points @ matrix[:, :2].T + matrix[:, 2], self.side, abs(np.linalg.det(matrix[:, :2])) ** 0.5)
        if rng.uniform() < 0.5:
            picture, weight = picture[:, ::-1].copy(), weight[:, ::-1].copy()
        picture = grained(exposed(picture, rng), GRAIN * rng.uniform(), rng)
        flow = self._flow(rng)
        later = relit(sampled(picture, flow), self._grid, rng)
        return Sample(picture, later, weight, flow)

    def _matrix(self, side: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """(2, 3): from the portrait to a window somewhere in it."""
        scale = self.full / side * math.exp(rng.uniform(math.log(SCALES[0]), math.log(SCALES[1])))
        centre = (side - 1) / 2
        matrix = np.asarray(cv2.getRotationMatrix2D((centre, centre), rng.uniform(-ANGLE, ANGLE), scale))
        room = max(side * scale - self.side, 0.0) / 2 + 0.06 * self.side
        matrix[:, 2] += (self.side - 1) / 2 - centre + rng.uniform(-room, room, 2)
        return matrix

    def _moved(self, picture: Pixels, matrix: NDArray[np.float64]) -> Pixels:
        scale = abs(np.linalg.det(matrix[:, :2])) ** 0.5
        if scale < 0.75:  # a bilinear sample sees four pixels
            picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.4 / scale), dtype=np.uint8)
        size = (self.side, self.side)
        return np.asarray(
            cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101),
            dtype=np.uint8,
        )

    def _flow(self, rng: np.random.Generator) -> Floats:
        """A smooth field, a shift and a rotation of one size, which is drawn by its logarithm."""
        size = math.exp(rng.uniform(math.log(MOTION[0]), math.log(MOTION[1]))) * 2 / self.side
        coarse = (0.5 * rng.standard_normal((4, 4, 2))).astype(np.float32)
        smooth = np.asarray(cv2.resize(coarse, (self.side, self.side), interpolation=cv2.INTER_CUBIC))
        turn, shift = np.float32(0.5 * rng.standard_normal()), rng.standard_normal(2).astype(np.float32)
        rotation = np.stack([-self._grid[..., 1], self._grid[..., 0]], axis=-1) * turn
        return np.asarray(self._grid + np.float32(size) * (smooth + shift + rotation), dtype=np.float32)


def readable(points: NDArray[np.float64], side: int, scale: float) -> Pixels:
    """Weights (side, side) that are 255 at the points (n, 2) and fall with the distance.

    `scale`: of the portrait, whose side is 256 pixels at 1.
    """
    field = np.full((side, side), 255, np.uint8)
    for x, y in points:
        cv2.circle(field, (round(float(x)), round(float(y))), 1, 0, -1)
    distance = np.minimum(cv2.distanceTransform(field, cv2.DIST_L2, 3), 2 * side)  # infinite without points
    spread = max(SPREAD * 256 * scale, 1.0)
    return np.asarray(np.exp(-(distance**2) / (2 * spread**2)) * 255, dtype=np.uint8)


def exposed(picture: Pixels, rng: np.random.Generator) -> Pixels:
    """Another gamma and white point."""
    values = np.arange(256, dtype=np.float64)[:, None] / 255
    table = values ** rng.uniform(0.75, 1.3) * np.sqrt(rng.uniform(0.8, 1.1, 3))
    coded = np.clip(table * 255 + 0.5, 0, 255).astype(np.uint8)
    return np.ascontiguousarray(np.stack([coded[picture[..., c], c] for c in range(3)], axis=-1))


def grained(picture: Pixels, strength: float, rng: np.random.Generator) -> Pixels:
    """The picture with grain two pixels wide of a standard deviation in 0..1.

    Where a picture is plain, the network finds in the grain where to put strokes; without it, it draws ribs there.
    """
    height, width = picture.shape[:2]
    coarse = rng.standard_normal((-(-height // 2), -(-width // 2), 3), dtype=np.float32)
    grain = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.clip(picture + 255 * strength * grain + 0.5, 0, 255), dtype=np.uint8)


def sampled(picture: Pixels, flow: Floats) -> Pixels:
    """The picture at places (S, S, 2) in -1..1."""
    places = (flow + 1) * np.float32((picture.shape[0] - 1) / 2)
    return np.asarray(
        cv2.remap(picture, places[..., 0], places[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE),
        dtype=np.uint8,
    )


def relit(picture: Pixels, grid: Floats, rng: np.random.Generator) -> Pixels:
    """Another exposure, light from another side, and noise: what must not change the strokes."""
    gain = 1 + 0.06 * rng.standard_normal() + grid @ (0.04 * rng.standard_normal(2)).astype(np.float32)
    noise = 255 * 0.012 * rng.uniform() * rng.standard_normal(picture.shape, dtype=np.float32)
    return np.asarray(np.clip(picture * gain[..., None] + noise + 0.5, 0, 255), dtype=np.uint8)


def collate(samples: list[Any]) -> dict[str, Tensor]:
    """A batch."""
    return {
        "pictures": _stacked([sample.picture for sample in samples]),
        "later": _stacked([sample.later for sample in samples]),
        "weights": torch.from_numpy(np.stack([sample.weight for sample in samples])),
        "flows": torch.from_numpy(np.stack([sample.flow for sample in samples])),
    }


def _stacked(pictures: list[Pixels]) -> Tensor:
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).contiguous()
