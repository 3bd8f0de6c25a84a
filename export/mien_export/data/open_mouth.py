"""Portraits with their mouth opened: the skin by the engine's own mesh, the inner mouth rendered with true geometry."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.draw.outlines import box_around, outline_mask
from mien.face import topology
from mien.face.contacts import UPPER_LIP_RIM, lip_gaps, set_lip_gaps
from mien.face.measures import landmark_sizes, lower_face_height
from mien.face.motion import Motion, identity_motion
from mien.face.pose import Angles
from mien.face.topology import canonical_face
from mien.portrait.measure import prepare_portrait
from mien.portrait.portrait import Portrait
from mien.reenact.target import Target, target_of
from mien_export.data.ict import read_ict
from mien_export.data.ict_landmarks import expression_fields
from mien_export.data.mouth_look import random_look
from mien_export.data.mouth_render import Posed, render_mouth
from mien_export.data.mouth_shape import MouthShape, mouth_shape
from mien_export.data.moved_skin import moved_skin
from mien_export.data.tones import Tones, to_display, tones_of

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]

INNER: Final = np.array(topology.INNER_LIPS)
LEAST_GAP: Final = 1.0
"""Gap in pixels below which there is nothing to see between the lips."""
NOSE_BASE: Final = 2
"""The landmark that holds the upper jaw to the skull."""
CHIN: Final = 152
LIP_SKIN: Final = 0.03
"""How far beyond its rim, in mouth widths, an open lip's skin is looked up: at the rim the picture shows teeth."""
LOWEST_CHIN: Final = 0.985
"""Share of the picture's height below which the chin shall not sink: the head makes way upwards and shrinks."""


@dataclass(frozen=True, slots=True, eq=False)
class MouthModel:
    """What opens mouths."""

    shape: MouthShape
    fields: dict[str, Array]
    """(478, 3) ways of the landmarks at weight 1, by name of the expression; see `ict_landmarks`."""


@lru_cache(maxsize=2)
def mouth_model(folder: Path) -> MouthModel:
    """The model made of the ICT face in `folder`.

    Raises:
        SettingError: there is none.
    """
    ict = read_ict(folder)
    return MouthModel(mouth_shape(ict), expression_fields(ict))


@dataclass(frozen=True, slots=True)
class Opening:
    """What the lower face does: weights of expressions, jawOpen among them, and the tongue."""

    weights: dict[str, float]
    tongue: tuple[float, float]
    """Its tip raised and put out, in eye distances."""
    turn: Angles
    raised: float = 0.0
    """Share of the portrait's own raised upper lip, as it smiles with teeth, that stays raised."""


def random_opening(rng: np.random.Generator) -> Opening:
    """From parted lips to a mouth as wide open as it goes; laughing, talking, amazed, shouting."""
    jaw = float(np.clip(rng.beta(1.4, 1.1), 0.06, 1.0))
    weights = {"jawOpen": jaw}
    kind = rng.choice(["plain", "laugh", "oh", "shout", "talk"])
    both = {
        "plain": (("mouthUpperUp", 0.4),),
        "laugh": (("mouthSmile", 0.5), ("cheekRaiser", 0.6), ("mouthUpperUp", 0.4)),
        "oh": (("mouthFunnel", 0.7), ("browInnerUp", 0.6), ("browOuterUp", 0.6)),
        "shout": (("mouthUpperUp", 0.7), ("mouthLowerDown", 0.6), ("mouthStretch", 0.5), ("browDown", 0.6)),
        "talk": (("mouthLowerDown", 0.6), ("mouthUpperUp", 0.3), ("mouthFunnel", 0.3)),
    }[str(kind)]
    for name, most in both:
        weight = float(rng.uniform(0.0, most))
        weights |= {name: weight} if name == "mouthFunnel" else {f"{name}_L": weight, f"{name}_R": weight}
    side = rng.choice(["jawLeft", "jawRight"])
    weights[str(side)] = float(rng.uniform(0.0, 0.15))
    lift = float(rng.uniform(-0.05, 0.16) * (0.4 + 0.6 * jaw))
    out = float(rng.uniform(-0.12, 0.08))
    if rng.uniform() < 0.3:
        lift, out = min(lift, 0.0), out - 0.25  # drawn back: a dark mouth
    return Opening(weights, (lift, out), Angles(*rng.normal(0.0, (3.0, 2.0, 1.5))), float(rng.uniform(0.0, 1.0)))


