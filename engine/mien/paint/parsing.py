"""Parsing maps: one channel per part of the face, by filling outlines of landmarks."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mien.device.device import ON_HOST, Workspace
from mien.draw.outlines import fill_outline
from mien.face import topology
from mien.face.topology import PARTS
from mien.plane import placed
from mien_kernels import ops

Array = NDArray[np.float64]

EYES, GAZE, TEETH = PARTS.index("eyes"), PARTS.index("gaze"), PARTS.index("teeth")
IRIS_POINTS: Final = 16
"""Corners of the outline of an iris."""

_OUTLINES: Final[tuple[tuple[str, tuple[int, ...]], ...]] = (
    ("face", topology.OVAL),
    ("brows", topology.LEFT_BROW),
    ("brows", topology.RIGHT_BROW),
    ("eyes", topology.LEFT_EYE),
    ("eyes", topology.RIGHT_EYE),
    ("nose", topology.NOSE),
    ("upper_lip", topology.UPPER_LIP),
    ("lower_lip", topology.LOWER_LIP),
    ("teeth", topology.INNER_LIPS),
    ("nose_bridge", topology.NOSE_BRIDGE),
)
_LANDMARKS: Final = np.array([index for _, outline in _OUTLINES for index in outline])
_LENGTHS: Final = [len(outline) for _, outline in _OUTLINES] + [IRIS_POINTS] * len(topology.IRISES)
_STARTS: Final = np.cumsum([0, *_LENGTHS]).astype(np.int32)
_CHANNELS: Final = np.array([PARTS.index(part) for part, _ in _OUTLINES] + [GAZE] * 2, dtype=np.int32)


def parsing_map(
    landmarks: Array,
    matrix: Array,
    size: tuple[int, int],
    out: NDArray[np.float32] | None = None,
    threads: int = 1,
) -> NDArray[np.float32]:
    """The parsing map of a face: float32 (9, h, w) in 0..1, anti-aliased, one channel for each of `PARTS`.

    Args:
        landmarks: (478, 2 or 3) in pixels of a picture, of the shape that is wanted, never of the driver's own face.
        matrix: (2, 3), from pixels of the picture to pixels of the map.
        size: (h, w) of the map.
        out: (9, h, w) float32 to be filled; made where None.
        threads: processor threads that may be used.
    """
    out = np.empty((len(PARTS), *size), np.float32) if out is None else out
    fill_parsing_map(landmarks, matrix, out, ON_HOST, threads)
    return out


def fill_parsing_map(landmarks: Array, matrix: Array, into: Any, workspace: Workspace, threads: int = 1) -> None:
    """The same into an array (9, h, w) float32 of the workspace's device."""
    plane = landmarks[:, :2]
    points = np.concatenate([plane[_LANDMARKS], *(_iris(plane[list(iris)]) for iris in topology.IRISES)])
    corners = np.ascontiguousarray(placed(points, matrix), dtype=np.float32)
    starts, channels = workspace.put(_STARTS), workspace.put(_CHANNELS)
    ops.rasterize_parts(workspace.put(corners), starts, channels, out=into, threads=threads)
    ops.limit(into[GAZE], into[EYES], threads)


def fill_mouth_map(landmarks: Array, matrix: Array, into: Any, workspace: Workspace, threads: int = 1) -> None:
    """Only the inner mouth's channel of `parsing_map`, into an array (1, h, w) float32 of the workspace's device."""
    outline = placed(landmarks[list(topology.INNER_LIPS), :2], matrix)
    fill_outline(outline, into, workspace, threads)


def _iris(points: Array) -> Array:
    """(IRIS_POINTS, 2): the ellipse of an iris (5, 2): its centre, then four points of its rim in their order."""
    across, along = (points[1] - points[3]) / 2, (points[2] - points[4]) / 2
    angles = np.linspace(0.0, 2 * np.pi, IRIS_POINTS, endpoint=False)
    return np.asarray(points[1:].mean(axis=0) + np.outer(np.cos(angles), across) + np.outer(np.sin(angles), along))
