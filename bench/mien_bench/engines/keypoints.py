"""The arithmetic between LivePortrait's networks, from its paper's equations: implicit keypoints, posed and moved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

BINS: Final = 66
"""An angle is an expectation over so many bins of 3 degrees, from -97.5."""


@dataclass(frozen=True, slots=True)
class Motion:
    """What the motion extractor sees in one picture."""

    points: Array
    """(K, 3): canonical keypoints."""
    rotation: Array
    """(3, 3), applied from the right."""
    expression: Array
    """(K, 3)."""
    scale: Array
    """(1,)."""
    shift: Array
    """(3,); depth is not used."""

    @staticmethod
    def of(found: Mapping[str, Array]) -> Motion:
        """From the extractor's outputs of one picture: kp, pitch, yaw, roll, t, exp, scale."""
        angles = [degrees(found[name]) for name in ("pitch", "yaw", "roll")]
        points, expression = (found[name].reshape(-1, 3) for name in ("kp", "exp"))
        return Motion(points, rotation_of(*angles), expression, found["scale"].ravel(), found["t"].ravel())


def degrees(bins: Array) -> float:
    """The angle that (66,) unnormalised log probabilities of bins expect."""
    shares = np.exp(bins.ravel() - bins.max())
    return float((shares / shares.sum() * np.arange(BINS)).sum() * 3 - 97.5)


def rotation_of(pitch: float, yaw: float, roll: float) -> Array:
    """(3, 3) for angles in degrees, to be applied from the right: the transpose of roll * yaw * pitch."""
    (cx, cy, cz), (sx, sy, sz) = (part(np.radians([pitch, yaw, roll])) for part in (np.cos, np.sin))
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return np.asarray((about_z @ about_y @ about_x).T)


def placed(motion: Motion) -> Array:
    """(K, 3): x = s (x_c R + d) + t."""
    return _at(motion.points @ motion.rotation + motion.expression, motion.scale, motion.shift)


def moved(own: Motion, now: Motion, first: Motion) -> Array:
    """(K, 3): the portrait's keypoints with the driver's motion since its first frame."""
    rotation = now.rotation @ first.rotation.T @ own.rotation
    expression: Array = own.expression + now.expression - first.expression
    scale = own.scale * (now.scale / first.scale)
    return _at(own.points @ rotation + expression, scale, own.shift + now.shift - first.shift)


def _at(points: Array, scale: Array, shift: Array) -> Array:
    return np.asarray(points * scale + shift * np.array([1, 1, 0]), np.float32)
