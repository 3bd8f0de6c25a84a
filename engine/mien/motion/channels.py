"""Motion channels: the driver's motion as quantities that are filtered, scaled by gains, limited and eased."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mien.config import Gains
from mien.face import topology
from mien.face.contacts import lid_gaps, lip_gaps
from mien.face.measures import REGIONS, landmark_sizes, lower_face_height, region_weights
from mien.face.motion import Motion
from mien.face.pose import Angles, angles_of, fit_pose
from mien.face.topology import canonical_face
from mien.motion.filters import limit_scale, limit_shift, limit_turn
from mien.motion.neutral import Neutral
from mien.sums import smoothstep

Array = NDArray[np.float64]

WINK_FROM, BLINK_FROM = 0.8, 0.4
"""Opening of the wider eye, relative to neutral, from which on lids move apart, and below which they move as one."""
DEPTH_SHARE = 0.5
"""Offsets in depth are guessed by the landmarker from the picture; half is taken."""
BROW_GAIN = 1.3
"""By how much brows are read too calm: what optical flow sees of real brows, relative to the landmarks' own way. For
nose wings, cheeks and lower lids no factor was found that holds on all clips (docs/bench.md)."""
LOWER_LIP, CHIN = 17, 152
"""Landmarks in the middle of the lower lip's outer edge, and at the tip of the chin."""
CALM = 0.012
"""Offset in eye distances below which the gain fades, so that it does not amplify noise and what a turning head
feigns."""
JAW_SHARE, LIP_ALONE = 0.8, 0.075
"""How far the chin goes as the jaw opens, relative to the lower lip, and how far that lip goes down without the jaw, in
eye distances: jawOpen and both mouthLowerDown of the light ICT face model. In wide-open mouths the landmarker puts the
chin too high."""
JAW_WIDTH, JAW_EDGE = 0.68, 0.45
"""Half the width of what the jaw takes along in the canonical face, and how far it fades towards the ears."""
BELOW_LIP = 0.25
"""Depth below the lower lip over which skin passes from going with the lip to going with the chin."""
CONTOUR_SHARE = 0.25
"""Landmarks on the upper contour slide along it as the head turns; that is no expression."""


@dataclass(frozen=True, slots=True, eq=False)
class Channels:
    """Fields as in `Motion`, but for the rotation."""

    angles: Array
    """(3,): yaw, pitch, roll from neutral in radians."""
    translation: Array
    scale: float
    """Natural logarithm of the relative size."""
    expression: Array
    lids: Array
    gaze: Array
    lips: Array


def still() -> Channels:
    """The driver at neutral."""
    zero = np.zeros
    return Channels(zero(3), zero(2), 0.0, zero((topology.COUNT, 3)), np.ones(2), zero((2, 2)), zero(9))


def measure(landmarks: Array, neutral: Neutral) -> Channels:
    """The channels of landmarks (478, 3), in pixels of the frame that `neutral` was estimated in."""
    pose = fit_pose(landmarks, neutral.shape)
    shape = pose.undo(landmarks)
    angles, rest = angles_of(pose.rotation), neutral.angles
    offset = with_jaw((shape - neutral.shape) * _trust() / landmark_sizes(neutral.shape))
    opening = lid_gaps(shape).mean(axis=1) / np.maximum(lid_gaps(neutral.shape).mean(axis=1), 1e-3)
    gap = np.maximum(lip_gaps(shape) - neutral.lips, 0.0)
    return Channels(
        angles=np.radians([angles.yaw - rest.yaw, angles.pitch - rest.pitch, angles.roll - rest.roll]),
        translation=(pose.translation[:2] - neutral.translation) / neutral.scale,
        scale=float(np.log(pose.scale / neutral.scale)),
        expression=offset,
        lids=_blinking_together(np.maximum((opening - neutral.shut) / (1 - neutral.shut), 0.0)),
        gaze=gaze_of(shape) - gaze_of(neutral.shape),
        lips=gap / lower_face_height(neutral.shape),
    )


def shortfall(expression: Array) -> Array:
    """(478, 3): what lacks in an `expression` (478, 3) as it is read; to be added to it."""
    size = (expression[:, :2] ** 2).sum(axis=1)
    share = (BROW_GAIN - 1) * region_weights()[:, REGIONS.index("brows")] * size / (size + CALM**2)
    return np.asarray(expression * share[:, None] * (1.0, 1.0, 0.0))


