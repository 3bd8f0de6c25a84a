"""The morph of two portraits: a portrait between them, which is driven as any other.

Both pictures are taken apart into head, body and background (`mien.portrait.layering`). The head is warped to the
common shape by its mesh, whose rings follow the head's outline, the body by its neck and shoulders; then the layers are
blended one by one. What does not depend on the degree is done once.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.draw.eyes import Eyes
from mien.face.measures import contour_middle
from mien.morphing.classes import inner_classes, seen
from mien.morphing.layers import EndLayer, Mixture, WarpedLayer, canvas_of, opacity_between
from mien.morphing.mouth import mouth_share
from mien.morphing.shape import CommonShape, CommonShapes, covering, need_alike
from mien.morphing.torso import Torso, torso_between
from mien.morphing.whole import blended_whole
from mien.plane import Box
from mien.portrait.layering import head_reach
from mien.portrait.portrait import Layer, Layers, Portrait
from mien.reenact.mesh import mesh_triangles
from mien.sums import smoothstep
from mien_kernels import ops

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

BACKGROUND: Final = (0.3, 0.7)
"""Degrees between which the background is cross-faded; outside of them it is the nearer end's alone."""

SEED: Final = 16
"""Digits of a digest that decide what is drawn at random on a portrait."""
CELL: Final = 1 / 30
"""Side of a cell of the distance fields, in eye distances."""


class MeshMorph:
    """Callable (degree) -> `Portrait`; 0 gives the first end itself, 1 the second. By one thread at a time."""

    def __init__(self, first: Portrait, second: Portrait) -> None:
        """Prepares both ends, which are of one size.

        Raises:
            FaceError: they look in too different directions.
        """
        need_alike(first, second)
        self.ends = first, second
        self._layered: _Layered | None = None
        if first.layers is not None and second.layers is not None:
            self._layered = _Layered(first, first.layers, second, second.layers)
        else:
            first, second = replace(first, layers=None), replace(second, layers=None)
        self._shapes = CommonShapes(first, second)

    def __call__(self, degree: float) -> Portrait:
        """The portrait at a degree in 0..1."""
        if degree <= 0 or degree >= 1:
            return self.ends[int(degree > 0)]
        common = self._shapes(degree)
        first, second = self.ends[0].digest, self.ends[1].digest
        own = hashlib.sha256(f"{first} {second} {degree!r}".encode()).hexdigest()
        made = replace(
            self.ends[0],
            landmarks=common.target.landmarks,
            pose=common.target.pose,
            shape=common.target.shape,
            rest=common.rest,
            relaxed=common.relaxed,
            # what is drawn at random goes by the first digits, and must not change with the degree
            digest=first[:SEED] + own[SEED:],
        )
        if self._layered is None:
            return blended_whole(made, self.ends, self._shapes.meshes, common, degree)
        return self._layered.blended(made, self._shapes, common, degree)

    def meshes(self, degree: float) -> tuple[MovedMesh, MovedMesh]:
        """Both ends' meshes, moved to the common shape at a degree in 0..1."""
        common = self._shapes(degree)
        first, second = (
            MovedMesh(vertices, mesh.texture(common.target), mesh.triangles)
            for vertices, mesh in zip(common.vertices, self._shapes.meshes, strict=True)
        )
        return first, second


@dataclass(frozen=True, slots=True, eq=False)
class MovedMesh:
    """The mesh of one end in the common shape."""

    vertices: Floats
    """(V, 3): in pixels of the morph."""
    texture: Floats
    """(V, 2): in pixels of the end's own picture."""
    triangles: NDArray[np.int32]
    """(T, 3)."""


