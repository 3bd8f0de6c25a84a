"""What fillers read: a portrait in the networks' crop, and one frame of it in their view."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.device.device import ON_HOST, Workspace
from mien.draw.eyes import Eyes
from mien.draw.mouth import OwnMouth
from mien.face.crop import crop_matrix
from mien.paint.parsing import fill_mouth_map
from mien.parsing.cleaning import cleaned
from mien.parsing.opening import open_segmenter
from mien.plane import Box, coarser, into_box, inverse, placed
from mien.portrait.portrait import Portrait
from mien.posed import Posed
from mien_kernels import ops

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Subject:
    """A portrait cut to the networks' crop: input of the fillers of graphs that run once per portrait."""

    portrait: Portrait
    crop: Pixels
    """(side, side, 3)."""
    matrix: Array
    """(2, 3): from the portrait's picture to that crop."""

    @classmethod
    def of(cls, portrait: Portrait, side: int) -> Subject:
        """The crop is of this side, in pixels."""
        matrix = crop_matrix(portrait.pose, side)
        return cls(portrait, _crop(portrait.pixels, matrix, side), matrix)

    @cached_property
    def labels(self) -> Pixels:
        """(H, W): the class of each pixel of the portrait, by the packaged parsing network; made when asked for.

        Raises:
            ModelError, BackendError: the network or a runtime for it is missing.
        """
        with open_segmenter(1) as (segmenter, _):
            return cleaned(segmenter(self.portrait.pixels, self.portrait.landmarks))


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Appearance:
    """What the frame's fillers need of a portrait, computed once for one model."""

    subject: Subject
    features: dict[str, Floats]
    """(h, w, C) by name, as the warp takes them."""
    fixed: dict[str, Floats]
    """(1, C, h, w) by name: inputs of the frame's graph that do not depend on the frame."""
    mouth: OwnMouth
    eyes: Eyes
    """Of the crop."""

    @classmethod
    def of(cls, subject: Subject, features: dict[str, Floats], fixed: dict[str, Floats]) -> Appearance:
        """Adds eyes and mouth of the portrait to the graph's outputs."""
        portrait = subject.portrait
        eyes = Eyes(subject.crop, placed(portrait.landmarks, subject.matrix))
        return cls(subject, features, fixed, OwnMouth.of(portrait.pixels, portrait.landmarks), eyes)


class Scene:
    """One frame in the network's view. The object and its buffers are reused for every frame."""

    appearance: Appearance
    posed: Posed
    matrix: Array
    """(2, 3): from the portrait's picture to the view."""
    vertices: Floats
    """(V, 3): the target mesh in pixels of the view."""
    landmarks: Array
    """(478, 3): the target's, in pixels of the view."""

    def __init__(self, side: int, view: Box, threads: int, workspace: Workspace = ON_HOST) -> None:
        """`view` is the part that the network sees of a crop of `side` pixels. Flows lie on the workspace's device."""
        device = workspace.device
        self.workspace = workspace
        self.view = view
        self.threads = threads
        self._side = side
        self._flow: Any = device.zeros((*view.shape, 2), np.float32)
        self._depth: Any = device.zeros(view.shape, np.float32)
        self._pyramid, self._levels = [self._flow], 1
        self._mouth: Any = device.zeros((1, *view.shape), np.float32)
        self._has_mouth = False

    def place(self, appearance: Appearance, posed: Posed) -> None:
        """Set the next frame; `rasterise` computes its flow. The last frame's work must be done."""
        self.workspace.begin()
        self.appearance, self.posed = appearance, posed
        self.matrix = into_box(crop_matrix(posed.pose, self._side), self.view)
        self.vertices = placed(posed.vertices.astype(np.float64), self.matrix).astype(np.float32)
        self.landmarks = placed(posed.landmarks, self.matrix)
        self._has_mouth = False

    def rasterise(self, texture: Floats) -> Any:
        """(h, w, 2): flow of the view for the texture coordinates `texture` (V, 2)."""
        put = self.workspace.put
        ops.rasterize_flow(
            put(self.vertices),
            put(texture),
            put(self.posed.triangles),
            out=self._flow,
            depth=self._depth,
            threads=self.threads,
        )
        self._levels = 1
        return self._flow

    def rasterise_portrait(self) -> Any:
        """(h, w, 2): flow from the view to the portrait's crop."""
        texture = placed(self.posed.texture.astype(np.float64), self.appearance.subject.matrix)
        return self.rasterise(texture.astype(np.float32))

    def flow(self, height: int) -> Any:
        """(height, w, 2): the flow downsampled to a grid of this height, in the grid's coordinates."""
        pyramid = self._pyramid
        level = 0
        while pyramid[level].shape[0] > height:
            level += 1
            if level == len(pyramid):
                rows, columns = pyramid[-1].shape[:2]
                pyramid.append(self.workspace.device.zeros((rows // 2, columns // 2, 2), np.float32))
            if level == self._levels:
                ops.halve_flow(pyramid[level - 1], pyramid[level], self.threads)
                self._levels += 1
        return pyramid[level]

    @property
    def mouth(self) -> Any:
        """(h, w) in 0..1: coverage of each pixel of the view by the target's inner mouth."""
        if not self._has_mouth:
            fill_mouth_map(self.posed.landmarks, self.matrix, self._mouth, self.workspace, self.threads)
            self._has_mouth = True
        return self._mouth[0]


def _crop(picture: Pixels, matrix: Array, side: int) -> Pixels:
    """(side, side, 3): the crop of `picture` under an affine map (2, 3) from picture to crop.

    Where the picture is so many times as fine as the crop, cells of as many samples are averaged.
    """
    finer = max(int(1 / math.sqrt(abs(np.linalg.det(matrix[:, :2])))), 1)
    back = inverse(coarser(matrix, 1 / finer)).astype(np.float32)
    size = (side * finer, side * finer)
    samples = ops.to_tensor(picture, back, scale=1.0, layout="nhwc", size=size)
    if finer > 1:
        samples = samples.reshape(side, finer, side, finer, 3).mean(axis=(1, 3))
    return ops.to_image(samples, scale=1.0, layout="nhwc")
