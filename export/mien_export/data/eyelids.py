"""Closed eyelids, painted into photographs whose eyes are open.

Stretched down from below the brow, a lid shows what was there: hair of the brow, the shade of the fold. So it is
repainted in the colours of the skin around the eye, shaded as it lies over the eyeball, and given its lashes.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.draw.eyes import EyeFrame, eye_frame, lash_colours
from mien.face import topology
from mien.face.contacts import lip_gaps
from mien.face.measures import lower_face_height
from mien.face.motion import Motion
from mien.face.pose import Angles
from mien.plane import Box
from mien.portrait.building import prepare_portrait
from mien.reenact.target import target_of
from mien_export.data.occluders import SUBPIXEL
from mien_export.data.skin import LUMA, mask_in, moved_skin, tones_of

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

BELOW: Final = (0.22, 0.34)
"""Where skin is looked up below the lower lid, in eye widths."""
COVER: Final = 0.8
"""Opacity of the paint where a lid has come all the way."""
FOLD, BULGE = 0.22, 0.08
"""How much darker a lid is in its fold, and how much brighter where it bulges."""
LASH_LINE: Final = 0.06
"""Thickness of the lashes' roots, in eye widths."""
FINE: Final = 3
"""Samples a pixel along each side, for lashes."""


def paint_lid(out: Pixels, before: Array, after: Array, grain: float, rng: np.random.Generator) -> None:
    """Paint, in `out` (H, W, 3), what an upper lid covers that came down from ring `before` to `after` (16, 2)."""
    box = Box.around(before, 3, out.shape[1], out.shape[0])
    if box is None:
        return
    frame = eye_frame(before)
    lid = np.concatenate([before[:9], after[8::-1]])
    inside = mask_in(box, lid)
    if inside.max() < 0.5:
        return
    mask = cv2.GaussianBlur(inside, (0, 0), 1.0)
    down = _way_down(box, frame, before, after)
    skin = _skin(out, frame, after)
    stretched = out[box.area][inside >= 0.5].astype(np.float32) @ LUMA.astype(np.float32)
    shade = float(np.percentile(stretched, 70)) / max(float(skin @ LUMA), 1.0)
    skin = skin * np.float32(np.clip((1 + shade) / 2, 0.6, 1.1))  # half in the shade that the stretched lid has
    tone = 1 - FOLD * (1 - down) ** 2 + BULGE * np.sin(np.pi * down) * rng.uniform(0.0, 1.0)
    paint = skin * tone[..., None] + rng.normal(0.0, grain, (*mask.shape, 1)).astype(np.float32)
    under = out[box.area].astype(np.float32)
    share = (mask * np.float32(COVER))[..., None]
    out[box.area] = np.clip(under + (paint - under) * share + 0.5, 0, 255).astype(np.uint8)


