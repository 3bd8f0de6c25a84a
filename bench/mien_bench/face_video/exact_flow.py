"""From a frame of a moved portrait to an earlier one: the exact flow of its layers, and where frames may be compared.

The head's mesh is rasterised at both frames, the body's way is computed, the background stands still: nothing is
estimated from pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.errors import FaceError
from mien.face import topology
from mien.plane import Grid
from mien.portrait.portrait import Portrait
from mien.posed import Posed
from mien.reenact.body import Body, Sway
from mien.reenact.target import Target
from mien_kernels import ops

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]
Bits = NDArray[np.bool_]

SIDE: Final = 256
"""Longer side of the pictures that are compared, which is the paper's."""
AGREE, AGREE_SHARE = 0.5, 0.05
"""Pixels, and share of the way, by which flow there and back may differ."""
ALIKE: Final = 0.1
"""Difference of a channel, 0..1, up to which two places of the photographs are the same."""
NEAR: Final = 3
"""Pixels from a layer's edge within which nothing is compared."""
SOFT: Final = (12, 243)
"""Opacities between which a pixel lies on an edge."""


@dataclass(frozen=True, slots=True, eq=False)
class Geometry:
    """Where the layers of a portrait are in one frame, on the grid of the pictures that are compared."""

    vertices: Floats
    """(V, 3): of the head's mesh, in cells."""
    head: Pixels
    """(h, w): opacity of the head's layer."""
    body: Pixels
    """(h, w): of the body's."""
    at_rest: Floats | None
    """(h, w, 2): where in the picture at rest each place of the body lies, in pixels of the portrait; None: there."""
    sway: Sway | None
    """Where the body has gone from there; None: nowhere."""


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """From a frame to an earlier one."""

    flow: Floats
    """(h, w, 2): the cell of the earlier one in which each cell of the frame lies."""
    sure: Bits
    """(h, w): where the two may be compared."""
    face: Bits
    """(h, w): the frame's face."""


