"""Mouths of photographs, changed: opened wide with rendered teeth, or edited inside (darker, other teeth and tongues).

Edits are made in the picture itself, before hints are cut from it, so that target and hint agree: a generator that saw
them differ would learn that a hint's darkness means nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.draw.outlines import outline_mask
from mien.face import topology
from mien.face.contacts import UPPER_LIP_RIM, lip_gaps, set_lip_gaps
from mien.face.measures import landmark_sizes, lower_face_height
from mien.face.motion import Motion, identity_motion
from mien.face.pose import Angles
from mien.face.topology import canonical_face
from mien.plane import Box
from mien.portrait.building import prepare_portrait
from mien.portrait.portrait import Portrait
from mien.reenact.target import Target, target_of
from mien_export.data.ict import expression_fields, read_ict
from mien_export.data.mouth_render import Posed, random_look, render_mouth
from mien_export.data.mouth_shape import MouthShape, mouth_shape
from mien_export.data.skin import LUMA, Tones, mask_in, moved_skin, to_display, tones_of

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

INNER: Final = np.array(topology.INNER_LIPS)
OUTER: Final = np.array(topology.OUTER_LIPS)
SOFT: Final = 0.6
"""Blur of the edit's edge, in pixels."""


def edit_inner_mouth(picture: Pixels, landmarks: Array, rng: np.random.Generator) -> Pixels:
    """A copy of a portrait (H, W, 3) with landmarks (478, 2 or 3), its inner mouth toned otherwise; mild."""
    outline = landmarks[INNER, :2]
    box = Box.around(outline, 3, picture.shape[1], picture.shape[0])
    out = picture.copy()
    if box is None:
        return out
    mask = cv2.GaussianBlur(mask_in(box, outline), (0, 0), SOFT)[..., None]
    mouth = picture[box.area].astype(np.float32)
    toned = _toned(mouth, _lips(picture, landmarks), rng)
    out[box.area] = np.clip(mouth + (toned - mouth) * mask + 0.5, 0, 255).astype(np.uint8)
    return out


def _toned(mouth: Floats, lips: float, rng: np.random.Generator) -> Floats:
    """`mouth` (h, w, 3) with its dark, its red and its pale parts changed by a draw each."""
    luma = mouth @ LUMA.astype(np.float32)
    relative = luma / np.float32(lips + 1)
    spread = mouth.max(axis=2) - mouth.min(axis=2)
    pale = _ramp(relative, 0.8, 1.2) * (1 - _ramp(spread / (luma + 1), 0.35, 0.6))
    dark = 1 - _ramp(relative, 0.25, 0.85)
    red = np.clip(1 - pale - dark, 0.0, 1.0)
    teeth = _draw(rng, 0.85, 1.10) * np.array([1.0, rng.uniform(0.95, 1.0), rng.uniform(0.80, 1.0)])
    cavity = rng.uniform(0.35, 1.0) * np.array([1.0, *rng.uniform(0.85, 1.0, 2)])
    tongue = _draw(rng, 0.75, 1.2) * np.array([1.0, *rng.uniform(0.85, 1.15, 2)])
    gain = pale[..., None] * teeth + dark[..., None] * cavity + red[..., None] * tongue
    total = (pale + dark + red)[..., None]
    return np.asarray(mouth * (gain / np.maximum(total, 1e-6)), dtype=np.float32)


def _draw(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _ramp(value: Floats, low: float, high: float) -> Floats:
    return np.clip((value - np.float32(low)) / np.float32(high - low), 0.0, 1.0)


def _lips(picture: Pixels, landmarks: Array) -> float:
    """The lips' luma, 0..255."""
    x, y = np.rint((landmarks[INNER, :2] + landmarks[OUTER, :2]) / 2).astype(np.int64).T
    height, width = picture.shape[:2]
    found = picture[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)].astype(np.float64)
    return float(np.median(found @ LUMA))


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
    box = Box.around(lips[:, :2], 2, out.shape[1], out.shape[0])
    if box is None or lips[15, 1] - lips[5, 1] < LEAST_GAP:
        return
    size = box.shape
    corner = np.array([box.x, box.y, 0.0])
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
    under = out[box.area].astype(np.float32)
    out[box.area] = np.clip(under + (shown - under) * mask + 0.5, 0, 255).astype(np.uint8)