def with_jaw(expression: Array) -> Array:
    """`expression` (478, 3) with the chin no higher than a lower lip that goes down so far lets it be."""
    lacking = JAW_SHARE * (expression[LOWER_LIP, 1] - LIP_ALONE) - expression[CHIN, 1]
    if lacking > 0:
        expression = expression.copy()
        expression[:, 1] += lacking * _jaw()
    return expression


def _blinking_together(lids: Array) -> Array:
    """Lids (2,) with the wider one drawn to the other when both are closing.

    A landmarker often leaves one eye of a blink half open. Eyes close together; only while one stays wide open is it a
    wink.
    """
    closing = np.clip((WINK_FROM - lids.max()) / (WINK_FROM - BLINK_FROM), 0.0, 1.0)
    return np.asarray(lids + closing * (lids.min() - lids))


def gaze_of(shape: Array) -> Array:
    """(2, 2): where the irises of an un-posed shape (478, 3) stand between the eye's corners, in eye widths."""
    out = np.empty((2, 2))
    for row, eye, iris in zip(out, topology.EYES, topology.IRISES, strict=True):
        first, last = shape[eye[0], :2], shape[eye[8], :2]
        width = abs(float(last[0] - first[0]))
        row[:] = (shape[iris[0], :2] - (first + last) / 2) / max(width, 1e-3)
    return out


def scaled(channels: Channels, share: float) -> Channels:
    """`channels` on their way from neutral (0) to themselves (1)."""
    return Channels(
        channels.angles * share,
        channels.translation * share,
        channels.scale * share,
        channels.expression * share,
        1 + (channels.lids - 1) * share,
        channels.gaze * share,
        channels.lips * share,
    )


def moved_on(before: Channels, now: Channels, share: float) -> Channels:
    """`now`, its pose and place on their way from those `before` (0) to its own (1), with soft start and end.

    What the face does is `now`'s: lips stay in step with what is heard.
    """
    share = smoothstep(share)
    return replace(
        now,
        angles=before.angles + share * (now.angles - before.angles),
        translation=before.translation + share * (now.translation - before.translation),
        scale=before.scale + share * (now.scale - before.scale),
    )


def with_gains(channels: Channels, gains: Gains) -> Channels:
    """`channels` with each part of the face as strong as the user wants it."""
    lids = gains.eyes * gains.expression
    return replace(
        channels,
        angles=channels.angles * gains.pose,
        translation=channels.translation * gains.translation,
        scale=channels.scale * gains.translation,
        expression=channels.expression * _region_gains(gains)[:, None],
        lids=np.maximum(1 + (channels.lids - 1) * lids, 0.0),
        gaze=channels.gaze * gains.gaze,
        lips=channels.lips * (gains.lips * gains.expression),
    )


def motion_of(channels: Channels) -> Motion:
    """The motion, softly limited to what one picture can show."""
    yaw, pitch, roll = np.degrees(channels.angles).tolist()
    return Motion(
        turn=limit_turn(Angles(yaw, pitch, roll)),
        translation=limit_shift(channels.translation),
        scale=limit_scale(math.exp(channels.scale)),
        expression=channels.expression,
        lids=channels.lids,
        gaze=channels.gaze,
        lips=channels.lips,
    )


@lru_cache(maxsize=8)
def _region_gains(gains: Gains) -> Array:
    strength = {"face": 1.0, "eyes": gains.eyes, "brows": gains.brows, "lips": gains.lips}
    return np.asarray(region_weights() @ np.array([strength[name] for name in REGIONS]) * gains.expression)


@lru_cache(maxsize=1)
def _jaw() -> Array:
    """(478,): how far each landmark goes with the chin where the lips are read well."""
    x, y = canonical_face().points[:, :2].T
    across = smoothstep(np.clip((JAW_WIDTH - np.abs(x)) / JAW_EDGE, 0.0, 1.0))
    return np.asarray(across * smoothstep(np.clip((y - y[LOWER_LIP]) / BELOW_LIP, 0.0, 1.0)))


@lru_cache(maxsize=1)
def _trust() -> Array:
    """(478, 3): how far each landmark's offset is believed."""
    plane = canonical_face().points[:, :2]
    contour = np.linalg.norm(plane[:, None] - plane[None, list(topology.OVAL)], axis=2).min(axis=1)
    slide = region_weights()[:, 0] * np.exp(-((contour / 0.12) ** 2))
    share = 1 - (1 - CONTOUR_SHARE) * slide
    return np.asarray(np.stack([share, share, share * DEPTH_SHARE], axis=1))
