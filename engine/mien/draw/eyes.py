"""Drawing of eyes under moving lids: the eyeball keeps its position and size between the corners of the eye.

The skin mesh would compress iris and sclera as the lids close. So each eye is drawn again inside the target's lids:
anchored at the corners, the iris moved by gaze, stretched only where the lids open wider than in the portrait.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.draw.outlines import outline_mask
from mien.face import topology
from mien.plane import Box
from mien_kernels import ops
from mien_kernels.eye import EyeGeometry

Array = NDArray[np.float64]

IRIS_HOLD, IRIS_FADE = 1.25, 2.6
"""Radii around the iris' centre, in iris radii: inside the first one all moves with it, outside the second one
nothing."""
LASH_FROM = 0.3
"""Opening, relative to the portrait's, below which the lash line fades in."""
RINGS = np.array(topology.EYES)
"""(2, 16): outlines of the left and the right eye."""
LIDS = np.array([[*range(9)], [*range(8, 16), 0]])
"""Upper and lower lid, corners included, of an eye's outline."""
LASH_OVER, LASH_UNDER, LASH_COVER = 0.05, 0.02, 0.85
"""How far the lash line reaches over and under the lids, in eye widths, and its opacity."""
RIM = 0.02
"""What gets hidden along the portrait's lids as lids move by as much, in eye widths: there the picture shows lashes,
not the eye. Lids that do not move hide nothing: at rest the eye is the picture's."""


@dataclass(frozen=True, slots=True, eq=False)
class EyeFrame:
    """Coordinates of one eye: origin between the corners, x along them, the unit is their distance."""

    middle: Array
    axes: Array
    """(2, 2): rows are the eye's x and y in pixels."""

    def local(self, points: Array) -> Array:
        """Pixels (..., 2) in the eye's coordinates."""
        return np.asarray((points - self.middle) @ self.axes.T / (self.axes[0] @ self.axes[0]))

    def pixels(self, points: Array) -> Array:
        """The inverse of `local`."""
        return np.asarray(points @ self.axes + self.middle)

    @property
    def back(self) -> NDArray[np.float32]:
        """(2, 3): what `pixels` does, as a matrix."""
        return _matrix(self.axes.T, self.middle)

    @property
    def into(self) -> NDArray[np.float32]:
        """(2, 3): what `local` does, as a matrix."""
        axes = self.axes / (self.axes[0] @ self.axes[0])
        return _matrix(axes, -axes @ self.middle)


def _matrix(linear: Array, offset: Array) -> NDArray[np.float32]:
    """(2, 3), C-contiguous."""
    out = np.empty((2, 3), np.float32)
    out[:, :2], out[:, 2] = linear, offset
    return out


def eye_frame(ring: Array) -> EyeFrame:
    """The frame of an eye with outline (16, 2), from the outer corner over the upper lid to the inner and back."""
    a, b = ring[0], ring[8]
    along = (b - a) if a[0] < b[0] else (a - b)
    return EyeFrame((a + b) / 2, np.array([along, [-along[1], along[0]]]))


class Eyes:
    """The eyes of one picture, to be drawn into others: callable (target, out)."""

    def __init__(self, picture: NDArray[np.uint8], source: Array) -> None:
        """`picture` (H, W, 3 or 4) is kept and not written to; `source` are landmarks (478, 2 or 3) in its pixels."""
        self._picture = picture
        self._eyes = [
            _Eye.of(source[list(eye), :2], source[list(iris), :2])
            for eye, iris in zip(topology.EYES, topology.IRISES, strict=True)
        ]
        self.lashes = lash_colours(picture, source)
        """(2, 3)."""

    def __call__(self, target: Array, out: NDArray[np.uint8]) -> None:
        """Draw both into `out` (H, W, 3), where `target` are landmarks (478, 2 or 3) in its pixels."""
        rings = target[RINGS, :2]
        places = zip(self._eyes, rings, topology.IRISES, self.lashes, strict=True)
        for own, ring, iris, colour in places:
            frame = eye_frame(ring)
            local = frame.local(ring)
            _draw(self._picture, own, _TargetEye(ring, frame, local), target[iris[0], :2], out)
            draw_lash_line(ring, colour, 1 - _gap(local) / max(LASH_FROM * own.opening, 1e-6), out)


