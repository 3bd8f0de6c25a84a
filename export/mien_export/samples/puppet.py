"""High-quality offline rendering of a portrait that plays a performance, for the sample driver clip."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np

from mien.face import topology
from mien.face.pose import Similarity, fit_pose, rotation_of
from mien.face.topology import canonical_face
from mien_export.samples import features
from mien_export.samples.album import Array, Picture
from mien_export.samples.basis import INDEX
from mien_export.samples.blending import Field, Plane, blur, mattes, sample, spline_field
from mien_export.samples.composer import NECK, Deed, Performer, performer

LEAST_FACING: Final = 0.30
MOST_CLOSED: Final = 0.6
"""How far the skin around an eye follows a closing lid; a drawn lid does the rest."""
LIDS: Final = ("lid_left", "lid_right")


@dataclass(frozen=True, slots=True, eq=False)
class Puppet:
    """A portrait taken apart."""

    layer: Picture
    """The person's colours, continued beyond the outline."""
    matte: Plane
    plate: Picture
    """The backdrop alone."""
    landmarks: Array
    """(478, 2) in the portrait."""
    actor: Performer
    pose: Similarity
    shell: Array
    """(S, 3) un-posed points on hair, ears and outline, which turn with the head."""
    body: Array
    """(B, 3): x, y of points on neck and garment, and the share of the head's way that they follow."""
    eyes: features.EyeColours


def take_apart(picture: Picture, landmarks: Array) -> Puppet:
    """A puppet from a square portrait and its landmarks (478, 3), in pixels."""
    matte = next(mattes([picture]))
    pose = fit_pose(landmarks)
    neutral = pose.undo(landmarks)
    return Puppet(
        _spread(picture, (matte > 0.95).astype(np.float32)),
        matte,
        _spread(picture, (cv2.dilate(matte, np.ones((13, 13))) < 0.05).astype(np.float32)),
        landmarks[:, :2],
        performer(neutral),
        pose,
        _shell(matte, landmarks, pose),
        _body(landmarks, picture.shape[0]),
        features.eye_colours(picture, landmarks[:, :2]),
    )


def _spread(picture: Picture, where: Plane) -> Picture:
    """`picture` where `where` is 1, elsewhere continued smoothly."""
    out, have = picture * where[..., None], where.copy()
    for reach in (1.5, 3.0, 6.0, 12.0, 24.0, 48.0, 96.0):
        share = blur(where, reach)
        add = np.clip(8 * share, 0, 1) * (1 - have)
        out += (add / (share + 1e-6))[..., None] * blur(picture * where[..., None], reach)
        have += add
    return np.asarray(out / (have[..., None] + 1e-6), dtype=np.float32)


def _shell(matte: Plane, landmarks: Array, pose: Similarity) -> Array:
    """Along rays over the top of the head: where the person ends, just beyond, and half way to the face."""
    centre = landmarks[[127, 356], :2].mean(axis=0)
    depth = landmarks[[127, 356], 2].mean()
    points = []
    for angle in np.radians(np.arange(-200, 21, 11)):
        ray = np.array([np.cos(angle), np.sin(angle)])
        reach = np.arange(20, 0.48 * matte.shape[0])
        along = np.clip((centre + reach[:, None] * ray).astype(int), 0, matte.shape[0] - 1)
        inside = reach[matte[along[:, 1], along[:, 0]] > 0.5]
        end = float(inside.max()) if len(inside) else 60.0
        points += [[*(centre + end * share * ray), depth] for share in (1.0, 1.12, 1.5)]
    return pose.undo(np.array(points))


def _body(landmarks: Array, side: int) -> Array:
    chin, jaw = landmarks[152, :2], float(landmarks[361, 0] - landmarks[132, 0])
    rows = [(0.30, 0.30, 0.30), (0.42, 0.55, 0.06)]
    points = [[chin[0] + x * jaw * reach, chin[1] + down * jaw, share]
              for down, reach, share in rows for x in np.linspace(-1, 1, 7)]  # fmt: skip
    for y in np.linspace(chin[1] + 0.55 * jaw, side + 20, 4):
        points += [[x, y, 0.0] for x in np.linspace(-20, side + 20, 9)]
    points += [[x, y, 0.0] for x in (-20.0, side + 20.0) for y in np.linspace(-20, chin[1], 5)]
    points += [[x, -20.0, 0.0] for x in np.linspace(0, side, 5)]
    return np.array(points)


def perform(puppet: Puppet, deed: Deed) -> tuple[Picture, Array]:
    """The picture (side, side, 3) at `deed`, and the landmarks (478, 3) that it shows."""
    truth = landmarks_at(puppet, deed)
    soft = replace(deed, weights=_lids_held(deed))
    field = _field(puppet, landmarks_at(puppet, soft), deed)
    share = sample(puppet.matte, field, cv2.INTER_LINEAR)[..., None]
    picture = share * np.clip(sample(puppet.layer, field), 0, 1) + (1 - share) * puppet.plate
    _draw_eyes(picture, puppet, deed, truth)
    if (truth[14] - truth[13])[1] > 0.8:
        features.draw_mouth(picture, _mouth(puppet, deed, truth))
    return np.clip(picture, 0, 1), truth


