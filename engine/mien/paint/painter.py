"""The generator at work: between its two graphs the flow warps, and nothing is allocated that a frame could reuse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.draw.eyes import Eyes
from mien.draw.mouth import draw_driver_mouth, inner_mouth_box, mouth_hint
from mien.draw.outlines import Box
from mien.face.crop import crop_matrix, inverse, placed
from mien.face.face import MouthHint
from mien.manifest import Bundle, TensorSpec
from mien.manifest.families import ONESHOT
from mien.paint.erase import NOTHING, Erasing
from mien.paint.parsing import TEETH, coarser, mouth_map, parsing_map
from mien.portrait.portrait import Portrait
from mien.reenact.mesh import Mesh
from mien.reenact.target import Target
from mien.runtime.session import Session, nhwc_view
from mien.synthesis import Painting
from mien_kernels import ops

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

LINKS: Final = ONESHOT.linked("generator")
HALF: Final = 128.0
"""The byte that becomes 0 in a graph; bytes become -1..0.99."""
ALL: Final = 0.5
"""Share of the warp in a pixel from which on it is warp alone: a little paint is a veil of blur over what was sharp.
On unseen portraits 0.8, 0.6 and 0.45 each brought eyes nearer to the truth than the one before."""
SAME: Final = np.array([[1, 0, 0], [0, 1, 0]], dtype=np.float32)

OpenSession = Callable[[str], Session]
"""Opens the graph of this name, `appearance` or `generator`."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A portrait as the generator knows it, made once."""

    mesh: Mesh
    crop: Pixels
    """(side, side, 3): the portrait's own crop."""
    matrix: Array
    """(2, 3): from its picture to that crop."""
    features: dict[str, Floats]
    """(h, w, C) by name, as the warp takes them."""
    fixed: dict[str, Floats]
    """(1, C, h, w) by name: what the generator takes as the portrait gives it, wherever the face is."""
    lip_colour: Array
    """(3,): 0..255."""
    skin_colour: Array | None
    """(3,): 0..255; None: not known."""
    eyes: Eyes
    """Of the crop."""


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """Where a portrait's face shall be."""

    target: Target
    vertices: Floats
    """(V, 3): its mesh, in pixels of the portrait's picture."""
    source: Floats
    """(V, 2): where in that picture the mesh takes its skin from, as `Mesh.looked_up` gives it."""


@dataclass(frozen=True, slots=True, eq=False)
class Painted:
    """The last painting, with where its mesh lay, so that it can be carried on."""

    painting: Painting
    vertices: Floats
    """(V, 3) in pixels of the painting."""