def draw_lashes(out: Pixels, ring: Array, colour: Array, shut: float, rng: np.random.Generator) -> None:
    """Draw the lashes of an upper lid with outline `ring` (16, 2), hanging the more the more it is `shut` (0..1)."""
    frame = eye_frame(ring)
    width = float(np.hypot(*frame.axes[0]))
    box = Box.around(ring, int(0.3 * width) + 2, out.shape[1], out.shape[0])
    if box is None or shut <= 0:
        return
    corner = box.corner
    size = (box.width * FINE, box.height * FINE)
    canvas = np.zeros(size[::-1], np.uint8)
    t = np.linspace(0.0, 1.0, 40)
    rim = np.stack([np.interp(t, np.linspace(0, 1, 9), ring[:9, k]) for k in range(2)], axis=1)
    thick = max(round(LASH_LINE * width * FINE * rng.uniform(0.5, 1.2)), 1)
    cv2.polylines(canvas, [_fixed(rim, corner)], False, 220, thick, cv2.LINE_AA, SUBPIXEL)
    long = rng.uniform(0.03, 0.12) * shut
    for share in rng.uniform(0.1, 0.95, 22):
        root = np.array([np.interp(share, t, rim[:, k]) for k in range(2)])
        outwards = (0.5 - share) * (1 if ring[0, 0] < ring[8, 0] else -1)
        tip = root + frame.axes[1] * long + frame.axes[0] * outwards * -2 * long
        cv2.polylines(canvas, [_fixed(np.array([root, tip]), corner)], False, 130, 1, cv2.LINE_AA, SUBPIXEL)
    share = cv2.resize(canvas, (size[0] // FINE, size[1] // FINE), interpolation=cv2.INTER_AREA).astype(np.float32)
    share = (share * np.float32(min(4 * shut, 1.0) / 255))[..., None]
    under = out[box.area].astype(np.float32)
    out[box.area] = (under + (colour.astype(np.float32) - under) * share + np.float32(0.5)).astype(np.uint8)


def _way_down(box: Box, frame: EyeFrame, before: Array, after: Array) -> Floats:
    """(h, w) in 0..1: from where the lid was to where it is."""
    y, x = np.mgrid[box.area].astype(np.float64)
    place = frame.local(np.stack([x, y], axis=-1))
    tops = []
    for ring in (before, after):
        rim = frame.local(ring[:9])
        rim = rim[np.argsort(rim[:, 0], kind="stable")]
        tops.append(np.interp(place[..., 0], rim[:, 0], rim[:, 1]))
    way = (place[..., 1] - tops[0]) / np.maximum(tops[1] - tops[0], 1e-3)
    return np.asarray(np.clip(way, 0.0, 1.0), dtype=np.float32)


def _skin(out: Pixels, frame: EyeFrame, ring: Array) -> Floats:
    """(3,): colour of the skin below the eye."""
    rows = [ring[10:15] + share * frame.axes[1] for share in BELOW]
    x, y = np.rint(np.concatenate(rows)).astype(np.int64).T
    found = out[np.clip(y, 0, out.shape[0] - 1), np.clip(x, 0, out.shape[1] - 1)]
    return np.asarray(np.median(found.astype(np.float32), axis=0))


def _fixed(points: Array, corner: Array) -> NDArray[np.int32]:
    """Points of the picture as OpenCV's fixed-point positions in the finer box."""
    return np.asarray(np.rint(((points - corner + 0.5) * FINE - 0.5) * 2**SUBPIXEL), dtype=np.int32)


SHUT, WINK = 0.5, 0.15
"""How often both eyes are fully shut, and how often one of them is nearly open."""
MOST_OPEN: Final = 0.7
"""Opening relative to the portrait's up to which an eye counts as half shut."""


def close_lids(picture: Pixels, landmarks: Array, rng: np.random.Generator) -> tuple[Pixels, Array]:
    """The same person with shut or half shut eyes, as (picture, landmarks).

    Args:
        picture: (H, W, 3) RGB.
        landmarks: (478, 3) in its pixels.
        rng: draws how far each eye shuts, and where half shut eyes look.

    Raises:
        FaceError: the face is too small or turned away.
    """
    return with_lids(picture, landmarks, random_lids(rng), rng)


def random_lids(rng: np.random.Generator) -> Array:
    """(2,): opening of the left and right eye relative to the portrait's, 0 shut."""
    out = np.full(2, 0.0 if rng.uniform() < SHUT else rng.uniform(0.0, MOST_OPEN))
    if rng.uniform() < WINK:
        out[rng.integers(2)] = rng.uniform(MOST_OPEN, 1.0)
    return out


def with_lids(picture: Pixels, landmarks: Array, lids: Array, rng: np.random.Generator) -> tuple[Pixels, Array]:
    """As `close_lids`, with openings (2,) that are given."""
    portrait = prepare_portrait(picture, landmarks, None)
    mouth = np.maximum(lip_gaps(portrait.shape), 0.0) / lower_face_height(portrait.rest)
    gaze = np.tile([rng.normal(0.0, 0.04), rng.uniform(-0.02, 0.06)], (2, 1)) * (1 - lids[:, None])
    still = Angles(0.0, 0.0, 0.0)
    target = target_of(portrait, Motion(still, np.zeros(2), 1.0, np.zeros((478, 3)), lids, gaze, mouth))
    out = moved_skin(portrait, target)
    grain = tones_of(picture, landmarks).grain
    colours = lash_colours(picture, portrait.landmarks)
    for eye, colour, lid in zip(topology.EYES, colours, lids, strict=True):
        before, after = portrait.landmarks[list(eye), :2], target.landmarks[list(eye), :2]
        paint_lid(out, before, after, grain, rng)
        draw_lashes(out, after, colour, float(1 - lid), rng)
    return out, target.landmarks
