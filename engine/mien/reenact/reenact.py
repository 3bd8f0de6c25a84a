"""Stage `reenact`: from motion to the posed portrait; of several pictures the nearest in pose.

A switch between two pictures is a short cross-fade.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.face.face import MouthHint
from mien.face.motion import Motion, identity_motion
from mien.face.pose import angles_of
from mien.portrait.portrait import Portrait
from mien.posed import Posed
from mien.reenact.body import Body
from mien.reenact.flow import Flow, window_of
from mien.reenact.head import HeadFlow, eased
from mien.reenact.mesh import mesh_of
from mien.reenact.swing import Swing
from mien.reenact.target import Target, target_of, turned

Array = NDArray[np.float64]

MARGIN = 5.0
"""Hysteresis: degrees by which another picture must be nearer in pose before it is shown."""
FADE = 0.25
"""Duration of a cross-fade in seconds; no other switch begins during it."""


class Puppet:
    """A portrait with its mesh and flow buffers, and its hair's swing."""

    def __init__(self, portrait: Portrait, threads: int = 1) -> None:
        """`threads` is for rasterisation."""
        self.portrait = portrait
        self.mesh = mesh_of(portrait)
        self._window = window_of(portrait, self.mesh)
        self._flow: Flow | None = None
        self._layered: tuple[HeadFlow, Body] | None = None
        self._swing: Swing | None = None
        if portrait.layers is None or self.mesh.shown is None:
            self._flow = Flow(self._window, self.mesh, threads)
        else:
            layers = portrait.layers
            self._layered = (
                HeadFlow(portrait, layers.head, self.mesh.shown, threads),
                Body(portrait, layers.body, threads),
            )
            self._swing = Swing.of(portrait, layers, self.mesh.rings, self.mesh.follow)

    def goes_on_from(self, other: Puppet) -> None:
        """Let hair swing on as that of another portrait did."""
        if self._swing is not None and other._swing is not None:
            self._swing.goes_on_from(other._swing)

    def stop(self) -> None:
        """Let nothing swing in the next frame, as after a cut."""
        if self._swing is not None:
            self._swing.stop()

    def pose(
        self,
        target: Target,
        weight: float = 1.0,
        hint: MouthHint | None = None,
        shot: int = 0,
        seconds: float | None = None,
    ) -> Posed:
        """The portrait posed at a target shape; buffers are reused by the next call.

        `seconds`: the frame's time, by which hair swings; None: it does not.
        """
        if self.portrait.layers is not None:
            target = eased(target, self.portrait, self.portrait.layers)
        texture, body = self.mesh.texture(target), None
        if self._layered is not None:
            head, torso = self._layered
            sway = torso.sway(target)
            swung = None if self._swing is None or seconds is None else self._swing(target.pose, seconds)
            vertices = self.mesh.place(self.portrait, target, sway, swung)
            window, flow = head(vertices, texture)
            body = None if sway is None else torso.flow(sway)
        else:
            assert self._flow is not None
            window, vertices = self._window, self.mesh.place(self.portrait, target)
            corner = window.corner.astype(np.float32)
            flow = self._flow(vertices - np.array([*corner, 0], dtype=np.float32), texture - corner)
        return Posed(
            portrait=self.portrait,
            window=window,
            pose=target.pose,
            landmarks=target.landmarks,
            vertices=vertices,
            in_window=vertices - np.array([window.x, window.y, 0], dtype=np.float32),
            texture=texture,
            triangles=self.mesh.triangles,
            flow=flow,
            weight=weight,
            hint=hint,
            shot=shot,
            shown=self.mesh.shown,
            body=body,
        )


class Reenact:
    """Callable (Motion | None, seconds) -> posed portraits whose weights sum to 1; None shows the portrait at rest.

    Pictures of one person must be of one size and aligned (see `mien.prepare`); the first one's pose is the neutral of
    all.
    """

    def __init__(self, portraits: tuple[Portrait, ...], threads: int = 1, relax: float = 0.0) -> None:
        """`relax`: see `mien.reenact.target.target_of`; it may be set between two frames."""
        if not portraits:
            raise ValueError("expected at least one portrait, got none")
        self._puppets = [Puppet(portrait, threads) for portrait in portraits]
        self._portraits = portraits
        self.relax = relax
        self._state = BankState()
        self._shot = 0

    def goes_on_from(self, other: Reenact) -> None:
        """Take the place of another one, of as many portraits, without a jump: in its shot, with its hair's swing."""
        self._shot, self._state = other._shot, other._state
        for own, before in zip(self._puppets, other._puppets, strict=True):
            own.goes_on_from(before)

    def __call__(self, motion: Motion | None, seconds: float) -> tuple[Posed, ...]:
        begins = motion is None
        motion = identity_motion() if motion is None else motion
        cut, self._shot = motion.shot != self._shot, motion.shot
        if cut or begins:
            for puppet in self._puppets:
                puppet.stop()
        if len(self._puppets) > 1:
            distances = pose_distances(self._portraits, turned(self._portraits[0].pose, motion))
            state = BankState(int(np.argmin(distances))) if cut else self._state
            self._state = choose(state, distances, seconds)
        shown = weights(self._state, seconds)
        return tuple(self._posed(self._puppets[i], motion, weight, None if begins else seconds) for i, weight in shown)

    def _posed(self, puppet: Puppet, motion: Motion, weight: float, seconds: float | None) -> Posed:
        target = target_of(puppet.portrait, motion, self._portraits[0].pose, self.relax)
        return puppet.pose(target, weight, motion.hint, motion.shot, seconds)


@dataclass(frozen=True, slots=True)
class BankState:
    """Which picture is shown, which one it replaces, and since when."""

    current: int = 0
    before: int | None = None
    since: float = 0.0


def choose(state: BankState, distances: Array, seconds: float) -> BankState:
    """The state at `seconds` for distances (k,) of the pictures to the wanted pose, in degrees."""
    if state.before is not None and 0 <= seconds - state.since < FADE:
        return state
    nearest = int(np.argmin(distances))
    if distances[nearest] < distances[state.current] - MARGIN:
        return BankState(nearest, state.current, seconds)
    return BankState(state.current)


def weights(state: BankState, seconds: float) -> tuple[tuple[int, float], ...]:
    """(picture, weight) of the pictures shown at `seconds`; weights sum to 1."""
    if state.before is None:
        return ((state.current, 1.0),)
    share = min(max((seconds - state.since) / FADE, 0.0), 1.0)
    if share >= 1.0:
        return ((state.current, 1.0),)
    return ((state.before, 1.0 - share), (state.current, share))


def pose_distances(portraits: tuple[Portrait, ...], rotation: Array) -> Array:
    """(k,): angle in degrees between the wanted head rotation (3, 3) and each picture's own."""
    turns = [angles_of(portrait.pose.rotation.T @ rotation) for portrait in portraits]
    return np.array([np.hypot(turn.yaw, turn.pitch) for turn in turns])