def lash_colours(picture: NDArray[np.uint8], source: Array) -> Array:
    """(2, 3): of the left and right upper lashes: the darker half of what lies along the lids of `source` (478, 2)."""
    rows = []
    for eye in topology.EYES:
        ring = source[list(eye), :2]
        frame = eye_frame(ring)
        lid = np.concatenate([ring[2:7] - share * frame.axes[1] for share in (0.0, 0.02, 0.04)])
        x, y = np.rint(lid).astype(np.int64).T
        inside = (x >= 0) & (y >= 0) & (x < picture.shape[1]) & (y < picture.shape[0])
        found = picture[y[inside], x[inside], :3].astype(np.float64)
        order = np.argsort(found.sum(axis=1))
        rows.append(found[order[: max(len(order) // 2, 1)]].mean(axis=0) if len(order) else np.zeros(3))
    return np.array(rows)


def draw_lash_line(ring: Array, colour: Array, strength: float, out: NDArray[np.uint8]) -> None:
    """Draw the line where shut lids meet, of `strength` up to 1, between lids `ring` (16, 2) that nearly touch."""
    upper, lower = ring[:9], np.concatenate([ring[8:], ring[:1]])
    _draw_line(upper, lower, (LASH_OVER, LASH_UNDER), colour, strength, out)


def draw_upper_lashes(ring: Array, colour: Array, strength: float, out: NDArray[np.uint8], width: float) -> None:
    """Draw lashes of a `width` in eye widths, of `strength` up to 1, along the upper lid of an outline (16, 2)."""
    _draw_line(ring[:9], ring[8::-1], (width, LASH_UNDER), colour, strength, out)


def _draw_line(
    upper: Array,
    lower: Array,
    beyond: tuple[float, float],
    colour: Array,
    strength: float,
    out: NDArray[np.uint8],
) -> None:
    """Fill what is between two lids (9, 2), the second one backwards, and in the middle so many eye widths beyond."""
    axis = eye_frame(np.concatenate([upper, upper[7:0:-1]])).axes[1]
    reach = 3 + int(max(beyond) * np.linalg.norm(axis))
    box = Box.around(np.concatenate([upper, lower]), reach, out.shape[1], out.shape[0]) if strength > 0 else None
    if box is None:
        return
    taper = np.sin(np.linspace(0, np.pi, 9))[:, None]
    over, under = upper - beyond[0] * taper * axis, lower + beyond[1] * taper * axis
    outline = np.concatenate([over, under[1:-1]]) - box.corner
    mask = outline_mask(outline, box.shape) * np.float32(min(strength, 1.0) * LASH_COVER)
    below = out[box.area].astype(np.float32)
    out[box.area] = (below + (colour.astype(np.float32) - below) * mask[..., None] + np.float32(0.5)).astype(np.uint8)


def opening(ring: Array) -> float:
    """Mean gap between the lids of an outline (16, 2), in eye widths."""
    return _gap(eye_frame(ring).local(ring))


def _gap(local: Array) -> float:
    return float((local[15:8:-1, 1] - local[1:8, 1]).mean())


@dataclass(frozen=True, slots=True, eq=False)
class _Eye:
    """An eye of the picture, in its own coordinates."""

    back: NDArray[np.float32]
    """(2, 3): to pixels."""
    look: Array
    """(2,): the middle of its iris."""
    radius: float
    """Of its iris."""
    lids: NDArray[np.float32]
    """(2, 9, 2): upper and lower."""
    opening: float

    @classmethod
    def of(cls, ring: Array, iris: Array) -> _Eye:
        frame = eye_frame(ring)
        look = frame.local(iris)
        radius = max(float(np.linalg.norm(look[1:] - look[0], axis=1).mean()), 1e-3)
        local = frame.local(ring)
        return cls(frame.back, look[0], radius, local[LIDS].astype(np.float32), _gap(local))


@dataclass(frozen=True, slots=True, eq=False)
class _TargetEye:
    """Target position of an eye."""

    ring: Array
    frame: EyeFrame
    local: Array
    """(16, 2): the ring in the frame."""


def _draw(picture: NDArray[np.uint8], own: _Eye, to: _TargetEye, iris: Array, out: NDArray[np.uint8]) -> None:
    box = Box.around(to.ring, 2, out.shape[1], out.shape[0])
    if box is None:
        return
    corner = (box.x, box.y)
    mask = outline_mask(to.ring - np.array(corner), box.shape)
    ops.draw_eye(
        out,
        picture,
        mask,
        EyeGeometry(
            corner,
            to.frame.into,
            own.back,
            np.array([to.frame.local(iris), own.look], dtype=np.float32),
            np.concatenate([own.lids, to.local[LIDS].astype(np.float32)]),
            own.radius,
            IRIS_HOLD,
            IRIS_FADE,
            RIM,
        ),
    )
