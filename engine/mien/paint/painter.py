"""Stage `paint`: runs a model's graphs once per portrait and per frame, on inputs filled by the table of roles.

Buffers are reused from frame to frame.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.errors import ModelError
from mien.manifest import Bundle, TensorSpec, family_named
from mien.paint.fillers import (
    FeatureInput,
    FrameFiller,
    GraphOutputInput,
    InputPort,
    frame_filler,
    once_filler,
)
from mien.paint.running import OutputNames, run_of
from mien.paint.scene import Appearance, Scene, Subject
from mien.portrait.portrait import Portrait
from mien.posed import Painting, PaintLevel, Posed
from mien.runtime.session import GraphSession
from mien_kernels import ops

Floats = NDArray[np.float32]

MASK_SATURATION: Final = 0.5
"""Mask value above which a pixel is the warp only: a small share of paint would blur what was sharp.
On unseen portraits 0.8, 0.6 and 0.45 each brought eyes nearer to the truth than the value before."""
OpenSession = Callable[[str], GraphSession]
"""Opens the graph of this name."""


@dataclass(frozen=True, slots=True, eq=False)
class Painted:
    """A painting with its mesh vertices, so that it can be warped to the next frame."""

    painting: Painting
    vertices: Floats
    """(V, 3) in pixels of the painting."""


class Painter:
    """Runs one model's graphs for one portrait after another. For one thread at a time."""

    def __init__(
        self, bundle: Bundle, open_session: OpenSession, threads: int = 1, notes: tuple[str, ...] = ()
    ) -> None:
        """`notes` say what could not take part when the sessions' runtime was chosen.

        Raises:
            ModelError: the model paints nothing for a frame, or nobody fills an input of its.
        """
        self.bundle, self.family = bundle, family_named(bundle.family)
        self._open = open_session
        self._threads = threads
        outputs = {spec.role: spec.name for spec in bundle.graph(bundle.main).outputs}
        if not bundle.names("frame") or "generated" not in outputs:
            raise ModelError(f"model {bundle.name}: expected a graph of a frame that gives `generated`, got none")
        self._sessions = {name: open_session(name) for name in bundle.names("frame")}
        self.session = self._sessions[bundle.main]
        names = OutputNames(outputs["generated"], outputs.get("mask"))
        self._run, fault = run_of(bundle, self._sessions, names, threads)
        self.notes = notes if fault is None else (*notes, fault)
        workspace = self._run.workspace
        self._scene = Scene(bundle.side, bundle.seen, threads, workspace)
        self._carried = self._scene if workspace.device.is_host else Scene(bundle.side, bundle.seen, threads)
        """On the host, as paintings are."""
        self._steps = [self._step(name) for name in self._sessions]

    def appearance(self, portrait: Portrait) -> Appearance:
        """What is kept of a portrait. Runs the graphs that are run once per portrait, if the model has any."""
        subject = Subject.of(portrait, self.bundle.side)
        found: dict[str, dict[str, Floats]] = {}
        for name in self.bundle.names("once"):
            found[name] = self._run_once(name, subject, found)
        features, fixed = {}, {}
        for name in self.bundle.names("frame"):
            for spec, source in self._linked(name):
                if source in found and spec.warped:
                    features[spec.name] = np.ascontiguousarray(found[source][spec.name][0].transpose(1, 2, 0))
                elif source in found:
                    fixed[spec.name] = found[source][spec.name]
        return Appearance.of(subject, features, fixed)

    def paint(self, appearance: Appearance, posed: Posed) -> Painted:
        """Run the frame's graph; the painting is in new arrays."""
        scene = self._scene
        with scene.workspace.device.current():
            scene.place(appearance, posed)
            scene.rasterise_portrait()
            for session, fillers in self._steps:
                for fill in fillers:
                    fill(scene)
                self._run.run(session)
            generated, mask = self._run.painted()
        return Painted(Painting(generated, self._masked(mask), scene.matrix), scene.vertices)

    def carry(self, appearance: Appearance, posed: Posed, last: Painted) -> Painted:
        """The last painting, warped by the flow between the two shapes."""
        scene, painting = self._carried, last.painting
        scene.place(appearance, posed)
        flow = scene.rasterise(np.ascontiguousarray(last.vertices[:, :2]))
        generated = ops.flow_warp(painting.generated, flow, threads=self._threads)
        mask = ops.flow_warp(painting.mask[..., None], flow, threads=self._threads)[..., 0]
        return Painted(Painting(generated, mask, scene.matrix), scene.vertices)

    def close(self) -> None:
        """Give the sessions back."""
        for session in self._sessions.values():
            session.close()

    def _step(self, name: str) -> tuple[GraphSession, list[FrameFiller]]:
        """A graph of a frame, and what fills its inputs."""
        session, workspace = self._sessions[name], self._run.workspace
        inputs = self._run.inputs(session)
        sources = {spec.name: source for spec, source in self._linked(name)}
        fillers: list[FrameFiller] = []
        for spec in self.bundle.graph(name).inputs:
            dtype = session.inputs[spec.name].dtype
            port = InputPort(spec, inputs[spec.name], dtype, self.bundle.seen, self._threads, workspace)
            source = sources.get(spec.name)
            if source is None:
                fillers.append(frame_filler(port))
            elif source in self._sessions:
                fillers.append(GraphOutputInput(port, self._sessions[source].outputs[spec.name]))
            else:
                fillers.append(FeatureInput(port))
        return session, fillers

    def _linked(self, name: str) -> list[tuple[TensorSpec, str]]:
        """Inputs of a graph that other graphs give, with the graph that gives each."""
        links = [(role, link.source) for link in self.family.links if link.target == name for role in link.roles]
        inputs = self.bundle.graph(name).inputs
        return [(spec, source) for spec in inputs for role, source in links if spec.role == role]

    def _run_once(self, name: str, subject: Subject, found: dict[str, dict[str, Floats]]) -> dict[str, Floats]:
        """What a graph gives for a portrait, after those in `found`."""
        session = self._open(name)
        sources = {spec.name: source for spec, source in self._linked(name)}
        try:
            for spec in self.bundle.graph(name).inputs:
                if spec.name in sources:
                    session.inputs[spec.name][...] = found[sources[spec.name]][spec.name]
                else:
                    once_filler(spec.role)(subject, session.inputs[spec.name][0], self._threads)
            session.run()
            return {name: array.astype(np.float32) for name, array in session.outputs.items()}
        finally:
            session.close()

    def _masked(self, given: Floats | None) -> Floats:
        """(h, w): the fusion mask, for a network's own; all 0 (paint only) for a model without one."""
        if given is None:
            return np.zeros(self._scene.view.shape, np.float32)
        mask: Floats = np.minimum(given * np.float32(1 / MASK_SATURATION), np.float32(1))
        return mask


class Paint:
    """Stage `paint`: callable (posed portraits, level) -> one painting each, or None where nothing is painted."""

    def __init__(self, portraits: tuple[Portrait, ...], painter: Painter) -> None:
        """Runs the model's once-per-portrait graph. The caller closes `painter`."""
        self.painter, self.family = painter, painter.family
        self._looks = {portrait.digest: painter.appearance(portrait) for portrait in portraits}
        self._last: dict[str, Painted] = {}
        self._shot = 0

    @classmethod
    def seen(cls, appearance: Appearance, painter: Painter) -> Paint:
        """Of a portrait whose appearance is known. The caller closes `painter`."""
        paint = cls((), painter)
        paint._looks[appearance.subject.portrait.digest] = appearance
        return paint

    def __call__(self, posed: tuple[Posed, ...], level: PaintLevel = "full") -> tuple[Painting | None, ...]:
        """At level `carry`, a portrait without a painting in this shot is painted."""
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
            painted = self.painter.carry(self._looks[key], posed, last)
        else:
            painted = self.painter.paint(self._looks[key], posed)
        self._last[key] = painted
        return painted.painting
