"""The head of a portrait, pixel by pixel, and how far the picture of an answer strays from the head's own motion.

The head's own motion is rigid in space. Where the mesh ends, the depth of hair and ears is not known, but bounded: each
pixel may lie anywhere on the short segment of places to which the head's motion can bring it from a plausible depth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.face import topology
from mien.face.classes import EARRING, HAIR, HAT, LEFT_EAR, NOSE, RIGHT_EAR, SKIN
from mien.face.pose import Similarity
from mien.plane import Affine
from mien.portrait.portrait import Portrait
from mien.sums import LUMA
from mien_kernels import ops

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]
Bits = NDArray[np.bool_]

FACE: Final = 160.0
"""Width of the face in the crop, in pixels: flow is found to a few tenths of one."""
SIDE: Final = 448
PARTS: Final[dict[str, tuple[tuple[int, ...], tuple[float, float]]]] = {
    "hair": ((HAIR, HAT), (-0.25, 0.9)),
    "ears": ((LEFT_EAR, RIGHT_EAR, EARRING), (0.0, 0.7)),
    "skin": ((SKIN, NOSE), (-0.15, 0.4)),
}
"""Classes of a label map, and between which depths they lie, in eye distances behind the contour of the face."""
BEHIND: Final = 0.35
"""Eye distances behind the contour at which a pixel away from the face is expected in the middle."""
MARGIN: Final = 0.03
"""Face widths that are left out along the edge of the head: beyond, something else moves."""
TEXTURE: Final = 12.0
"""Least eigenvalue of the gradients' tensor (squared grey levels a pixel) below which no flow can be seen."""
AROUND: Final = 9
"""Side in pixels of the square over which it is taken."""
TEMPLES: Final = (127, 356)
LOWER_LIP: Final = 14
"""What hangs below this landmark, such as long hair, may lag behind the head."""


@dataclass(frozen=True, slots=True, eq=False)
class HeadLayer:
    """A crop of the portrait whose face is `FACE` pixels wide."""

    portrait: Portrait
    crop: Affine
    """(2, 3): from the portrait's pixels to the crop's."""
    luma: Pixels
    """(SIDE, SIDE)."""
    depth: Floats
    """(SIDE, SIDE): expected depth in pixels of the portrait."""
    parts: dict[str, Bits]
    """(SIDE, SIDE) each: pixels of `PARTS` that belong to the head and show texture."""

    @property
    def scale(self) -> float:
        """Pixels of the crop per pixel of the portrait."""
        return float(self.crop[0, 0])


def head_layer(portrait: Portrait, labels: Pixels, person: Floats | None) -> HeadLayer:
    """The head of a portrait with the label map `labels` (H, W).

    Args:
        person: (H, W) in 0..1, where the person is, if that is known. Labels are wrong now and then far from the face:
            what is not of the person, or does not hang together with the face, is left out.
    """
    width = float(np.linalg.norm(np.subtract(*portrait.landmarks[list(TEMPLES), :2])))
    scale = FACE / width
    middle = portrait.landmarks[list(topology.OVAL), :2].mean(axis=0) - (0.0, 0.15 * width)
    crop = np.column_stack([np.eye(2) * scale, SIDE / 2 - scale * middle])
    luma = grey(portrait.pixels, crop)
    if person is not None:
        labels = np.where(person > 0.5, labels, 0).astype(np.uint8)
    classes = cv2.warpAffine(
        labels, crop, (SIDE, SIDE), flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT, borderValue=0
    )
    contour, depth = _contour(portrait, crop), _depth(portrait, crop, scale)
    return HeadLayer(portrait, crop, luma, depth, _parts(classes, luma, contour, portrait, crop))


