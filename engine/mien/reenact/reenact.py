"""The room's stage: motion in, syntheses out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from mien.face.face import MouthHint
from mien.face.motion import Motion, identity_motion
from mien.paint.painter import Look, Painted, Painter, Placed
from mien.portrait.portrait import Portrait
from mien.reenact.bank import BankState, choose, pose_distances, weights
from mien.reenact.flow import Flow, window_of
from mien.reenact.mesh import Mesh, mesh_of
from mien.reenact.target import target_of, turned
from mien.synthesis import Painting, Synthesis, Window

Paint = Literal["full", "carry", "off"]


@dataclass(slots=True, eq=False)
class _Puppet:
    """A portrait with what moves it, and what was last painted of it."""

    portrait: Portrait
    mesh: Mesh
    window: Window
    flow: Flow
    look: Look | None = None
    last: Painted | None = None


class Reenact:
    """Callable (Motion | None, seconds) -> syntheses whose weights sum to 1; None shows the portrait at rest.

    Pictures of one person must be of one size and aligned (see `mien.prepare`); the first one's pose is the neutral of
    all.
    """

    def __init__(self, portraits: tuple[Portrait, ...], threads: int = 1, painter: Painter | None = None) -> None:
        """Without a `painter` nothing is painted."""
        if not portraits:
            raise ValueError("expected at least one portrait, got none")
        self._painter = painter
        self._puppets = [_puppet(portrait, threads, painter) for portrait in portraits]
        self._portraits = portraits
        self._state = BankState()
        self._shot = 0

    def __call__(self, motion: Motion | None, seconds: float, paint: Paint = "full") -> tuple[Synthesis, ...]:
        """`paint`: by the generator, or its last painting carried on to this shape, or not at all."""
        motion = identity_motion() if motion is None else motion
        cut, self._shot = motion.shot != self._shot, motion.shot
        base = self._portraits[0].pose
        if len(self._puppets) > 1:
            distances = pose_distances(self._portraits, turned(base, motion))
            state = BankState(int(np.argmin(distances))) if cut else self._state
            self._state = choose(state, distances, seconds)
        if cut:
            for puppet in self._puppets:
                puppet.last = None
        return tuple(
            self._synthesis(self._puppets[i], motion, weight, paint) for i, weight in weights(self._state, seconds)
        )

    def _synthesis(self, puppet: _Puppet, motion: Motion, weight: float, paint: Paint) -> Synthesis:
        target = target_of(puppet.portrait, motion, self._portraits[0].pose)
        vertices = puppet.mesh.place(puppet.portrait, target)
        source = puppet.mesh.looked_up(target)
        corner = puppet.window.corner.astype(np.float32)
        painting = self._paint(puppet, Placed(target, vertices, source), motion.hint, paint)
        vertices = vertices - np.array([*corner, 0], dtype=np.float32)
        return Synthesis(
            portrait=puppet.portrait,
            window=puppet.window,
            landmarks=target.landmarks,
            vertices=vertices,
            triangles=puppet.mesh.triangles,
            flow=puppet.flow(vertices, source - corner),
            weight=weight,
            hint=motion.hint,
            painting=painting,
            shot=motion.shot,
        )

    def _paint(self, puppet: _Puppet, placed: Placed, hint: MouthHint | None, paint: Paint) -> Painting | None:
        if self._painter is None or puppet.look is None or paint == "off":
            puppet.last = None
            return None
        if paint == "carry" and puppet.last is not None:
            puppet.last = self._painter.carry(puppet.look, placed, puppet.last)
        else:
            puppet.last = self._painter.paint(puppet.look, placed, hint)
        return puppet.last.painting


def _puppet(portrait: Portrait, threads: int, painter: Painter | None) -> _Puppet:
    mesh = mesh_of(portrait)
    window = window_of(portrait, mesh)
    look = painter.look(portrait, mesh) if painter is not None else None
    return _Puppet(portrait, mesh, window, Flow(window, mesh, threads), look)
