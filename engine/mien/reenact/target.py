"""Target shape: the portrait's rest shape plus motion, posed.

The rest shape lies between the portrait's own look with its mouth closed (`Portrait.rest`) and that without smile,
squint and raised brows (`Portrait.relaxed`): as far as the user wants, and below the eyes as far as a narrowing mouth
needs, since lips that smile do not purse.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mien.face import topology
from mien.face.contacts import lid_gaps, set_lid_gaps, set_lip_gaps
from mien.face.measures import REGIONS, landmark_sizes, lower_face_height, region_weights
from mien.face.motion import Motion
from mien.face.pose import Angles, Similarity, angles_of, fit_pose, rotation_of
from mien.face.topology import canonical_face
from mien.face.untangle import folded, folded_lips, untangle, untangle_lips
from mien.portrait.portrait import Portrait
from mien.sums import smoothstep

Array = NDArray[np.float64]

LIDS_WIDEST = 1.6
"""Largest opening of the eyes relative to the portrait's: beyond, the picture does not show the eyeball."""
UNFOLD_ROUNDS, UNFOLD_LIPS_ROUNDS = 12, 5
NARROW_FROM, NARROW_TO = 0.1, 0.3
"""Narrowing of the driver's mouth, as a share of its neutral width, from which on a smile yields, and at which it is
gone and the width is as far towards the driver's as it goes."""
TOWARDS_DRIVER = 0.6
"""How far the width of a pursed mouth goes from its share of the portrait's own to the usual mouth's."""
NARROW_REACH = 0.16
"""Distance from the lips, in eye distances, in which skin follows their narrowing."""
INNER_BROWS, INNER_CORNERS = [107, 336, 66, 296, 55, 285], [133, 362]
BROWS_HIGHEST, LEAST_ROOM = 0.37, 0.02
"""Height of the inner brows above the inner corners of the eyes, in eye distances, that raised brows approach: 19 of 20
faces have less than 0.28 at rest, and the light ICT face model raises them by 0.085. Brows that a portrait holds up
already have little room left, but so much."""
TURN_GAIN = 1.25
"""A picture turned by a mesh looks less turned than it is, since shading and contour stay: of turns of photographs two
landmarkers find 0.70 to 0.79 again (docs/bench.md). That much is not taken, since a mesh is stretched by it."""
CALM_TURN, FAR_TURN = 3.0, 20.0
"""Degrees below which this gain fades, so that it does not amplify noise, and beyond which it does, since there one
picture hardly shows the skin."""
CORNERS = (61, 291)
GAZE_EDGE = 0.3
"""Largest distance of the iris from the middle of the eye, in eye widths."""


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """Target landmarks of the portrait."""

    shape: Array
    """(478, 3): un-posed."""
    pose: Similarity
    """From the canonical frame to the portrait's picture."""
    landmarks: Array
    """(478, 3): in pixels of the portrait's picture."""


def target_of(portrait: Portrait, motion: Motion, neutral: Similarity | None = None, relax: float = 0.0) -> Target:
    """The target shape of `portrait` under `motion`, whose neutral pose is the portrait's own or a given one.

    `relax` is the share of the portrait's own smile, squint and raised brows that is taken out at rest.
    """
    if motion.landmarks is not None:
        return _absolute(portrait, motion.landmarks)
    shape = _expressed(portrait, motion, relax)
    own = neutral or portrait.pose
    way = np.array([*motion.translation, 0.0]) * own.scale
    pose = Similarity(turned(own, motion), own.translation + way, own.scale * motion.scale)
    return Target(shape, pose, _unfolded(pose.apply(shape), pose.scale))


def turned(own: Similarity, motion: Motion) -> Array:
    """(3, 3): the head's rotation after the motion's turn, starting from the pose `own`."""
    angles, turn = angles_of(own.rotation), as_shown(motion.turn)
    return rotation_of(Angles(angles.yaw + turn.yaw, angles.pitch + turn.pitch, angles.roll + turn.roll))


def as_shown(turn: Angles) -> Angles:
    """The turn of the mesh that makes a picture look turned by `turn`."""
    away = turn.yaw**2 + turn.pitch**2
    gain = 1 + (TURN_GAIN - 1) * away / (away + CALM_TURN**2) * math.exp(-away / FAR_TURN**2)
    return Angles(gain * turn.yaw, gain * turn.pitch, turn.roll)


def _absolute(portrait: Portrait, fractions: Array) -> Target:
    width, height = portrait.size
    landmarks = fractions * np.array([width, height, width], dtype=np.float64)
    pose = fit_pose(landmarks, portrait.shape)
    return Target(pose.undo(landmarks), pose, _unfolded(landmarks, pose.scale))


