"""From a picture and a face in it to its label map: crops around the head, a network, and back to the picture's pixels.

The network sees the head upright in a crop of 256 pixels. What lies outside of that crop (shoulders, a large hat) is
taken from a second look from farther away, where the picture is larger than the first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.face.classes import CLASSES
from mien.face.crop import PLACE, SIDE, crop_matrix
from mien.face.pose import fit_pose
from mien.parsing.looks import Look, labels_of, logits_at
from mien.plane import inverse, placed
from mien.runtime.session import GraphSession
from mien_kernels import ops

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

FARTHEST: Final = 0.35
"""Size of the head in the second look, as a share of that in the first, below which it is not recognised."""
ROWS: Final = 64
"""Of the picture that are brought back at a time."""
HALF: Final = 127.5


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
        height, width = pixels.shape[:2]
        return labels_of(self._looks(pixels, landmarks), (height, width))

    def shares(self, pixels: Pixels, landmarks: Array) -> Floats:
        """(19, H, W) in 0..1: how surely each pixel is of each class; they add up to 1. Arguments as above."""
        out = np.empty((len(CLASSES), *pixels.shape[:2]), np.float32)
        for rows, logits in self._bands(pixels, landmarks):
            shares = np.exp(logits - logits.max(axis=2, keepdims=True))
            out[:, rows] = (shares / shares.sum(axis=2, keepdims=True)).transpose(2, 0, 1)
        return out

    def group_shares(self, pixels: Pixels, landmarks: Array, groups: Sequence[Sequence[int]]) -> Floats:
        """(G, H, W) in 0..1: how surely each pixel is of one of a group's classes. `groups`: ids of classes."""
        out = np.empty((len(groups), *pixels.shape[:2]), np.float32)
        member = np.zeros((len(CLASSES), len(groups)), np.float32)
        for column, ids in enumerate(groups):
            member[list(ids), column] = 1
        for rows, logits in self._bands(pixels, landmarks):
            shares = np.exp(logits - logits.max(axis=2, keepdims=True))
            out[:, rows] = np.einsum("hwc,cg->ghw", shares, member) / shares.sum(axis=2)
        return out

    def close(self) -> None:
        """Let go of the network."""
        self._session.close()

    def _bands(self, pixels: Pixels, landmarks: Array) -> Iterator[tuple[slice, Floats]]:
        """Rows of the picture with the logits (rows, W, 19) there."""
        looks, (height, width) = self._looks(pixels, landmarks), pixels.shape[:2]
        for first in range(0, height, ROWS):
            rows = slice(first, min(first + ROWS, height))
            y, x = np.mgrid[rows, :width].astype(np.float32)
            yield rows, logits_at(looks, x, y, self._threads)

    def _looks(self, pixels: Pixels, landmarks: Array) -> list[Look]:
        """The farther one first, where there are two."""
        near = crop_matrix(fit_pose(landmarks), SIDE)
        looks = [self._look(pixels, near)]
        if not _holds(near, pixels.shape[1], pixels.shape[0]):
            looks.insert(0, self._look(pixels, _farther(near, pixels.shape[1], pixels.shape[0])))
        return looks

    def _look(self, pixels: Pixels, matrix: Array) -> Look:
        """At the crop to which `matrix` (2, 3) leads from the picture."""
        ops.to_tensor(pixels, inverse(matrix).astype(np.float32), self._input[0], 1 / HALF, -1.0, threads=self._threads)
        self._session.run()
        return Look.of(self._output[0], matrix)


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
