"""A photographic portrait of nobody, from a cast of many, and the three that come with the package.

The seeds of their inventions were found by `mien_export.samples.nobody`: the faces are far from everybody in the album.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from mien.face import topology
from mien.face.topology import canonical_face
from mien_export.samples import attire, nobody
from mien_export.samples.album import SIDE, Album, Array, Chosen, Looks, Picture, cast_for
from mien_export.samples.attire import Attire, Hair
from mien_export.samples.blending import (
    Plane,
    alike,
    blur,
    encoded,
    face_mask,
    joined,
    linear,
    mattes,
    over,
    register,
    robust_mean,
    sample,
    soft_step,
    spline_field,
)
from mien_export.samples.nobody import Invention

LIPS = topology.OUTER_LIPS


def crisp(picture: Picture, points: Array, age: float = 1.0) -> Picture:
    """`picture` with its features sharpened, most at the eyes; `age` deepens the folds of the skin."""
    side = picture.shape[0]
    features = np.zeros((side, side), np.float32)
    for outline, weight, grow in ((topology.LEFT_EYE, 1.0, 6), (topology.RIGHT_EYE, 1.0, 6),
                                  (topology.LEFT_BROW, 0.8, 5), (topology.RIGHT_BROW, 0.8, 5),
                                  (LIPS, 0.6, 2)):  # fmt: skip
        features = np.maximum(features, weight * face_mask(points[list(outline)], side, grow, 3.0))
    fine = picture - blur(picture, 1.1)
    middle = blur(picture, 1.1) - blur(picture, 3.0)
    gain = features[..., None]
    skin = face_mask(points[:468], side, soft=10.0)[..., None]
    folds = (age - 1) * skin * (blur(picture, 1.1) - blur(picture, 7.0))
    return np.clip(picture + (0.45 + 1.1 * gain) * fine + (0.25 + 0.45 * gain) * middle + folds, 0, 1)


def with_catchlights(picture: Picture, points: Array) -> Picture:
    """Darker pupils, a limbal ring, and the reflection of a lamp at the upper left of each iris."""
    side = picture.shape[0]
    y, x = np.mgrid[0:side, 0:side].astype(np.float32)
    light = picture
    for eye, iris in zip(topology.EYES, topology.IRISES, strict=True):
        centre, radius = points[iris[0]], float(np.linalg.norm(points[list(iris[1:])] - points[iris[0]], axis=1).mean())
        open_eye = face_mask(points[list(eye)], side, soft=0.8)
        r = np.hypot(x - centre[0], y - centre[1]) / radius
        pupil = _falloff(r, 0.40, 0.12) * 0.55
        ring = np.exp(-(((r - 0.95) / 0.16) ** 2)) * 0.30
        dark = (1 - open_eye * np.maximum(pupil, ring))[..., None]
        spark = np.hypot(x - centre[0] + 0.34 * radius, y - centre[1] + 0.36 * radius) / radius
        bright = (open_eye * _falloff(spark, 0.20, 0.10) * 0.85)[..., None]
        light = light * dark + bright * (1 - light * dark)
    return np.clip(light, 0, 1).astype(np.float32)


def _falloff(distance: Plane, radius: float, softness: float) -> Plane:
    return np.asarray(1 / (1 + np.exp(np.clip((distance - radius) / (softness / 4), -50, 50))), dtype=np.float32)


def with_skin(picture: Picture, where: Plane, seed: int, strength: float = 1.0) -> Picture:
    """Pores and mottling on the skin in `where` (0..1), lit from above."""
    rng = np.random.default_rng(seed)
    height = _noise(rng, picture.shape[0], 0.8, 2.0) + 0.7 * _noise(rng, picture.shape[0], 1.6, 4.0)
    relief = cv2.Sobel(height, cv2.CV_32F, 0, 1) + 0.5 * cv2.Sobel(height, cv2.CV_32F, 1, 0)
    relief = relief / relief.std()
    blotches = _noise(rng, picture.shape[0], 5.0, 14.0)
    level = blur(picture.mean(axis=2), 2.0)
    lit = where * strength * (0.5 + 0.4 * level)
    change = lit[..., None] * (0.0065 * relief[..., None] + 0.006 * blotches[..., None] * np.array([1.0, -0.6, -0.5]))
    return np.asarray(np.clip(picture * (1 + change), 0, 1).astype(np.float32))


def with_grain(picture: Picture, seed: int, strength: float = 0.008) -> Picture:
    """The noise of a sensor: a little colour, mostly light, finer than anything drawn."""
    rng, side = np.random.default_rng(seed), picture.shape[0]
    light = blur(rng.normal(size=(side, side)).astype(np.float32), 0.6)
    colour = blur(rng.normal(size=(side, side, 3)).astype(np.float32), 1.0)
    return np.clip(picture + strength * (1.6 * light[..., None] + 0.8 * colour), 0, 1).astype(np.float32)


def _noise(rng: np.random.Generator, side: int, fine: float, coarse: float) -> Plane:
    white = rng.normal(size=(side, side)).astype(np.float32)
    band = blur(white, fine) - blur(white, coarse)
    return np.asarray(band / band.std(), dtype=np.float32)


OUT = 512
ZOOM = 1.5
MIDDLE = np.array([256.0, 230.0])
LOWER_FACE = (2, 98, 327, 205, 425, 207, 427, 214, 434, 169, 394, 175, 152, 148, 377)
CHEEKS = (50, 205, 425, 280, 199)
EAR_LOBES, TEMPLES = [132, 361], [127, 356]


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything about a portrait that is decided by hand."""

    attire: Attire
    invention: Invention
    long_hair: bool
    girth: float
    """Width of the neck in jaw widths."""
    hair_tint: tuple[float, float]
    """Added to the hair's Lab a and b."""
    skin_tint: tuple[float, float, float]
    """Added to the skin's Lab."""
    age: float
    """How strongly folds and texture of the skin show."""
    hairs: tuple[Hair, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Blend:
    """A head blended from a cast, symmetric in shape, in output pixels."""

    picture: Picture
    matte: Plane
    points: Array


def blend(album: Album, looks: Looks, name: str) -> Blend:
    """The blended head of portrait `name`: hair, eyes and nose of one cast, the closed mouth of another."""
    cast = cast_for(name, album, looks)
    points = (album.landmarks[cast.mouths].mean(axis=0) - SIDE / 2) * ZOOM + MIDDLE
    points = (points + _mirrored(points)) / 2
    where = face_mask(points, OUT)
    heads, head_mattes = _gathered(album, cast.heads, points, True)
    heads, head_mattes = register(alike(heads, where), head_mattes)
    even, matte = robust_mean(heads, head_mattes)
    natural, _ = robust_mean(heads[::2], head_mattes[::2])
    head = encoded(0.4 * linear(natural) + 0.6 * linear(even))
    mouths, mouth_mattes = _gathered(album, cast.mouths, points, False)
    mouth, _ = robust_mean(*register(alike(mouths, where), mouth_mattes))
    seam = face_mask(points[list(LOWER_FACE)], OUT, grow=4, soft=9.0)
    return Blend(joined(head, _toned(mouth, head, seam), seam, 4), matte, points)


def _mirrored(points: Array) -> Array:
    return np.asarray(points[canonical_face().mirror] * [-1, 1] + [OUT, 0])


def _gathered(album: Album, chosen: Chosen, points: Array, both: bool) -> tuple[list[Picture], list[Plane]]:
    """Pictures and mattes of `chosen` warped to `points`, each followed by its mirror image if `both`."""
    pictures = [album.read(i) for i in chosen]
    warped: list[Picture] = []
    shares: list[Plane] = []
    for index, picture, matte in zip(chosen, pictures, mattes(pictures), strict=True):
        for target in (points, _mirrored(points))[: 1 + both]:
            field = spline_field(target, album.landmarks[index], OUT)
            field = field if target is points else np.ascontiguousarray(field[:, ::-1])
            warped.append(np.clip(sample(picture, field), 0, 1))
            shares.append(np.clip(sample(matte, field, cv2.INTER_LINEAR), 0, 1))
    return warped, shares


def _toned(part: Picture, whole: Picture, seam: Plane) -> Picture:
    """`part` in the tone that `whole` has along the seam."""
    rim = (seam > 0.25) & (seam < 0.75)
    lab, goal = cv2.cvtColor(part, cv2.COLOR_RGB2LAB), cv2.cvtColor(whole, cv2.COLOR_RGB2LAB)
    moved = (lab - lab[rim].mean(axis=0) + goal[rim].mean(axis=0)).astype(np.float32)
    return np.asarray(np.clip(cv2.cvtColor(moved, cv2.COLOR_LAB2RGB), 0, 1))


def composed(head: Blend, plan: Plan) -> Picture:
    """`head` with hair, neck, garment and backdrop, still in the shape of the blend."""
    points, frame = head.points, attire.frame_of(head.points, OUT)
    hairness = _hairness(head)
    face = _tinted(_without_backdrop(head), head, hairness, plan)
    skin = np.median(face[face_mask(points[list(CHEEKS)], OUT, soft=2.0) > 0.5], axis=0)
    matte = blur(_head_matte(head, plan), 0.9)
    canvas = attire.backdrop(OUT, plan.attire)
    colour = (float(skin[0]), float(skin[1]), float(skin[2]))
    if plan.long_hair:
        canvas = over(face, matte * _above(frame), canvas)
    canvas = attire.with_neck(canvas, points, colour, frame, plan.girth)
    canvas = attire.with_garment(canvas, frame, plan.attire, plan.girth)
    canvas = over(face, matte * (_front(head, hairness, frame, plan) if plan.long_hair else 1), canvas)
    for layer in plan.hairs:
        canvas = attire.with_strands(canvas, matte, _rooted(head, hairness, plan), layer)
    return _side_lit(canvas, matte)


def developed(canvas: Picture, points: Array, plan: Plan, space: nobody.ShapeSpace) -> Picture:
    """The finished portrait (512, 512, 3): `canvas`, with landmarks `points`, bent into the invented face."""
    new = nobody.invented(points, space, plan.invention, ZOOM)
    picture = crisp(nobody.bent(canvas, points, new), new, plan.age)
    picture = with_catchlights(picture, new)
    picture = with_skin(picture, face_mask(new[:468], OUT, soft=4.0), plan.attire.seed, plan.age)
    return with_grain(picture, plan.attire.seed + 1)


def _hairness(head: Blend) -> Plane:
    """How much a pixel looks like the hair on top rather than like the forehead, 0..1."""
    lab = cv2.cvtColor(head.picture, cv2.COLOR_RGB2LAB)
    hair, skin = _hair_colour(lab, head), _skin_colour(lab, head)
    like = np.linalg.norm(lab - hair, axis=2) < 0.9 * np.linalg.norm(lab - skin, axis=2)
    return blur(like.astype(np.float32), 1.5)


def _hair_colour(lab: Picture, head: Blend) -> Array:
    top = int(np.flatnonzero(head.matte[:, OUT // 2] > 0.9)[0])
    return np.asarray(np.median(lab[top + 6 : top + 22, 230:282].reshape(-1, 3), axis=0))


def _skin_colour(lab: Picture, head: Blend) -> Array:
    where = face_mask(head.points[[151, 9, 50, 280]], OUT, soft=2.0) > 0.5
    return np.asarray(np.median(lab[where], axis=0))


def _without_backdrop(head: Blend) -> Picture:
    """The head with colours continued from inside over its rim, so that no backdrop shines through."""
    core = (cv2.erode(head.matte, np.ones((5, 5))) > 0.97).astype(np.float32)
    fill, have = np.zeros_like(head.picture), np.zeros_like(core)
    for reach in (1.2, 2.5, 5.0, 10.0, 20.0):
        share = blur(core, reach)
        add = np.clip(6 * share, 0, 1) * (1 - have)
        fill += (add / (share + 1e-6))[..., None] * blur(head.picture * core[..., None], reach)
        have += add
    lab = cv2.cvtColor(np.clip(fill / (have[..., None] + 1e-6), 0, 1).astype(np.float32), cv2.COLOR_RGB2LAB)
    level = cv2.cvtColor(head.picture, cv2.COLOR_RGB2LAB)[..., 0]
    lab[..., 0] += 0.5 * np.clip(level - blur(level, 4.0), -8, 8)
    inner = (blur(core, 1.2) * core)[..., None]
    return np.asarray(head.picture * inner + cv2.cvtColor(lab, cv2.COLOR_LAB2RGB) * (1 - inner), dtype=np.float32)


def _tinted(face: Picture, head: Blend, hairness: Plane, plan: Plan) -> Picture:
    """Hair and ears freed of the studio's blue, hair and skin tinted as planned."""
    lab = cv2.cvtColor(face, cv2.COLOR_RGB2LAB)
    hair = _hair_colour(lab, head) + [0.0, *plan.hair_tint]
    skin = _skin_colour(lab, head)
    middle = head.points[:468].mean(axis=0)
    outside = 1 - face_mask(middle + 0.94 * (head.points[:468] - middle), OUT, soft=7.0)
    rows = np.arange(OUT, dtype=np.float32)[:, None]
    ears = float(head.points[[234, 454], 1].mean())
    zone = outside if plan.long_hair else outside * (1 - soft_step(rows, ears - 30, ears))
    coloured = _at_least(lab, hair, 3.0, 5.0, 2.0)
    lab = lab + (zone * hairness)[..., None] * (coloured - lab)
    ear = (outside * (1 - hairness))[..., None]
    lab = lab + ear * (_at_least(lab, skin, 8.0, 12.0, 7.0) - lab)
    lab = lab + (1 - hairness)[..., None] * np.array(plan.skin_tint, np.float32)
    if not plan.long_hair:
        lab[..., 0] *= 1 - 0.16 * attire.ear_hollows(head.points, OUT)
    return np.asarray(np.clip(cv2.cvtColor(lab.astype(np.float32), cv2.COLOR_LAB2RGB), 0, 1))


def _at_least(lab: Picture, goal: Array, less_red: float, more_red: float, less_yellow: float) -> Picture:
    out = lab.copy()
    out[..., 1] = np.clip(lab[..., 1], goal[1] - less_red, goal[1] + more_red)
    out[..., 2] = np.maximum(lab[..., 2], goal[2] - less_yellow)
    return out


def _head_matte(head: Blend, plan: Plan) -> Plane:
    """The head alone: above the ears' lobes all of the matte, below only what the jaw encloses, or long hair."""
    y, x = np.mgrid[0:OUT, 0:OUT].astype(np.float32)
    matte = soft_step(head.matte, 0.30, 0.75)
    if plan.long_hair:
        half = 166 - 0.22 * np.clip(y - 330, 0, None)
        return np.asarray(matte * (1 - soft_step(np.abs(x - OUT / 2), half - 8, half + 8)), dtype=np.float32)
    lobes = float(head.points[EAR_LOBES, 1].mean())
    oval = face_mask(head.points[:468], OUT, grow=1, soft=1.6)
    return np.asarray(matte * np.maximum(1 - soft_step(y, lobes + 6, lobes + 24), oval), dtype=np.float32)


def _above(frame: attire.Frame) -> Plane:
    """1 down to where the garment begins."""
    return 1 - soft_step(np.mgrid[0:OUT, 0:OUT][0].astype(np.float32), frame.chin + 60, frame.chin + 72)


def _front(head: Blend, hairness: Plane, frame: attire.Frame, plan: Plan) -> Plane:
    """The face, and of the rest the hair that falls in front of the garment, down to its uneven ends."""
    y, x = np.mgrid[0:OUT, 0:OUT].astype(np.float32)
    rough = np.random.default_rng(plan.attire.seed).normal(size=OUT).astype(np.float32)[None]
    end = frame.chin + 72 + 5 * cv2.GaussianBlur(rough, (0, 0), 2.0) + 40 * cv2.GaussianBlur(rough, (0, 0), 9.0)
    beside = soft_step(np.abs(x - frame.middle), 0.34 * frame.width, 0.40 * frame.width)
    beside = np.maximum(beside, 1 - soft_step(y, frame.chin - 40, frame.chin - 20))
    hair = soft_step(hairness, 0.6, 0.95) * (1 - soft_step(y, end - 20, end + 8)) * beside
    return np.maximum(hair, face_mask(head.points[:468], OUT, grow=1, soft=1.6))


def _rooted(head: Blend, hairness: Plane, plan: Plan) -> Plane:
    """Where single hairs may be rooted."""
    y, x = np.mgrid[0:OUT, 0:OUT].astype(np.float32)
    brows = float(head.points[105, 1])
    outside = 1 - face_mask(head.points[:468], OUT, soft=2.0) * soft_step(y, brows - 20, brows - 10)
    where = soft_step(hairness, 0.5, 0.9) * outside
    if plan.long_hair:
        return np.asarray(where * ~((np.abs(x - OUT / 2) < 80) & (y > 340)) * (y < head.points[152, 1] + 10))
    return np.asarray(where * (y < head.points[TEMPLES, 1].mean() - 14))


def _side_lit(picture: Picture, matte: Plane, strength: float = 0.09) -> Picture:
    x = np.arange(OUT, dtype=np.float32)[None]
    light = 1 + strength * (OUT / 2 - x) / 200 * matte
    return np.clip(picture * light[..., None], 0, 1).astype(np.float32)


SHORT: Final = (Hair(3500, 7, 0.35, 0.5, 0.25, 0.25, 1), Hair(700, 4, 0.6, 0.9, 0.25, 0.4, 2))
LONG: Final = (Hair(7000, 60, 0.0, 0.5, 0.30, 0.28, 1), Hair(160, 46, 0.08, 1.5, 0.25, 0.40, 2))

PLANS: Final = {
    "aldo": Plan(
        Attire((0.36, 0.40, 0.46), (0.17, 0.20, 0.26), 0.0, 8),
        Invention(61, 1.4, 0.3, 2.0), False, 1.0, (0.0, 1.5), (0.0, 0.0, 0.0), 1.6, SHORT,
    ),
    "mira": Plan(
        Attire((0.66, 0.63, 0.60), (0.22, 0.30, 0.36), 0.12, 3),
        Invention(92, 1.4, 0.7, -2.5), True, 0.80, (0.0, 5.5), (-3.0, -1.0, 3.0), 0.9, LONG,
    ),
    "teo": Plan(
        Attire((0.42, 0.50, 0.50), (0.50, 0.47, 0.42), 0.0, 5),
        Invention(36, 1.0, 0.5, 2.0), False, 1.03, (1.5, 4.5), (0.0, -4.0, 1.0), 1.1, SHORT,
    ),
}  # fmt: skip