def _unfolded(landmarks: Array, scale: float) -> Array:
    """Landmarks (478, 3) untangled, so that a turned-away cheek does not fold over."""
    plane = np.ascontiguousarray(landmarks[:, :2])
    if folded(plane, scale).any():
        landmarks = np.concatenate([untangle(plane, scale, UNFOLD_ROUNDS), landmarks[:, 2:]], axis=1)
    return landmarks


def _expressed(portrait: Portrait, motion: Motion, relax: float) -> Array:
    width = _driver_width(motion)
    pursed = smoothstep(min(max((1 - width - NARROW_FROM) / (NARROW_TO - NARROW_FROM), 0.0), 1.0))
    rest = _at_rest(portrait, relax, pursed)
    shape = rest + _within_room(motion.expression * landmark_sizes(rest), rest)
    if pursed:
        _narrow(shape, width, pursed)
    shape = set_lip_gaps(shape, motion.lips * lower_face_height(portrait.rest))
    opening = np.minimum(motion.lids, LIDS_WIDEST)
    shape = set_lid_gaps(shape, lid_gaps(rest) * opening[:, None])
    if folded_lips(shape[:, :2], 1.0).any():
        shape[:, :2] = untangle_lips(shape[:, :2], 1.0, rounds=UNFOLD_LIPS_ROUNDS)
    return _with_gaze(shape, rest, motion.gaze)


def _within_room(moves: Array, rest: Array) -> Array:
    """`moves` (478, 3) of the landmarks from `rest`, with brows raised no higher than brows go."""
    height = float(rest[INNER_CORNERS, 1].mean() - rest[INNER_BROWS, 1].mean())
    knee = max(BROWS_HIGHEST - height, LEAST_ROOM) / 2
    over = np.maximum(-moves[:, 1] - knee, 0.0)
    if not over.any():
        return moves
    out = moves.copy()
    out[:, 1] += _brows() * (over + knee * np.expm1(-over / knee))
    return out


def _at_rest(portrait: Portrait, relax: float, pursed: float) -> Array:
    if not relax and not pursed:
        return portrait.rest
    taken = np.maximum(relax, pursed * _below_eyes())[:, None]
    return np.asarray(portrait.rest + taken * (portrait.relaxed - portrait.rest))


@lru_cache(maxsize=1)
def _brows() -> Array:
    """(478,): how far each landmark belongs to the brows."""
    return np.ascontiguousarray(region_weights()[:, REGIONS.index("brows")])


@lru_cache(maxsize=1)
def _below_eyes() -> Array:
    """(478,): 1 on mouth, jaw and cheeks, 0 on eyes and brows."""
    return np.asarray(region_weights()[:, [REGIONS.index("face"), REGIONS.index("lips")]].sum(axis=1))


def _driver_width(motion: Motion) -> float:
    """Width of the driver's mouth relative to neutral."""
    left, right = CORNERS
    points = canonical_face().points
    wider = motion.expression[right, 0] - motion.expression[left, 0]
    return float(1 + wider / (points[right, 0] - points[left, 0]))


def _narrow(shape: Array, width: float, pursed: float) -> None:
    """Bring the mouth of `shape` (478, 3) towards the usual mouth's width times the driver's `width`."""
    left, right = CORNERS
    points = canonical_face().points
    own = float(shape[right, 0] - shape[left, 0])
    usual = width * float(points[right, 0] - points[left, 0])
    if usual >= own:
        return
    less = pursed * TOWARDS_DRIVER * (1 - usual / own)
    middle = (shape[left, 0] + shape[right, 0]) / 2
    shape[:, 0] -= less * _around_lips() * (shape[:, 0] - middle)


@lru_cache(maxsize=1)
def _around_lips() -> Array:
    """(478,): how far each landmark follows the lips, 1 on them."""
    points = canonical_face().points
    share = np.exp(-((topology.distances(points, topology.OUTER_LIPS) / NARROW_REACH) ** 2))
    share[topology.SKIN_COUNT :] = 0.0
    return np.asarray(share)


def _with_gaze(shape: Array, rest: Array, gaze: Array) -> Array:
    """`shape` with its irises as in `rest`, moved by `gaze` (2, 2) between the corners of their eyes."""
    for eye, iris, way in zip(topology.EYES, topology.IRISES, gaze, strict=True):
        first, last = eye[0], eye[8]
        width, own_width = (abs(float(face[last, 0] - face[first, 0])) for face in (shape, rest))
        middle, own_middle = ((face[first] + face[last]) / 2 for face in (shape, rest))
        stand = (rest[iris[0], :2] - own_middle[:2]) / max(own_width, 1e-6)
        placed = np.minimum(np.maximum(stand + way, -GAZE_EDGE), GAZE_EDGE) * width
        moved = rest[list(iris)] + middle - own_middle
        moved[:, :2] += middle[:2] + placed - moved[0, :2]
        shape[list(iris)] = moved
    return shape
