"""68 points explained by pose, identity and expression: the most likely ones under a linear model of faces.

Gauss-Newton on scaled orthographic projection, with Gaussian priors on the shapes' strengths (ridge) and expressions
kept between 0 and a little above full strength by an active set. `basis68.npz` is derived from the light ICT face model
(`python -m mien_bench.quality.derive`); its licence stands in `basis68.txt` beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.face.pose import Angles, angles_of

Array = NDArray[np.float64]
CONTOUR: Final = slice(0, 17)
NOISE, CONTOUR_NOISE = 0.015, 0.045
"""Standard deviation of a point in distances of the outer eye corners; along the contour points slide."""
STRENGTH = 0.4
"""Standard deviation of an expression's strength."""
STRONGEST = 1.3
ROUNDS, BOUND_ROUNDS = 12, 6
POSE = 6
"""Numbers of a pose: turn (3), logarithm of the scale, translation (2)."""


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """Constant data; the arrays are read-only. x to the picture's right, y down, z away from the viewer; the unit is
    the distance of the outer eye corners."""

    neutral: Array
    """(68, 3)."""
    identity: Array
    """(50, 68, 3): offsets for one standard deviation of each."""
    expression: Array
    """(E, 68, 3): offsets for the full strength of each."""
    names: tuple[str, ...]
    """(E,): of the expressions, ARKit's with `_L` and `_R` for the face's own left and right."""


@lru_cache(maxsize=1)
def basis68() -> Basis:
    """The packaged basis."""
    with resources.files("mien_bench.quality").joinpath("basis68.npz").open("rb") as file, np.load(file) as data:
        neutral, identity, expression = (
            data[name].astype(np.float64) for name in ("neutral", "identity", "expression")
        )
        names = tuple(str(name) for name in data["names"])
    for array in (neutral, identity, expression):
        array.flags.writeable = False
    return Basis(neutral, identity, expression, names)


@dataclass(frozen=True, slots=True, eq=False)
class ShapeFit:
    """What explains the points."""

    rotation: Array
    """(3, 3): from the un-posed face to the picture."""
    scale: float
    """Pixels per distance of the outer eye corners."""
    identity: Array
    """(50,), in standard deviations."""
    expression: Array
    """(E,): strengths in 0..`STRONGEST`."""
    error: float
    """Root mean square of what is left at the points inside of the contour, in distances of the outer eye corners."""

    @property
    def angles(self) -> Angles:
        """The head's, in degrees."""
        return angles_of(self.rotation)

    @property
    def own_shape(self) -> Array:
        """(68, 3): the person's face without pose and expression."""
        basis = basis68()
        return basis.neutral + np.tensordot(self.identity, basis.identity, 1)


def fit_shape(points: Array, identity: Array | None = None) -> ShapeFit:
    """Explain points (68, 2) in pixels.

    Args:
        identity: (50,) where the person is known; otherwise it is found along.
    """
    basis = basis68()
    sigma = np.full((68, 1), NOISE)
    sigma[CONTOUR] = CONTOUR_NOISE
    known = basis.neutral if identity is None else basis.neutral + np.tensordot(identity, basis.identity, 1)
    free = 0 if identity is not None else len(basis.identity)
    shapes = np.concatenate([basis.identity[:free], basis.expression])
    rotation, scale, middle = _first_pose(points, basis.neutral)
    strengths = np.zeros(len(shapes))
    precision = np.concatenate([np.zeros(POSE), np.ones(free), np.full(len(basis.expression), STRENGTH**-2)])
    for _ in range(ROUNDS):
        turned = (known + np.tensordot(strengths, shapes, 1)) @ rotation.T
        rest = (points - middle - scale * turned[:, :2]) / (scale * sigma)
        columns = _columns(turned, shapes @ rotation.T, scale) / (scale * sigma)
        step = _bounded_step(columns.reshape(len(columns), -1).T, rest.ravel(), precision, strengths, free)
        rotation = _turn(step[:3]) @ rotation
        scale *= float(np.exp(np.clip(step[3], -0.2, 0.2)))
        middle = middle + step[4:POSE]
        strengths = strengths + step[POSE:]
    left = points - middle - scale * ((known + np.tensordot(strengths, shapes, 1)) @ rotation.T)[:, :2]
    error = float(np.sqrt((left[CONTOUR.stop :] ** 2).sum(axis=1).mean()) / scale)
    found = strengths[:free] if identity is None else identity
    return ShapeFit(rotation, scale, found, np.clip(strengths[free:], 0.0, STRONGEST), error)


def _first_pose(points: Array, neutral: Array) -> tuple[Array, float, Array]:
    """Rotation, scale and translation of scaled orthography by least squares, made orthonormal."""
    source, goal = neutral - neutral.mean(axis=0), points - points.mean(axis=0)
    rows, *_ = np.linalg.lstsq(source, goal, rcond=None)
    u, singular, vt = np.linalg.svd(rows.T, full_matrices=False)
    first, second = u @ vt
    rotation, scale = np.stack([first, second, np.cross(first, second)]), float(singular.mean())
    return rotation, scale, points.mean(axis=0) - scale * (neutral.mean(axis=0) @ rotation.T)[:2]


def _columns(turned: Array, shapes: Array, scale: float) -> Array:
    """(6 + S, 68, 2): how the projected points, in pixels, change with pose and strengths."""
    out = np.zeros((POSE + len(shapes), len(turned), 2))
    x, y, z = turned.T
    out[0, :, 1], out[1, :, 0], out[2] = -z, z, np.stack([-y, x], axis=1)
    out[3] = turned[:, :2]
    out[:4] *= scale
    out[4, :, 0], out[5, :, 1] = 1.0, 1.0
    out[POSE:] = scale * shapes[:, :, :2]
    return out


def _bounded_step(columns: Array, rest: Array, precision: Array, strengths: Array, free: int) -> Array:
    """The ridge step from `strengths`, with those of expressions that would leave their bounds held at them."""
    normal = columns.T @ columns + np.diag(precision + 1e-9)
    at = np.concatenate([np.zeros(POSE), strengths])
    wanted = columns.T @ rest - precision * at
    bounded = np.arange(len(at)) >= POSE + free
    held, step = np.zeros(len(at), dtype=bool), np.zeros(len(at))
    for _ in range(BOUND_ROUNDS):
        loose = ~held
        pull = wanted[loose] - normal[np.ix_(loose, held)] @ step[held]
        step[loose] = np.linalg.solve(normal[np.ix_(loose, loose)], pull)
        outside = bounded & loose & ((at + step < 0) | (at + step > STRONGEST))
        if not outside.any():
            break
        step[outside] = np.clip(at + step, 0.0, STRONGEST)[outside] - at[outside]
        held |= outside
    return np.where(bounded, np.clip(at + step, 0.0, STRONGEST) - at, step)


def _turn(way: Array) -> Array:
    """(3, 3): the rotation by a vector of radians (Rodrigues)."""
    angle = float(np.linalg.norm(way))
    x, y, z = way / max(angle, 1e-12)
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.asarray(np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross)