class Painter:
    """Paints crops of one portrait after another with one generator session. For one thread at a time."""

    def __init__(
        self, bundle: Bundle, open_session: OpenSession, threads: int = 1, notes: tuple[str, ...] = ()
    ) -> None:
        """`notes` say what could not take part when the sessions' runtime was chosen."""
        self.notes = notes
        self.bundle = bundle
        self._open = open_session
        self._threads = threads
        self._side, self._view = bundle.side, bundle.seen
        self.session = open_session("generator")
        graph = bundle.graph("generator")
        self._inputs = {spec.role: self.session.inputs[spec.name] for spec in graph.inputs if spec.role not in LINKS}
        self._features = sorted((spec for spec in graph.inputs if spec.warped), key=lambda spec: -self._height(spec))
        self._fixed = [spec.name for spec in graph.inputs if spec.role in LINKS and not spec.warped]
        self._given: Look | None = None
        self._outputs = {spec.role: self.session.outputs[spec.name] for spec in graph.outputs}
        shape = self._view.shape
        self._flow, self._depth = np.empty((*shape, 2), np.float32), np.empty(shape, np.float32)
        self._warped, self._hint = np.empty((*shape, 3), np.uint8), np.empty((*shape, 3), np.uint8)
        self._mouth = np.empty(shape, np.float32)
        self._hinted: Box | None = None
        self._erasing = Erasing(shape)

    def look(self, portrait: Portrait, mesh: Mesh) -> Look:
        """What is kept of a portrait. Runs the appearance graph once."""
        matrix = crop_matrix(portrait.pose, self._side)
        crop = _crop(portrait.pixels, matrix, self._side)
        session = self._open("appearance")
        try:
            for spec in self.bundle.graph("appearance").inputs:
                self._give(spec, session, crop, portrait, matrix)
            session.run()
            found = {name: array.astype(np.float32) for name, array in session.outputs.items()}
        finally:
            session.close()
        features = {spec.name: np.ascontiguousarray(found[spec.name][0].transpose(1, 2, 0)) for spec in self._features}
        own = mouth_hint(portrait.pixels, portrait.landmarks)
        lips = own.lip_colour if own is not None else np.array([150.0, 90.0, 85.0])
        skin = own.skin_colour if own is not None else None
        fixed = {name: found[name] for name in self._fixed}
        eyes = Eyes(crop, placed(portrait.landmarks, matrix))
        return Look(mesh, crop, matrix, features, fixed, lips, skin, eyes)

    def paint(self, look: Look, at: Placed, hint: MouthHint | None) -> Painted:
        """What is seen of the portrait's crop in its new place, painted into arrays of its own."""
        target = at.target
        matrix = self._view.matrix(crop_matrix(target.pose, self._side))
        vertices = _in_pixels(at.vertices, matrix)
        back = placed(at.source.astype(np.float64), look.matrix).astype(np.float32)
        ops.rasterize_flow(
            vertices, back, look.mesh.triangles, out=self._flow, depth=self._depth, threads=self._threads
        )
        mouth = self._give_parsing(target, matrix)
        landmarks = placed(target.landmarks, matrix)
        self._give_warped(look, mouth, landmarks)
        self._give_hint(hint, look, landmarks)
        self._give_features(look)
        self.session.run()
        generated = ops.to_image(
            self._outputs["generated"][0].astype(np.float32, copy=False), scale=HALF, bias=HALF, threads=self._threads
        )
        mask = np.minimum(self._outputs["mask"][0, 0].astype(np.float32) * np.float32(1 / ALL), np.float32(1))
        return Painted(Painting(generated, mask, matrix), vertices)

    def carry(self, look: Look, at: Placed, last: Painted) -> Painted:
        """The last painting, moved on by the flow between the two shapes."""
        matrix = self._view.matrix(crop_matrix(at.target.pose, self._side))
        vertices = _in_pixels(at.vertices, matrix)
        ops.rasterize_flow(
            vertices,
            np.ascontiguousarray(last.vertices[:, :2]),
            look.mesh.triangles,
            out=self._flow,
            depth=self._depth,
            threads=self._threads,
        )
        generated = ops.flow_warp(last.painting.generated, self._flow, threads=self._threads)
        mask = ops.flow_warp(last.painting.mask[..., None], self._flow, threads=self._threads)[..., 0]
        return Painted(Painting(generated, mask, matrix), vertices)

    def _height(self, spec: TensorSpec) -> int:
        return int(self.session.inputs[spec.name].shape[2])

    def close(self) -> None:
        """Give the session back."""
        self.session.close()

    def _give(self, spec: TensorSpec, session: Session, crop: Pixels, portrait: Portrait, matrix: Array) -> None:
        into = session.inputs[spec.name][0]
        if spec.role == "picture":
            _to_tensor(crop, into, self._threads)
        elif spec.role == "portrait_parsing":
            parsing_map(portrait.landmarks, matrix, (self._side, self._side), out=into, threads=self._threads)
        else:
            raise ValueError(f"no such input of appearance: {spec.role}")

    def _give_parsing(self, target: Target, matrix: Array) -> Floats:
        """As fine as the generator takes it; returns its inner mouth as fine as the pictures."""
        parsing = self._inputs["parsing"][0]
        times = self._view.height // parsing.shape[1]
        grid = matrix if times == 1 else coarser(matrix, times)
        parsing_map(target.landmarks, grid, parsing.shape[1:], out=parsing, threads=self._threads)
        if times == 1:
            return np.asarray(parsing[TEETH], dtype=np.float32)
        return mouth_map(target.landmarks, matrix, self._mouth, threads=self._threads)

    def _give_warped(self, look: Look, mouth: Floats, landmarks: Array) -> None:
        """Skin and eyes as they are shown where the mask keeps them."""
        ops.flow_warp(look.crop, self._flow, self._warped, threads=self._threads)
        look.eyes(landmarks, self._warped)
        self._erasing(self._warped, mouth, self._flow, self._threads)
        _to_tensor(self._warped, self._inputs["warped"][0], self._threads)

    def _give_hint(self, hint: MouthHint | None, look: Look, landmarks: Array) -> None:
        if "hint" not in self._inputs:
            return
        into = self._inputs["hint"][0]
        if self._hinted is not None:
            into[:, *self._hinted] = 0
        self._hinted = None
        box = inner_mouth_box(landmarks, self._view.width, self._view.height)
        if hint is None or box is None:
            return
        self._hinted = box
        drawn = self._hint[box]
        drawn.fill(NOTHING)
        draw_driver_mouth(hint, look.lip_colour, landmarks, self._hint, look.skin_colour)
        into[:, *box] = drawn.transpose(2, 0, 1) * np.float32(1 / HALF) - np.float32(1)

    def _give_features(self, look: Look) -> None:
        if look is not self._given:
            for name, array in look.fixed.items():
                self.session.inputs[name][...] = array
            self._given = look
        flow = self._flow
        for spec in self._features:  # from fine to coarse
            into = self.session.inputs[spec.name]
            while len(flow) > into.shape[2]:
                flow = _halved(flow)
            last = nhwc_view(into)[0]
            if last.flags.c_contiguous:
                ops.flow_warp(look.features[spec.name], flow, last, threads=self._threads)
            else:
                ops.flow_warp(look.features[spec.name], flow, into[0], threads=self._threads, layout="nchw")


def _in_pixels(vertices: Floats, matrix: Array) -> Floats:
    """(V, 3) float32, of the map's target."""
    return placed(vertices.astype(np.float64), matrix).astype(np.float32)


def _halved(flow: Floats) -> Floats:
    """The flow (h, w, 2) of a grid half as fine, in its own coordinates: the mean over 2 x 2 cells."""
    places = flow.view(np.complex64)[..., 0]  # x and y as one number: several times as fast as pairs
    rows = places[::2] + places[1::2]
    mean: Floats = (rows[:, ::2] + rows[:, 1::2])[..., None].view(np.float32)
    mean *= np.float32(0.125)
    mean -= np.float32(0.25)
    return mean


def _crop(picture: Pixels, matrix: Array, side: int) -> Pixels:
    """(side, side, 3): what a map (2, 3) from picture to crop shows."""
    back = inverse(matrix).astype(np.float32)
    return ops.to_image(
        ops.to_tensor(picture, back, scale=1.0, layout="nhwc", size=(side, side)), scale=1.0, layout="nhwc"
    )


def _to_tensor(picture: Pixels, into: Floats, threads: int) -> None:
    ops.to_tensor(picture, SAME, into, scale=1 / HALF, bias=-1.0, threads=threads)
