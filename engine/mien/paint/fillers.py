"""Table from each role of a manifest to the function that fills inputs of that role.

A new role is one entry of `ONCE`, for what hangs on the portrait alone, or of `FRAME`, for what changes with every
frame; a package of its own adds one as an entry point of the groups `mien.paint.once` and `mien.paint.frame`, called as
the role. Roles along a link between graphs need none. `mien.manifest` says what shapes and ranges a role may have.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, cast
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from mien import plugins
from mien.device.device import Workspace
from mien.draw.eyes import Eyes
from mien.draw.mouth import draw_driver_mouth, inner_mouth_box
from mien.errors import ModelError
from mien.manifest import TensorSpec
from mien.paint.carried import CarriedLabels, fine_labels
from mien.paint.erase import NOTHING, erase_invalid
from mien.paint.heat_maps import heat_maps, points_of
from mien.paint.parsing import fill_parsing_map, parsing_map
from mien.paint.scene import Appearance, Scene, Subject
from mien.parsing.maps import FINER, class_shares
from mien.plane import Box, coarser
from mien.runtime.session import nhwc_view
from mien_kernels import ops

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

BYTE_SCALE: Final = 128.0
"""The byte that becomes 0 in a graph: bytes 0..255 become -1..0.99."""
SAME: Final = np.array([[1, 0, 0], [0, 1, 0]], dtype=np.float32)


class OnceFiller(Protocol):
    """Fills an input (C, h, w) of a graph that runs once per portrait."""

    def __call__(self, subject: Subject, into: Floats, threads: int) -> None: ...


class FrameFiller(Protocol):
    """Fills an input of a graph that runs for every frame; one object per input."""

    def __call__(self, scene: Scene) -> None: ...


@dataclass(frozen=True, slots=True, eq=False)
class InputPort:
    """An input of a graph that runs for every frame: its specification and array."""

    spec: TensorSpec
    array: Any
    """(1, C, h, w): the session's array, bound once, on the workspace's device."""
    dtype: np.dtype[Any]
    """Of that array, as NumPy names it: not always the specification's, which is of the graph in fp32."""
    view: Box
    threads: int
    workspace: Workspace


def fill_picture(subject: Subject, into: Floats, threads: int) -> None:
    """The portrait's crop."""
    _to_tensor(subject.crop, into, threads)


def fill_portrait_parsing(subject: Subject, into: Floats, threads: int) -> None:
    """The parsing map of the portrait's own landmarks."""
    size = (into.shape[1], into.shape[2])
    parsing_map(subject.portrait.landmarks, subject.matrix, size, out=into, threads=threads)


def fill_portrait_classes(subject: Subject, into: Floats, threads: int) -> None:
    """The portrait's own label map."""
    class_shares(fine_labels(subject, into.shape[1] * FINER), into)


class Parsing:
    """The parsing map of the target landmarks, at the graph's resolution."""

    def __init__(self, port: InputPort) -> None:
        self._into = port.array[0]
        self._times = port.view.height // int(self._into.shape[1])

    def __call__(self, scene: Scene) -> None:
        grid = scene.matrix if self._times == 1 else coarser(scene.matrix, self._times)
        fill_parsing_map(scene.posed.landmarks, grid, self._into, scene.workspace, scene.threads)


class Warped:
    """The portrait's crop warped to the target, with eyes drawn and invalid areas erased."""

    def __init__(self, port: InputPort) -> None:
        self._into = port.array[0]
        self._warped = port.workspace.device.zeros((*port.view.shape, 3), np.uint8)
        self._given: WeakKeyDictionary[Appearance, tuple[Any, Eyes]] = WeakKeyDictionary()
        """Crop and eyes of portraits, on the device. Of several: a cross-fade has two in each frame."""

    def __call__(self, scene: Scene) -> None:
        if scene.appearance not in self._given:
            crop = scene.workspace.keep(scene.appearance.subject.crop)
            self._given[scene.appearance] = crop, scene.appearance.eyes.on(crop, scene.workspace)
        crop, eyes = self._given[scene.appearance]
        flow = scene.flow(scene.view.height)
        ops.flow_warp(crop, flow, self._warped, threads=scene.threads)
        eyes(scene.landmarks, self._warped)
        erase_invalid(self._warped, scene.mouth, flow, scene.threads)
        _to_tensor(self._warped, self._into, scene.threads)


