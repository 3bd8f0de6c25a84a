"""The table from a role in a model's manifest to what fills the inputs of that role.

A new role is one entry of `ONCE`, for graphs that run once per portrait, or of `FRAME`, for those that run for every
frame; `mien.manifest` says what shapes and ranges it may have.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from mien.draw.mouth import draw_driver_mouth, inner_mouth_box
from mien.manifest import TensorSpec
from mien.paint.erase import NOTHING, Erasing
from mien.paint.parsing import parsing_map
from mien.paint.scene import Look, Scene, Subject
from mien.plane import Box, coarser
from mien.runtime.session import nhwc_view
from mien_kernels import ops

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

HALF: Final = 128.0
"""The byte that becomes 0 in a graph; bytes become -1..0.99."""
SAME: Final = np.array([[1, 0, 0], [0, 1, 0]], dtype=np.float32)


class OnceFiller(Protocol):
    """Fills an input (C, h, w) of a graph that runs once per portrait."""

    def __call__(self, subject: Subject, into: Floats, threads: int) -> None: ...


class FrameFiller(Protocol):
    """Fills an input of a graph that runs for every frame; made once for that input."""

    def __call__(self, scene: Scene) -> None: ...


@dataclass(frozen=True, slots=True, eq=False)
class Port:
    """An input of a graph that runs for every frame, as its filler is given it."""

    spec: TensorSpec
    array: Floats
    """(1, C, h, w): the session's own, bound once."""
    view: Box
    threads: int


def fill_picture(subject: Subject, into: Floats, threads: int) -> None:
    """The portrait's crop."""
    _to_tensor(subject.crop, into, threads)


def fill_portrait_parsing(subject: Subject, into: Floats, threads: int) -> None:
    """The parsing map of the portrait's own landmarks."""
    size = (into.shape[1], into.shape[2])
    parsing_map(subject.portrait.landmarks, subject.matrix, size, out=into, threads=threads)


class Parsing:
    """The parsing map of the target landmarks, as fine as the graph takes it."""

    def __init__(self, port: Port) -> None:
        self._into = port.array[0]
        self._times = port.view.height // self._into.shape[1]

    def __call__(self, scene: Scene) -> None:
        grid = scene.matrix if self._times == 1 else coarser(scene.matrix, self._times)
        size = (self._into.shape[1], self._into.shape[2])
        parsing_map(scene.posed.landmarks, grid, size, out=self._into, threads=scene.threads)


class Warped:
    """The portrait's crop warped to the target, skin and eyes as they are shown, without what a warp cannot know."""

    def __init__(self, port: Port) -> None:
        self._into = port.array[0]
        self._warped = np.empty((*port.view.shape, 3), np.uint8)
        self._erasing = Erasing(port.view.shape)

    def __call__(self, scene: Scene) -> None:
        flow = scene.flow(scene.view.height)
        ops.flow_warp(scene.look.subject.crop, flow, self._warped, threads=scene.threads)
        scene.look.eyes(scene.landmarks, self._warped)
        self._erasing(self._warped, scene.mouth, flow, scene.threads)
        _to_tensor(self._warped, self._into, scene.threads)


class Hint:
    """The driver's inner mouth, drawn between the target's lips; 0 everywhere else."""

    def __init__(self, port: Port) -> None:
        self._into = port.array[0]
        self._drawn = np.empty((*port.view.shape, 3), np.uint8)
        self._box: Box | None = None
        """What is filled at present."""

    def __call__(self, scene: Scene) -> None:
        into = self._into
        if self._box is not None:
            into[:, *self._box.area] = 0
        hint, mouth = scene.posed.hint, scene.look.mouth
        box = inner_mouth_box(scene.landmarks, scene.view.width, scene.view.height)
        self._box = None if hint is None else box
        if hint is None or box is None:
            return
        drawn = self._drawn[box.area]
        drawn.fill(NOTHING)
        draw_driver_mouth(hint, mouth.lip_colour, scene.landmarks, self._drawn, mouth.skin_colour)
        into[:, *box.area] = drawn.transpose(2, 0, 1) * np.float32(1 / HALF) - np.float32(1)


class Linked:
    """What a graph that ran once gave for the portrait: warped by the frame's flow, or as it is."""

    def __init__(self, port: Port) -> None:
        self._spec, self._array = port.spec, port.array
        last = nhwc_view(port.array)[0]
        self._last = last if last.flags.c_contiguous else None
        """(h, w, C), where the session keeps channels last."""
        self._given: Look | None = None

    def __call__(self, scene: Scene) -> None:
        if self._spec.warped:
            self._warp(scene.look.features[self._spec.name], scene)
        elif scene.look is not self._given:
            self._array[...] = scene.look.fixed[self._spec.name]
            self._given = scene.look

    def _warp(self, feature: Floats, scene: Scene) -> None:
        flow = scene.flow(self._array.shape[2])
        if self._last is not None:
            ops.flow_warp(feature, flow, self._last, threads=scene.threads)
        else:
            ops.flow_warp(feature, flow, self._array[0], threads=scene.threads, layout="nchw")


ONCE: Final[Mapping[str, OnceFiller]] = {
    "picture": fill_picture,
    "portrait_parsing": fill_portrait_parsing,
}
"""By role: inputs of graphs that run once per portrait."""
FRAME: Final[Mapping[str, Callable[[Port], FrameFiller]]] = {
    "parsing": Parsing,
    "warped": Warped,
    "hint": Hint,
    "feature": Linked,
    "latent": Linked,
}
"""By role: inputs of graphs that run for every frame."""


def _to_tensor(picture: Pixels, into: Floats, threads: int) -> None:
    ops.to_tensor(picture, SAME, into, scale=1 / HALF, bias=-1.0, threads=threads)