def open_mouth(picture: Pixels, landmarks: Array, rng: np.random.Generator, model: MouthModel) -> tuple[Pixels, Array]:
    """The same person with the mouth open, as (picture, landmarks).

    Args:
        picture: (H, W, 3) RGB.
        landmarks: (478, 3) in its pixels.
        rng: draws how far the mouth opens, how, and how it looks inside.
        model: see `mouth_model`.

    Raises:
        FaceError: the face is too small or turned away.
    """
    return with_opening(picture, landmarks, random_opening(rng), rng, model)


def with_opening(
    picture: Pixels, landmarks: Array, opening: Opening, rng: np.random.Generator, model: MouthModel
) -> tuple[Pixels, Array]:
    """As `open_mouth`, with an opening that is given."""
    portrait = prepare_portrait(picture, landmarks, None)
    target = _target(portrait, opening, model)
    out = moved_skin(portrait, target, LIP_SKIN)
    jaw = opening.weights.get("jawOpen", 0.0)
    posed = _posed(portrait, target, model.shape, jaw, opening.tongue, rng)
    _lay_mouth(out, posed, target, tones_of(picture, landmarks), rng)
    return out, target.landmarks


def _target(portrait: Portrait, opening: Opening, model: MouthModel) -> Target:
    motion = _motion(portrait, opening, model)
    target = target_of(portrait, motion)
    below = target.landmarks[CHIN, 1] - LOWEST_CHIN * portrait.size[1]
    if below <= 0:
        return target
    height = target.landmarks[CHIN, 1] - target.landmarks[10, 1]
    way = np.array([0.0, -0.75 * below]) / portrait.pose.scale
    return target_of(portrait, replace(motion, translation=way, scale=float(max(1 - 0.5 * below / height, 0.9))))


def _motion(portrait: Portrait, opening: Opening, model: MouthModel) -> Motion:
    field = np.asarray(sum(weight * model.fields[name] for name, weight in opening.weights.items()))
    canonical = canonical_face().points
    gaps = np.maximum(lip_gaps(set_lip_gaps(canonical, np.zeros(9)) + field), 0.0) / lower_face_height(canonical)
    up = np.minimum((portrait.shape - portrait.rest)[:, 1], 0.0) * opening.raised
    field[:, 1] += up / landmark_sizes(portrait.rest)[:, 1]
    gaps -= up[UPPER_LIP_RIM] / lower_face_height(portrait.rest)
    return replace(identity_motion(), turn=opening.turn, expression=field, lips=gaps)


def _posed(
    portrait: Portrait,
    target: Target,
    shape: MouthShape,
    jaw: float,
    tongue: tuple[float, float],
    rng: np.random.Generator,
) -> tuple[Array, Array, MouthShape]:
    points, normals = shape.opened(jaw, tongue)
    canonical = canonical_face().points
    sizes = landmark_sizes(portrait.rest)
    size = np.array([sizes[127, 0], sizes[17, 1], sizes[127, 2]])
    placed = (points - canonical[NOSE_BASE]) * size + target.shape[NOSE_BASE]
    turned = normals @ target.pose.rotation.T
    return target.pose.apply(placed), turned, shape


def _lay_mouth(
    out: Pixels, posed: tuple[Array, Array, MouthShape], target: Target, tones: Tones, rng: np.random.Generator
) -> None:
    lips = target.landmarks[INNER]
    box = box_around(lips[:, :2], 2, out.shape[1], out.shape[0])
    if box is None or lips[15, 1] - lips[5, 1] < LEAST_GAP:
        return
    size = (box[0].stop - box[0].start, box[1].stop - box[1].start)
    corner = np.array([box[1].start, box[0].start, 0.0])
    points, normals, shape = posed
    mouth = Posed(
        (points - corner).astype(np.float32),
        normals.astype(np.float32),
        shape.stuff,
        shape.triangles,
        lips - corner,
    )
    shown = to_display(render_mouth(mouth, size, random_look(tones, rng), rng))
    shown = cv2.GaussianBlur(shown, (0, 0), rng.uniform(0.45, 0.75))
    noise = cv2.GaussianBlur(rng.normal(0.0, 1.4, size).astype(np.float32), (0, 0), 0.6)[..., None]
    shown += tones.grain * noise * (0.25 + shown.mean(axis=2, keepdims=True) / 170)
    mask = cv2.GaussianBlur(outline_mask((lips - corner)[:, :2], size), (0, 0), 0.6)[..., None]
    under = out[box].astype(np.float32)
    out[box] = np.clip(under + (shown - under) * mask + 0.5, 0, 255).astype(np.uint8)
