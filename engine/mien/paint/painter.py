"""A model at work: its graphs are run once per portrait and for every frame, on inputs that the table of roles fills.

Nothing is allocated that a frame could reuse.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.manifest import Bundle
from mien.manifest.roles import LINKS
from mien.paint.fillers import FRAME, HALF, ONCE, Port
from mien.paint.scene import Look, Scene, Subject
from mien.portrait.portrait import Portrait
from mien.posed import Painting, PaintLevel, Posed
from mien.runtime.session import Session
from mien_kernels import ops

Floats = NDArray[np.float32]

ALL: Final = 0.5
"""Share of the warp in a pixel from which on it is warp alone: a little paint is a veil of blur over what was sharp.
On unseen portraits 0.8, 0.6 and 0.45 each brought eyes nearer to the truth than the one before."""
APPEARANCE, GENERATOR = "appearance", "generator"
"""Names of the graphs that run once per portrait and for every frame."""

OpenSession = Callable[[str], Session]
"""Opens the graph of this name."""


@dataclass(frozen=True, slots=True, eq=False)
class Painted:
    """A painting, with where its mesh lay, so that it can be carried on."""

    painting: Painting
    vertices: Floats
    """(V, 3) in pixels of the painting."""


class Painter:
    """Paints crops of one portrait after another with one session. For one thread at a time."""

    def __init__(
        self, bundle: Bundle, open_session: OpenSession, threads: int = 1, notes: tuple[str, ...] = ()
    ) -> None:
        """`notes` say what could not take part when the sessions' runtime was chosen."""
        self.notes = notes
        self.bundle = bundle
        self._open = open_session
        self._threads = threads
        self._scene = Scene(bundle.side, bundle.seen, threads)
        self.session = open_session(GENERATOR)
        graph = bundle.graph(GENERATOR)
        self._links = {spec.name: spec.warped for spec in graph.inputs if spec.role in LINKS}
        self._fillers = [
            FRAME[spec.role](Port(spec, self.session.inputs[spec.name], bundle.seen, threads)) for spec in graph.inputs
        ]
        outputs = {spec.role: self.session.outputs[spec.name] for spec in graph.outputs}
        self._generated, self._mask = outputs["generated"], outputs.get("mask")

    def look(self, portrait: Portrait) -> Look:
        """What is kept of a portrait. Runs the graph that is run once per portrait, if the model has one."""
        subject = Subject.of(portrait, self.bundle.side)
        found = self._run_once(subject) if self.bundle.precisions(APPEARANCE) else {}
        features = {
            name: np.ascontiguousarray(found[name][0].transpose(1, 2, 0))
            for name, warped in self._links.items()
            if warped
        }
        fixed = {name: found[name] for name, warped in self._links.items() if not warped}
        return Look.of(subject, features, fixed)

    def paint(self, look: Look, posed: Posed) -> Painted:
        """What is seen of the portrait's crop in its new place, painted into arrays of its own."""
        scene = self._scene
        scene.place(look, posed)
        scene.rasterise_portrait()
        for fill in self._fillers:
            fill(scene)
        self.session.run()
        generated = ops.to_image(
            self._generated[0].astype(np.float32, copy=False), scale=HALF, bias=HALF, threads=self._threads
        )
        return Painted(Painting(generated, self._masked(), scene.matrix), scene.vertices)

    def carry(self, look: Look, posed: Posed, last: Painted) -> Painted:
        """The last painting, moved on by the flow between the two shapes."""
        scene, painting = self._scene, last.painting
        scene.place(look, posed)
        flow = scene.rasterise(np.ascontiguousarray(last.vertices[:, :2]))
        generated = ops.flow_warp(painting.generated, flow, threads=self._threads)
        mask = ops.flow_warp(painting.mask[..., None], flow, threads=self._threads)[..., 0]
        return Painted(Painting(generated, mask, scene.matrix), scene.vertices)

    def close(self) -> None:
        """Give the session back."""
        self.session.close()

    def _run_once(self, subject: Subject) -> dict[str, Floats]:
        session = self._open(APPEARANCE)
        try:
            for spec in self.bundle.graph(APPEARANCE).inputs:
                ONCE[spec.role](subject, session.inputs[spec.name][0], self._threads)
            session.run()
            return {name: array.astype(np.float32) for name, array in session.outputs.items()}
        finally:
            session.close()

    def _masked(self) -> Floats:
        """(h, w): the mask that is shown; of a model that gives none, all is paint."""
        if self._mask is None:
            return np.zeros(self._scene.view.shape, np.float32)
        mask: Floats = np.minimum(self._mask[0, 0].astype(np.float32) * np.float32(1 / ALL), np.float32(1))
        return mask


class Paint:
    """The room's stage: callable (posed portraits, level) -> the painting of each, None where nothing is painted."""

    def __init__(self, portraits: tuple[Portrait, ...], painter: Painter) -> None:
        """Runs the model's graph that is run once per portrait; `painter` is its owner's to close."""
        self._painter = painter
        self._looks = {portrait.digest: painter.look(portrait) for portrait in portraits}
        self._last: dict[str, Painted] = {}
        self._shot = 0

    def __call__(self, posed: tuple[Posed, ...], level: PaintLevel = "full") -> tuple[Painting | None, ...]:
        """What cannot be carried on, since nothing was painted of it in this shot yet, is painted."""
        if posed[0].shot != self._shot:
            self._shot = posed[0].shot
            self._last.clear()
        return tuple(self._painting(one, level) for one in posed)

    def _painting(self, posed: Posed, level: PaintLevel) -> Painting | None:
        key = posed.portrait.digest
        last = self._last.pop(key, None)
        if level == "off":
            return None
        if level == "carry" and last is not None:
            painted = self._painter.carry(self._looks[key], posed, last)
        else:
            painted = self._painter.paint(self._looks[key], posed)
        self._last[key] = painted
        return painted.painting