def landmarks_at(puppet: Puppet, deed: Deed) -> Array:
    """Where the landmarks (478, 3) are at `deed`, in pixels."""
    x, y = puppet.pose.translation[:2]
    return puppet.actor.landmarks(deed, (float(x), float(y)), puppet.pose.scale)


def _lids_held(deed: Deed) -> tuple[float, ...]:
    weights = list(deed.weights)
    for lid in LIDS:
        weights[INDEX[lid]] = min(weights[INDEX[lid]], MOST_CLOSED)
    return tuple(weights)


def _placed(puppet: Puppet, deed: Deed, points: Array) -> Array:
    """Un-posed `points` (N, 3), rigid on the head, as pixels (N, 2)."""
    turned = ((points - NECK) @ rotation_of(deed.turn).T + NECK) * deed.scale + [*deed.translation, 0.0]
    return np.asarray((turned * puppet.pose.scale + puppet.pose.translation)[:, :2])


def _field(puppet: Puppet, target: Array, deed: Deed) -> Field:
    """Where every pixel of the picture comes from; skin that turns away from the viewer has no say."""
    keep = np.flatnonzero(_facing(target) > LEAST_FACING)
    still = puppet.pose.apply(puppet.shell)[:, :2]
    pivot = np.array([[0.0, 1.1, -0.3]])
    way = _placed(puppet, deed, pivot)[0] - puppet.pose.apply(pivot)[0, :2]
    body = puppet.body[:, :2]
    goal = np.concatenate([target[keep, :2], _placed(puppet, deed, puppet.shell), body + puppet.body[:, 2:] * way])
    source = np.concatenate([puppet.landmarks[keep], still, body])
    return spline_field(goal, source, puppet.matte.shape[0], 1.0)


def _facing(shape: Array) -> Array:
    """(468,) how squarely the skin at each landmark faces the viewer: 1 fully, 0 in profile, negative turned away."""
    triangles = canonical_face().triangles
    a, b, c = (shape[triangles[:, k]] for k in range(3))
    normals = np.cross(b - a, c - a)
    normals *= np.sign(np.cross(*(canonical_face().points[triangles[:, k]] - canonical_face().points[triangles[:, 0]]
                                  for k in (1, 2)))[:, 2:])  # fmt: skip
    total = np.zeros((topology.COUNT, 3))
    for k in range(3):
        np.add.at(total, triangles[:, k], normals)
    return np.asarray((total[:, 2] / (np.linalg.norm(total, axis=1) + 1e-9))[: topology.SKIN_COUNT])


def _draw_eyes(picture: Picture, puppet: Puppet, deed: Deed, truth: Array) -> None:
    awake = list(deed.weights)
    for lid in LIDS:
        awake[INDEX[lid]] = 0.0
    opened = landmarks_at(puppet, replace(deed, weights=tuple(awake)))
    for eye, iris in zip(topology.EYES, topology.IRISES, strict=True):
        lids = truth[list(eye), :2]
        radius = float(np.linalg.norm(truth[list(iris[1:]), :2] - truth[iris[0], :2], axis=1).max())
        features.draw_eye(picture, lids, opened[list(eye[:9]), :2], (truth[iris[0], :2], radius), puppet.eyes)


def _mouth(puppet: Puppet, deed: Deed, truth: Array) -> features.Mouth:
    neutral = puppet.actor.neutral
    line, depth = float(neutral[[13, 14], 1].mean()), float(neutral[13, 2]) + 0.10
    shape = puppet.actor.shape(deed)
    drop = float(shape[14, 1] - line)
    upper = tuple(
        _placed(puppet, deed, _tooth(a, b, line - 0.12, line + edge, depth, side, True))
        for side, a, b, edge in _row(features.UPPER_TEETH, features.UPPER_EDGES)
    )
    rim = line + max(drop - 0.035, 0.02)
    lower = tuple(
        _placed(puppet, deed, _tooth(a, b, rim, rim + 0.12, depth + 0.03, side, False))
        for side, a, b, _ in _row(features.LOWER_TEETH, (0.0,) * 5)
    )
    round_about = np.linspace(0, 2 * np.pi, 40)
    middle = line + 0.62 * drop + 0.02
    tongue = np.column_stack([0.17 * np.cos(round_about), middle + (0.03 + 0.30 * drop) * np.sin(round_about),
                              np.full(40, depth + 0.10)])  # fmt: skip
    return features.Mouth(truth[list(topology.INNER_LIPS), :2], upper, lower, _placed(puppet, deed, tongue))


def _row(widths: tuple[float, ...], edges: tuple[float, ...]) -> list[tuple[int, float, float, float]]:
    """(side, inner x, outer x, edge) from the picture's left to its right."""
    teeth = list(zip(widths, widths[1:], edges, strict=False))
    return [(-1, *tooth) for tooth in reversed(teeth)] + [(1, *tooth) for tooth in teeth]


def _tooth(a: float, b: float, top: float, bottom: float, depth: float, side: int, upper: bool) -> Array:
    """A rounded plate on the arch of the teeth."""
    gap, r = 0.0012, 0.022
    free, root = (bottom, top) if upper else (top, bottom)
    into = -1 if upper else 1
    x = np.array([a + gap, a + gap, a + gap + r * 0.5, b - gap - r * 0.7, b - gap, b - gap])
    y = np.array([root, free + into * r * 0.6, free, free + into * 0.1 * r, free + into * r, root])
    return np.column_stack([side * x, y, depth + 1.3 * x**2])