class Hint:
    """The driver's inner mouth, drawn between the target's lips; 0 everywhere else."""

    def __init__(self, port: InputPort) -> None:
        self._into = port.array[0]
        self._drawn = np.empty((*port.view.shape, 3), np.uint8)
        self._box: Box | None = None
        """The area filled at present."""

    def __call__(self, scene: Scene) -> None:
        before, self._box = self._box, self._draw(scene)
        if before is not None or self._box is not None:
            self._show(scene, before)

    def _draw(self, scene: Scene) -> Box | None:
        """Where it is drawn in this frame."""
        hint, mouth = scene.posed.hint, scene.appearance.mouth
        box = inner_mouth_box(scene.landmarks, scene.view.width, scene.view.height)
        if hint is None or box is None:
            return None
        self._drawn[box.area] = NOTHING
        draw_driver_mouth(hint, mouth.lip_colour, scene.landmarks, self._drawn, mouth.skin_colour)
        return box

    def _show(self, scene: Scene, before: Box | None) -> None:
        if before is not None:
            self._into[:, *before.area] = 0
        if self._box is not None:
            drawn = self._drawn[self._box.area]
            self._into[:, *self._box.area] = drawn.transpose(2, 0, 1) * np.float32(1 / BYTE_SCALE) - np.float32(1)


class HintOnDevice(Hint):
    """The same for a GPU. It is drawn on the host, where it takes less time than its launches would, and is small."""

    def __init__(self, port: InputPort) -> None:
        super().__init__(port)
        self._drawn.fill(NOTHING)
        self._nothing = port.workspace.keep(self._drawn)
        self._picture = port.workspace.keep(self._drawn)

    def _show(self, scene: Scene, before: Box | None) -> None:
        ops.paste(self._picture, self._nothing, SAME)
        if self._box is not None:
            there = np.array([[1, 0, -self._box.x], [0, 1, -self._box.y]], np.float32)
            patch = np.ascontiguousarray(self._drawn[self._box.area])
            ops.paste(self._picture, scene.workspace.put(patch), there)
        _to_tensor(self._picture, self._into, scene.threads)


class Classes:
    """The label map of the frame: the portrait's own, carried along, with the target's parts drawn in."""

    def __init__(self, port: InputPort) -> None:
        self._into = port.array[0]
        self._given: Appearance | None = None
        self._carried: CarriedLabels | None = None

    def __call__(self, scene: Scene) -> None:
        if self._carried is None or scene.appearance is not self._given:
            self._carried = CarriedLabels(scene.appearance.subject, self._into.shape[1] * FINER)
            self._given = scene.appearance
        class_shares(self._carried(scene), self._into)


class Landmarks:
    """Heat maps of 68 of the target landmarks."""

    def __init__(self, port: InputPort) -> None:
        self._into = port.array[0]

    def __call__(self, scene: Scene) -> None:
        heat_maps(points_of(scene.landmarks), self._into)


class StaticInput:
    """What hangs on the portrait alone, in a graph that runs for every frame: filled when the portrait changes."""

    def __init__(self, port: InputPort, fill: OnceFiller) -> None:
        self._port, self._fill = port, fill
        self._given: Appearance | None = None

    def __call__(self, scene: Scene) -> None:
        if scene.appearance is not self._given:
            values = np.zeros(self._port.array.shape[1:], np.float32)
            self._fill(scene.appearance.subject, values, scene.threads)
            scene.workspace.fill(self._port.array[0], np.asarray(values, self._port.dtype))
            self._given = scene.appearance