def grey(pixels: Pixels, crop: Affine) -> Pixels:
    """(SIDE, SIDE): the luma of a picture (H, W, 3) in the crop, border repeated."""
    flat = cv2.transform(pixels, np.array([LUMA], np.float32))
    return np.asarray(cv2.warpAffine(flat, crop, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def _contour(portrait: Portrait, crop: Affine) -> Bits:
    """(SIDE, SIDE): within the contour of the face, where expression moves skin."""
    outline = portrait.landmarks[list(topology.OVAL), :2] @ crop[:, :2].T + crop[:, 2]
    out = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillPoly(out, [np.rint(outline).astype(np.int32)], 1)
    return out > 0


def _parts(classes: Pixels, luma: Pixels, contour: Bits, portrait: Portrait, crop: Affine) -> dict[str, Bits]:
    found = {name: np.isin(classes, ids) for name, (ids, _) in PARTS.items()}
    head = _joined(np.any(list(found.values()), axis=0) | contour, contour)
    radius = round(MARGIN * FACE)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    inner = cv2.erode(head.astype(np.uint8), kernel, borderValue=0) > 0
    skin = cv2.dilate(contour.astype(np.uint8), kernel) > 0
    textured = cv2.cornerMinEigenVal(luma.astype(np.float32), AROUND, 3) * AROUND**2 > TEXTURE
    lowest = (crop[:, :2] @ portrait.landmarks[LOWER_LIP, :2] + crop[:, 2])[1]
    above = np.arange(SIDE)[:, None] < lowest
    return {name: part & inner & textured & above & ~skin for name, part in found.items()}


def _joined(cells: Bits, seeds: Bits) -> Bits:
    """The cells that hang together with `seeds`, which are cells."""
    count, pieces = cv2.connectedComponents(cells.astype(np.uint8), connectivity=4)
    reached = np.zeros(count, bool)
    reached[pieces[seeds]] = True
    return np.asarray(reached[pieces])


def _depth(portrait: Portrait, crop: Affine, scale: float) -> Floats:
    """(SIDE, SIDE): the mesh's depth within the contour; outside, farther back with the distance from it."""
    vertices = portrait.landmarks[: topology.SKIN_COUNT]
    placed = np.column_stack([vertices[:, :2] @ crop[:, :2].T + crop[:, 2], vertices[:, 2]]).astype(np.float32)
    triangles = _skin_triangles()
    _, depth = ops.rasterize_flow(placed, placed[:, :2].copy(), triangles, size=(SIDE, SIDE))
    outside = ~np.isfinite(depth)
    away = cv2.distanceTransform(outside.astype(np.uint8), cv2.DIST_L2, 5) / (scale * portrait.pose.scale)
    edge = float(portrait.landmarks[list(topology.OVAL), 2].mean())
    behind = edge + np.minimum(away, 1.0) * BEHIND * portrait.pose.scale
    return np.where(outside, behind, depth).astype(np.float32)


def _skin_triangles() -> NDArray[np.int32]:
    return np.ascontiguousarray(topology.canonical_face().triangles)


@dataclass(frozen=True, slots=True, eq=False)
class Straying:
    """How far pixels of the head stray from its own motion in one answer, in per cent of the face's width."""

    parts: dict[str, Array]
    """For each of `PARTS` a value of each pixel that is in view."""

    @property
    def all(self) -> Array:
        """Of all parts together."""
        return np.concatenate([*self.parts.values(), np.zeros(0)])


def straying(head: HeadLayer, answer: Pixels, pose: Similarity) -> Straying:
    """Compare the picture of an answer (H, W, 3), whose head is posed `pose`, with the rigid motion of the head.

    The answer is seen back along that motion; what dense optical flow (DIS) still finds is not the head's.
    """
    places, along = _rigid(head, pose)
    flat = cv2.transform(answer, np.array([LUMA], np.float32))
    back = cv2.remap(flat, places[..., 0], places[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    flow = dense_flow(head.luma, back)
    height, width = answer.shape[:2]
    inside = (places >= 1).all(axis=2) & (places < np.array([width - 2, height - 2])).all(axis=2)
    found = {}
    for name, (_, bounds) in PARTS.items():
        seen = head.parts[name] & inside
        edge = float(head.portrait.landmarks[list(topology.OVAL), 2].mean())
        depths = edge + np.array(bounds) * head.portrait.pose.scale
        lowest, highest = (depth - head.depth[seen] for depth in depths)
        found[name] = 100 * off_segment(flow[seen], along, lowest, highest) / FACE
    return Straying(found)


def _rigid(head: HeadLayer, pose: Similarity) -> tuple[Floats, Array]:
    """(SIDE, SIDE, 2): where in the answer each pixel of the crop is expected; and (2,): by how many pixels of the crop
    it would be off for each pixel of the portrait that its depth is greater."""
    own = head.portrait.pose
    turn = pose.scale / own.scale * pose.rotation @ own.rotation.T
    shift = pose.translation - turn @ own.translation
    ys, xs = np.mgrid[0:SIDE, 0:SIDE].astype(np.float64)
    plane = (np.stack([xs, ys], axis=-1) - head.crop[:, 2]) / head.scale
    space = np.concatenate([plane, head.depth[..., None]], axis=2)
    places = (space @ turn.T + shift)[..., :2].astype(np.float32)
    along = head.scale * np.linalg.solve(turn[:2, :2], turn[:2, 2])
    return places, along


def off_segment(flow: Array | Floats, along: Array, lowest: Array | Floats, highest: Array | Floats) -> Array:
    """(N,): distance of flows (N, 2) from the segments `along` (2,) times `lowest` (N,) to `highest` (N,)."""
    length = float(along @ along)
    share = (flow @ along) / length if length > 1e-12 else np.zeros(len(flow))
    nearest = np.clip(share, lowest, highest)
    return np.asarray(np.linalg.norm(flow - nearest[:, None] * along, axis=1))


def dense_flow(before: Pixels, after: Pixels) -> Floats:
    """(H, W, 2): the way of each pixel of `before` (H, W) to `after` (dense inverse search, Kroeger et al. 2016)."""
    search: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    search.setFinestScale(1)
    return np.asarray(search.calc(before, after, None), dtype=np.float32)
