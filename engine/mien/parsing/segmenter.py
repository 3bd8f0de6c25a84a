"""From a picture and a face in it to its label map: crops around the head, a network, and back to the picture's pixels.

The network sees the head upright in a crop of 256 pixels. What lies outside of that crop (shoulders, a large hat) is
taken from a second look from farther away, where the picture is larger than the first.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.face.classes import CLASSES
from mien.face.crop import PLACE, SIDE, crop_matrix
from mien.face.pose import fit_pose
from mien.plane import inverse, placed
from mien.runtime.session import GraphSession
from mien_kernels import ops

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

FARTHEST: Final = 0.35
"""Size of the head in the second look, as a share of that in the first, below which it is not recognised."""
EDGE: Final = 24.0
"""Pixels of the crop over which the first look gives way to the second."""
ROWS: Final = 64
"""Of the picture that are brought back at a time."""
HALF: Final = 127.5
SMOOTHING: Final = 0.8
"""Standard deviation in pixels of the crop by which logits are blurred: each cell of the network gives those of 2 x 2
pixels, and edges were dotted by them."""


class Segmenter:
    """Callable (picture, landmarks) -> labels; by one thread at a time."""

    def __init__(self, session: GraphSession, threads: int = 1) -> None:
        """`session` runs the graph `segmenter` of a bundle of the family `parsing`; `close` closes it."""
        self._session = session
        self._threads = threads
        (self._input,) = session.inputs.values()
        (self._output,) = session.outputs.values()

    def __call__(self, pixels: Pixels, landmarks: Array) -> Pixels:
        """(H, W): the class of each pixel, by its id.

        Args:
            pixels: (H, W, 3) sRGB, the head less than 60 degrees from upright.
            landmarks: (478, 3) in pixels.
        """
        labels = np.empty(pixels.shape[:2], np.uint8)
        for rows, logits in self._bands(pixels, landmarks):
            labels[rows] = logits.argmax(axis=2)
        return labels

    def shares(self, pixels: Pixels, landmarks: Array) -> Floats:
        """(19, H, W) in 0..1: how surely each pixel is of each class; they add up to 1. Arguments as above."""
        out = np.empty((len(CLASSES), *pixels.shape[:2]), np.float32)
        for rows, logits in self._bands(pixels, landmarks):
            shares = np.exp(logits - logits.max(axis=2, keepdims=True))
            out[:, rows] = (shares / shares.sum(axis=2, keepdims=True)).transpose(2, 0, 1)
        return out

    def close(self) -> None:
        """Let go of the network."""
        self._session.close()

    def _bands(self, pixels: Pixels, landmarks: Array) -> list[tuple[slice, Floats]]:
        """Rows of the picture with the logits (rows, W, 19) there."""
        near = crop_matrix(fit_pose(landmarks), SIDE)
        looks = [(near, self._look(pixels, near))]
        if not _holds(near, pixels.shape[1], pixels.shape[0]):
            far = _farther(near, pixels.shape[1], pixels.shape[0])
            looks.insert(0, (far, self._look(pixels, far)))
        height = pixels.shape[0]
        bands = [slice(first, min(first + ROWS, height)) for first in range(0, height, ROWS)]
        return [(rows, self._brought_back(rows, pixels.shape[1], looks)) for rows in bands]

    def _look(self, pixels: Pixels, matrix: Array) -> Floats:
        """(S, S, 19): logits in the crop to which `matrix` (2, 3) leads from the picture."""
        ops.to_tensor(pixels, inverse(matrix).astype(np.float32), self._input[0], 1 / HALF, -1.0, threads=self._threads)
        self._session.run()
        logits = np.ascontiguousarray(self._output[0].transpose(1, 2, 0))
        return np.asarray(cv2.GaussianBlur(logits, (3, 3), SMOOTHING, dst=logits))

    def _brought_back(self, rows: slice, width: int, looks: list[tuple[Array, Floats]]) -> Floats:
        """(rows, W, 19): each later look over those before it, where it sees anything."""
        y, x = np.mgrid[rows, :width].astype(np.float32)
        out: Floats | None = None
        for matrix, logits in looks:
            flow = _mapped(x, y, matrix)
            seen = ops.flow_warp(logits, flow, threads=self._threads)
            if out is None:
                out = seen
            else:
                out += (seen - out) * _weight(flow)[..., None]
        assert out is not None
        return out


def _mapped(x: Floats, y: Floats, matrix: Array) -> Floats:
    """(h, w, 2): where pixels of the picture lie in a crop."""
    (a, b, c), (d, e, f) = matrix.astype(np.float32)
    return np.stack([a * x + b * y + c, d * x + e * y + f], axis=-1)


def _weight(flow: Floats) -> Floats:
    """(h, w) in 0..1: 1 well within the crop, 0 outside."""
    inside = np.minimum(flow, np.float32(SIDE - 1) - flow).min(axis=2)
    return np.asarray(np.clip(inside / np.float32(EDGE), 0.0, 1.0))


def _holds(matrix: Array, width: int, height: int) -> bool:
    """Whether a crop shows all of the picture."""
    corners = placed(np.array([[0, 0], [width - 1, 0], [0, height - 1], [width - 1, height - 1]], np.float64), matrix)
    return bool((corners > -1).all() and (corners < SIDE).all())


def _farther(near: Array, width: int, height: int) -> Array:
    """(2, 3): to a crop that shows all of the picture, or as much of it as the head's least size allows."""
    corners = placed(np.array([[0, 0], [width - 1, 0], [0, height - 1], [width - 1, height - 1]], np.float64), near)
    low, high = corners.min(axis=0), corners.max(axis=0)
    share = min(max((SIDE - 1) / float((high - low).max()), FARTHEST), 1.0)
    room = (SIDE - 1) / share
    head = np.array(PLACE)
    middle = np.clip((low + high) / 2, head - 0.35 * room, head + 0.35 * room)
    out = near * share
    out[:, 2] += (SIDE - 1) / 2 - share * middle
    return np.asarray(out)