class GraphOutputInput:
    """What another graph gave for the same frame."""

    def __init__(self, port: InputPort, source: Floats) -> None:
        self._into, self._source = port.array, source

    def __call__(self, scene: Scene) -> None:
        np.copyto(self._into, self._source)


class FeatureInput:
    """An output of the portrait's graph: warped by the frame's flow, or unchanged."""

    def __init__(self, port: InputPort) -> None:
        self._spec, self._array, self._dtype = port.spec, port.array, port.dtype
        host = port.workspace.device.is_host
        last = nhwc_view(port.array)[0] if host and port.array.ndim == 4 else None
        self._last = last if last is not None and last.flags.c_contiguous else None
        """(h, w, C), where the session keeps channels last."""
        self._given: Appearance | None = None
        self._features: WeakKeyDictionary[Appearance, Any] = WeakKeyDictionary()
        """(h, w, C) of portraits: to be warped, on the device. Of several: a cross-fade has two in each frame."""

    def __call__(self, scene: Scene) -> None:
        if self._spec.warped:
            self._warp(scene)
        elif scene.appearance is not self._given:
            values = np.asarray(scene.appearance.fixed[self._spec.name], self._dtype)
            scene.workspace.fill(self._array, values)
            self._given = scene.appearance

    def _warp(self, scene: Scene) -> None:
        if scene.appearance not in self._features:
            values = np.asarray(scene.appearance.features[self._spec.name], self._dtype)
            self._features[scene.appearance] = scene.workspace.keep(values)
        feature, flow = self._features[scene.appearance], scene.flow(self._array.shape[2])
        if self._last is not None:
            ops.flow_warp(feature, flow, self._last, threads=scene.threads)
        else:
            ops.flow_warp(feature, flow, self._array[0], threads=scene.threads, layout="nchw")


ONCE: Final[Mapping[str, OnceFiller]] = {
    "picture": fill_picture,
    "portrait_parsing": fill_portrait_parsing,
    "portrait_classes": fill_portrait_classes,
}
"""By role: what hangs on the portrait alone."""
FRAME: Final[Mapping[str, Callable[[InputPort], FrameFiller]]] = {
    "parsing": Parsing,
    "warped": Warped,
    "hint": Hint,
    "classes": Classes,
    "landmarks": Landmarks,
}
"""By role: what changes with every frame."""
ON_DEVICE: Final[Mapping[str, Callable[[InputPort], FrameFiller]]] = {
    "parsing": Parsing,
    "warped": Warped,
    "hint": HintOnDevice,
}
"""By role: what fills the arrays of a GPU."""
ONCE_GROUP, FRAME_GROUP = "mien.paint.once", "mien.paint.frame"


def once_filler(role: str) -> OnceFiller:
    """What fills inputs of this role from the portrait alone.

    Raises:
        ModelError: nobody does.
    """
    found = ONCE.get(role) or plugins.added(ONCE_GROUP, role)
    if found is None:
        raise ModelError(f"role {role}: expected something that fills it, got none; install the package that adds it")
    return cast(OnceFiller, found)


def frame_filler(port: InputPort) -> FrameFiller:
    """What fills this input for every frame, or once for a portrait where its role hangs on that alone.

    Raises:
        ModelError: nobody does.
    """
    role = port.spec.role
    if not port.workspace.device.is_host and role in ON_DEVICE:
        return ON_DEVICE[role](port)
    found = FRAME.get(role) or (None if role in ONCE else plugins.added(FRAME_GROUP, role))
    if found is None:
        return StaticInput(port, once_filler(role))
    return cast(Callable[[InputPort], FrameFiller], found)(port)


def _to_tensor(picture: Any, into: Any, threads: int) -> None:
    ops.to_tensor(picture, SAME, into, scale=1 / BYTE_SCALE, bias=-1.0, threads=threads)