class Tracer:
    """Follows one portrait."""

    def __init__(self, portrait: Portrait) -> None:
        """Raises FaceError if the portrait was not taken apart into layers."""
        if portrait.layers is None:
            raise FaceError("expected a portrait with layers, got one that could not be taken apart; take another")
        self._portrait, self._layers = portrait, portrait.layers
        self._body = Body(portrait, self._layers.body)
        width, height = portrait.size
        share = min(SIDE / max(width, height), 1.0)
        self._grid = Grid((width, height), (max(round(height * share), 2), max(round(width * share), 2)), share)
        rows, columns = np.mgrid[: self._grid.shape[0], : self._grid.shape[1]].astype(np.float32)
        self._cells = np.stack([columns, rows], axis=-1)
        self._triangles: NDArray[np.int32] | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns) of the grid."""
        return self._grid.shape

    def reduced(self, picture: Pixels) -> Pixels:
        """(h, w, C) or (h, w): a picture of the portrait's size, averaged over cells."""
        return np.asarray(cv2.resize(picture, self._grid.shape[::-1], interpolation=cv2.INTER_AREA), dtype=np.uint8)

    def __call__(self, posed: Posed) -> Geometry:
        """The geometry of a frame, from what is valid until the next frame is posed."""
        self._triangles = posed.triangles if posed.shown is None else posed.shown
        sway = self._body.sway(Target(posed.portrait.shape, posed.pose, posed.landmarks))
        body, at_rest = self._body_of(posed)
        head = np.zeros((*posed.portrait.size[::-1], 1), np.uint8)
        alpha = np.ascontiguousarray(self._layers.head.alpha[..., None])
        window = np.empty((*posed.window.shape, 1), np.uint8)
        head[posed.window.area] = ops.flow_warp(alpha, posed.flow, window, "zero")
        return Geometry(
            np.ascontiguousarray(self._grid.cells(posed.vertices)), self.reduced(head[..., 0]), body, at_rest, sway
        )

    def between(self, now: Geometry, then: Geometry, seen: Pixels, seen_then: Pixels) -> Way:
        """The way from a frame to an earlier one of the same portrait.

        Args:
            seen, seen_then: (h, w, 3), the frames without a style, reduced.
        """
        flow, back = self._flow(now, then), self._flow(then, now)
        height, width = self.shape
        inside = (flow >= 1).all(axis=2) & (flow[..., 0] < width - 2) & (flow[..., 1] < height - 2)
        error = _length(carried(back, flow) - self._cells)
        agree = error < AGREE + AGREE_SHARE * _length(flow - self._cells)
        apart = np.abs(seen / np.float32(255) - carried(seen_then, flow)).max(axis=2)
        return Way(flow, inside & agree & (apart < ALIKE) & ~self._edges(now), self._face(now))

    def enlarged(self, flow: Floats) -> Floats:
        """(h, w, 2): cells in pixels of the portrait's picture, still one for each cell."""
        return np.asarray((flow + np.float32(0.5)) / self._grid.share[:2] - np.float32(0.5), dtype=np.float32)

    def _body_of(self, posed: Posed) -> tuple[Pixels, Floats | None]:
        """The body's opacity, and where each of its places lies at rest."""
        layer, (width, height) = self._layers.body, posed.portrait.size
        x, y = layer.corner
        if posed.body is None:
            return self.reduced(np.ascontiguousarray(layer.alpha[-y : height - y, -x : width - x])), None
        alpha, at_rest = np.zeros((height, width, 1), np.uint8), np.zeros((height, width, 2), np.float32)
        layer_alpha = np.ascontiguousarray(layer.alpha[..., None])
        alpha[posed.body.rows] = ops.flow_warp(layer_alpha, posed.body.flow)
        at_rest[posed.body.rows] = posed.body.flow + np.array(layer.corner, np.float32)
        places = self.enlarged(self._cells)
        return self.reduced(alpha[..., 0]), carried(at_rest, places)

    def _flow(self, now: Geometry, then: Geometry) -> Floats:
        """(h, w, 2): the cell of `then` in which each cell of `now` lies."""
        assert self._triangles is not None
        source = np.ascontiguousarray(then.vertices[:, :2])
        flow, _ = ops.rasterize_flow(now.vertices, source, self._triangles, size=self.shape)
        at_rest = self.enlarged(self._cells) if now.at_rest is None else now.at_rest
        moved = at_rest.reshape(-1, 2).astype(np.float64)
        if then.sway is not None:
            moved = then.sway.moved(moved)
        body = self._grid.cells(moved.astype(np.float32)).reshape(*self.shape, 2)
        under = np.where((now.body > 127)[..., None], body, self._cells)
        return np.where((now.head > 127)[..., None], flow, under)

    def _edges(self, geometry: Geometry) -> Bits:
        """Where one layer ends before another, and around it."""
        low, high = SOFT
        soft = [(alpha > low) & (alpha < high) for alpha in (geometry.head, geometry.body)]
        edge = soft[0] | (soft[1] & (geometry.head <= high))
        near = cv2.dilate(edge.astype(np.uint8), np.ones((2 * NEAR + 1, 2 * NEAR + 1), np.uint8))
        return np.asarray(near > 0)

    def _face(self, geometry: Geometry) -> Bits:
        out = np.zeros(self.shape, np.uint8)
        hull = cv2.convexHull(np.rint(geometry.vertices[: topology.SKIN_COUNT, :2]).astype(np.int32))
        cv2.fillConvexPoly(out, hull, (1,))
        return out > 0


def carried(picture: Pixels | Floats, flow: Floats) -> Floats:
    """(h, w, C): a picture seen through a flow (h, w, 2); bytes become 0..1."""
    values = picture / np.float32(255) if picture.dtype == np.uint8 else picture
    return ops.flow_warp(np.ascontiguousarray(values, dtype=np.float32), np.ascontiguousarray(flow, dtype=np.float32))


def errors(now: Pixels, then: Pixels, way: Way, painted: Bits) -> tuple[float, float, float]:
    """Mean squared difference, colours in 0..1, of a frame (h, w, 3) and an earlier one carried to it, where they may
    be compared: over the face, over the whole frame, and over the face without what is `painted` (h, w); NaN where
    there is no such place."""
    squares = np.square(now / np.float32(255) - carried(then, way.flow)).mean(axis=2)
    face = way.sure & way.face
    return _mean(squares[face]), _mean(squares[way.sure]), _mean(squares[face & ~painted])


def _length(vectors: Floats) -> Floats:
    return np.asarray(np.hypot(vectors[..., 0], vectors[..., 1]))


def _mean(values: Floats) -> float:
    return float(values.mean()) if values.size else float("nan")
