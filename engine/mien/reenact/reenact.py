"""The room's stage: motion in, syntheses out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mien.face.motion import Motion, identity_motion
from mien.portrait import Portrait
from mien.reenact.bank import BankState, choose, pose_distances, weights
from mien.reenact.flow import Flow, window_of
from mien.reenact.mesh import Mesh, mesh_of
from mien.reenact.target import target_of, turned
from mien.synthesis import Synthesis, Window


@dataclass(frozen=True, slots=True, eq=False)
class _Puppet:
    """A portrait with what moves it."""

    portrait: Portrait
    mesh: Mesh
    window: Window
    flow: Flow


class Reenact:
    """Callable (Motion | None, seconds) -> syntheses whose weights sum to 1; None shows the portrait at rest.

    Pictures of one person must be of one size and aligned (see `mien.prepare`); the first one's pose is the neutral of
    all.
    """

    def __init__(self, portraits: tuple[Portrait, ...], threads: int = 1) -> None:
        if not portraits:
            raise ValueError("expected at least one portrait, got none")
        self._puppets = [_puppet(portrait, threads) for portrait in portraits]
        self._portraits = portraits
        self._state = BankState()

    def __call__(self, motion: Motion | None, seconds: float) -> tuple[Synthesis, ...]:
        motion = identity_motion() if motion is None else motion
        base = self._portraits[0].pose
        if len(self._puppets) > 1:
            distances = pose_distances(self._portraits, turned(base, motion))
            self._state = choose(self._state, distances, seconds)
        return tuple(
            _synthesis(self._puppets[i], self._portraits[0], motion, weight)
            for i, weight in weights(self._state, seconds)
        )


def _puppet(portrait: Portrait, threads: int) -> _Puppet:
    mesh = mesh_of(portrait)
    window = window_of(portrait, mesh)
    return _Puppet(portrait, mesh, window, Flow(window, mesh, threads))


def _synthesis(puppet: _Puppet, first: Portrait, motion: Motion, weight: float) -> Synthesis:
    target = target_of(puppet.portrait, motion, first.pose)
    vertices = puppet.mesh.place(puppet.portrait, target)
    corner = puppet.window.corner.astype(np.float32)
    vertices[:, :2] -= corner
    return Synthesis(
        portrait=puppet.portrait,
        window=puppet.window,
        landmarks=target.landmarks,
        vertices=vertices,
        triangles=puppet.mesh.triangles,
        flow=puppet.flow(vertices, puppet.mesh.looked_up(target) - corner),
        weight=weight,
        hint=motion.hint,
    )