class _Layered:
    """Two portraits with layers, prepared."""

    def __init__(self, first: Portrait, one: Layers, second: Portrait, other: Layers) -> None:
        self._ends = ((first, one), (second, other))
        cell = int(np.clip(round(min(first.pose.scale, second.pose.scale) * CELL), 1, 8))
        self._heads, self._bodies, self._torsos = list[EndLayer](), list[EndLayer](), list[Torso]()
        for end, layers in self._ends:
            hair, neck = inner_classes(end, layers.head, layers.body)
            self._heads.append(EndLayer.of(layers.head, hair, end.pose.scale, cell))
            self._bodies.append(EndLayer.of(layers.body, neck, end.pose.scale, cell))
            self._torsos.append(Torso.of(end, layers.body))
        self._eyes = [
            Eyes(head.stacked, end.landmarks[:, :2] - np.array(head.corner))
            for head, (end, _) in zip(self._heads, self._ends, strict=True)
        ]
        self._head_box, self._body_box = canvas_of(one.head, other.head), canvas_of(one.body, other.body)

    def blended(self, made: Portrait, shapes: CommonShapes, common: CommonShape, degree: float) -> Portrait:
        """`made`, which has the common shape, with pixels, matte and layers of that shape."""
        (_, one), (_, other) = self._ends
        share = smoothstep(float(np.clip((degree - BACKGROUND[0]) / (BACKGROUND[1] - BACKGROUND[0]), 0, 1)))
        background = np.asarray(cv2.addWeighted(one.background, 1 - share, other.background, share, 0))
        (head, skin), body = self._head(shapes, common, degree), self._body(common, degree)
        middle = contour_middle(made.shape, made.pose)[:2]
        layers = Layers(background, body, head, head_reach(head.alpha, head.corner, middle, made.landmarks))
        pixels, matte = flat(layers)
        return replace(made, pixels=pixels, matte=matte, background=background, skin=skin, layers=layers)

    def _head(self, shapes: CommonShapes, common: CommonShape, degree: float) -> tuple[Layer, Pixels]:
        """The head's layer, and (H, W) where in the picture it shows skin."""
        box = self._head_box
        landmarks = common.target.landmarks[:, :2] - box.corner
        warped = []
        for vertices, mesh, head, eyes in zip(common.vertices, shapes.meshes, self._heads, self._eyes, strict=True):
            texture = mesh.texture(common.target) - np.array(head.corner, np.float32)
            target = vertices - np.array([box.x, box.y, 0], np.float32)
            triangles = mesh_triangles(mesh.loops + 1)
            flow, _ = ops.rasterize_flow(covering(target), covering(texture), triangles, size=box.shape)
            warped.append(WarpedLayer.of(head, flow))
            eyes(landmarks, warped[-1].colours)
        mixture = Mixture.of(warped[0], warped[1], degree)
        shares = mixture.shares(box.size)
        mouth_share(shares, landmarks, (self._ends[0][0].shape, self._ends[1][0].shape), degree)
        colours = mixture.mixed(warped[0].colours, warped[1].colours, shares)
        made = Layer(colours, opacity_between(warped[0], warped[1], degree), (box.x, box.y))
        return made, seen(replace(made, alpha=mixture.outer(made.alpha)), self._ends[0][0].size)

    def _body(self, common: CommonShape, degree: float) -> Layer:
        torso = torso_between(self._torsos[0], self._torsos[1], degree, common.target)
        whole = self._body_box
        top = int(np.clip(torso.chin[1] - torso.top * torso.scale - 2, whole.y, whole.bottom - 2))
        box = Box.between(whole.x, top, whole.right, whole.bottom)
        warped = []
        for own, body in zip(self._torsos, self._bodies, strict=True):
            warped.append(WarpedLayer.of(body, own.flow(torso, box, body)))
        colours, alpha = np.zeros((*whole.shape, 3), np.uint8), np.zeros(whole.shape, np.uint8)
        rows = slice(top - whole.y, None)
        colours[rows] = Mixture.of(warped[0], warped[1], degree).mixed(warped[0].colours, warped[1].colours)
        alpha[rows] = opacity_between(warped[0], warped[1], degree)
        return Layer(colours, alpha, (whole.x, whole.y))


def flat(layers: Layers) -> tuple[Pixels, Pixels]:
    """(H, W, 3) and (H, W): the picture that layers give, and how much of each pixel is the person."""
    pixels = layers.background.copy()
    height, width = pixels.shape[:2]
    clear = np.full((height, width), 255, np.uint8)
    for layer in (layers.body, layers.head):
        x, y = layer.corner
        inside = slice(-y, height - y), slice(-x, width - x)
        colours, alpha = np.ascontiguousarray(layer.pixels[inside]), np.ascontiguousarray(layer.alpha[inside])
        ops.blend(pixels, colours, alpha, pixels)
        clear = cv2.multiply(clear, 255 - alpha, scale=1 / 255)
    return pixels, cv2.bitwise_not(clear)
