"""The inside of a mouth, rendered: the mesh by the engine's rasteriser, then light that enters between the lips.

What a place in the mouth gets of the light is read from the outline of the lips: the main light from where its ray
passes the plane of the lips, the light from everywhere from the outline blurred by the place's depth, which is about
the share of the outside that it sees. So it grows dark inwards, and the upper lip throws its shade on the teeth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.draw.outlines import outline_mask
from mien_export.data.mouth_shape import GUM, PALATE, TONGUE, TOOTH
from mien_export.data.skin import LUMA, Tones
from mien_kernels import ops

Array = NDArray[np.float64]


DAYLIGHT: Final = 2.2
"""Red over blue of skin in daylight, in linear light, about."""


@dataclass(frozen=True, slots=True, eq=False)
class MouthLook:
    """Colours (3,) are linear, as seen in full light."""

    tooth: Array
    gum: Array
    tongue: Array
    light: Array
    """(3,) of length 1, from the mouth towards the main light; x right, y down, z away."""
    ambient: float
    """Share of the light that comes from everywhere in front."""
    bounce: float
    """Light that the mouth's own walls return."""
    dimming: float
    """How fast it grows dark inwards: distance behind the lips in mouth widths is multiplied by it."""
    gloss: float
    """Strength of wet highlights."""
    sharpness: float
    """Exponent of the highlights."""
    coat: float
    """How white and rough the tongue is, 0..1."""
    gaps: float
    """How dark it is between the teeth, 0..1: without it they would be one white block."""


def random_look(tones: Tones, rng: np.random.Generator) -> MouthLook:
    """A look that fits a photograph with these tones."""
    white, skin = tones.white, float(tones.skin @ LUMA)
    grey = float(white @ LUMA)
    stain = rng.uniform(0.0, 0.4)
    yellow = np.array([1.0, 1.0 - 0.35 * stain - rng.uniform(0.0, 0.05), 1.0 - stain])
    tooth = white * warmth(tones.skin) ** rng.uniform(0.0, 1.0) * yellow * rng.uniform(0.62, 1.05)
    flesh = _flesh(tones.lips, grey)
    gum = flesh * np.array([1.0, rng.uniform(0.8, 1.15), rng.uniform(0.85, 1.15)]) * rng.uniform(0.45, 0.85)
    tongue = flesh * np.array([1.0, rng.uniform(0.75, 1.1), rng.uniform(0.85, 1.15)]) * rng.uniform(0.55, 1.0)
    if skin < 0.08:  # dark skin often has dark gums
        gum = gum * rng.uniform(0.4, 1.0)
    light = np.array([rng.normal(0.0, 0.35), -rng.uniform(0.15, 0.8), -1.0])
    return MouthLook(
        tooth=tooth,
        gum=gum,
        tongue=tongue,
        light=light / np.linalg.norm(light),
        ambient=float(rng.uniform(0.3, 0.6)),
        bounce=float(rng.uniform(0.0, 0.4)),
        dimming=float(np.exp(rng.uniform(np.log(0.8), np.log(4.0)))),
        gloss=float(rng.uniform(0.0, 0.5) ** 1.5 * grey * 2.5),
        sharpness=float(rng.uniform(25.0, 90.0)),
        coat=float(rng.uniform(0.0, 1.0) ** 2),
        gaps=float(rng.uniform(0.1, 0.9)),
    )


def warmth(skin: Array) -> Array:
    """(3,): colour of the light on a skin (3,) in linear light that is redder than skin is in daylight; luma 1.

    What is grey in such a picture, as eyes' whites in a painting are, is not what its teeth would be.
    """
    redder = float(np.clip(skin[0] / max(skin[2], 1e-4) / DAYLIGHT, 1.0, 3.0))
    light = np.array([redder**0.25, 1.0, redder**-0.5])
    return np.asarray(light / float(light @ LUMA))


def _flesh(lips: Array, grey: float) -> Array:
    """Wet tissue under this light: red as lips are without lipstick, of a brightness between lips and teeth."""
    red = np.array([1.0, 0.26, 0.25])
    tint = lips / max(float(lips.max()), 1e-6)
    colour = 0.65 * red + 0.35 * np.array([1.0, float(np.clip(tint[1], 0.2, 0.5)), float(np.clip(tint[2], 0.18, 0.5))])
    bright = 0.55 * float(lips @ LUMA) + 0.2 * grey
    return np.asarray(colour * (bright / float(colour @ LUMA)))


Floats = NDArray[np.float32]

FINE: Final = 3
"""Samples a pixel along each side."""
WRAP: Final = 0.35
"""How far light goes around a body that scatters it inside."""
SOFT_LIGHT: Final = 0.06
"""Blur of the main light's shadows per mouth width, and the same again per depth."""
NOWHERE: Final = 0.9
"""Depth in mouth widths of what no surface covers."""
CHEEKS, FRONT = 0.5, 0.12
"""How fast cheeks and tongue, which lie closer in life than in the model, shut the light out, from which depth on."""
TOOTH_WIDTH, SIDE_TURN = 0.06, 0.6
"""Half a tooth in mouth widths, and the sine by which its side is turned away."""
WALLS: Final = np.array([1.0, 0.35, 0.3], np.float32)
"""What flesh returns of white light."""
LEVELS: Final = (0.02, 0.06, 0.14, 0.28, 0.5, 0.9)
"""Blurs of the outline, in mouth widths."""


@dataclass(frozen=True, slots=True, eq=False)
class Posed:
    """A mouth in pixels of a box."""

    points: Floats
    """(V, 3)"""
    normals: Floats
    """(V, 3)"""
    stuff: Floats
    triangles: NDArray[np.int32]
    lips: Array
    """(20, 3): the inner lips' outline."""


def render_mouth(mouth: Posed, size: tuple[int, int], look: MouthLook, rng: np.random.Generator) -> Floats:
    """The mouth (h, w, 3) in linear light, in a box of `size` (h, w) pixels; what lips hide is drawn, too."""
    surface = _surface(mouth, size)
    width = max(float(np.linalg.norm(mouth.lips[10, :2] - mouth.lips[0, :2])), 4.0)
    depth = _depth(surface.z, mouth.lips) / np.float32(width)
    direct, around = _light(depth * np.float32(look.dimming), mouth.lips[:, :2], width, look.light, size)
    hidden = np.exp(-CHEEKS * np.float32(look.dimming) * np.maximum(depth - FRONT, 0.0))
    direct, around = direct * hidden, around * hidden
    colour = _colours(surface.stuff, look, rng)
    colour *= (1 - np.float32(look.gaps) * _between_teeth(surface, width))[..., None]
    facing = np.clip((surface.normal @ look.light.astype(np.float32) + WRAP) / (1 + WRAP), 0.0, 1.0)
    top = (np.clip(-look.light[2], 0.2, 1.0) + WRAP) / (1 + WRAP)
    sky = 0.55 - 0.45 * surface.normal[..., 2]
    lit = (1 - look.ambient) / top * direct * facing + look.ambient * around * sky
    walls = np.float32(look.bounce) * (1 - around) * around
    shown = colour * (lit[..., None] + walls[..., None] * WALLS)
    shown += (_highlights(surface, look) * (0.2 + 0.8 * direct) * around)[..., None]
    return np.asarray(cv2.resize(shown, size[::-1], interpolation=cv2.INTER_AREA), dtype=np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class _Surface:
    normal: Floats
    """(h, w, 3)"""
    stuff: Floats
    """(h, w): NaN where there is nothing."""
    z: Floats
    """(h, w): pixels; inf where there is nothing."""


def _surface(mouth: Posed, size: tuple[int, int]) -> _Surface:
    fine = (size[0] * FINE, size[1] * FINE)
    target = np.ascontiguousarray((mouth.points + [0.5, 0.5, 0.0]) * [FINE, FINE, 1.0] - [0.5, 0.5, 0.0], np.float32)
    across, z = ops.rasterize_flow(target, np.ascontiguousarray(mouth.normals[:, :2]), mouth.triangles, size=fine)
    attributes = np.stack([mouth.stuff, mouth.normals[:, 2]], axis=1)
    stuff, _ = ops.rasterize_flow(target, attributes, mouth.triangles, size=fine, depth=np.empty_like(z))
    nothing = np.isinf(z)
    normal = np.dstack([across, np.minimum(stuff[..., 1], 0.0)])
    normal /= np.linalg.norm(normal, axis=2, keepdims=True) + np.float32(1e-6)
    normal[nothing] = (0.0, 0.0, -1.0)
    code = stuff[..., 0].copy()
    code[nothing] = PALATE
    return _Surface(normal, code, z)


def _depth(z: Floats, lips: Array) -> Floats:
    """(h, w): pixels behind the plane through the lips."""
    plane = np.linalg.lstsq(np.column_stack([lips[:, :2], np.ones(len(lips))]), lips[:, 2], rcond=None)[0]
    rows = (np.arange(z.shape[0], dtype=np.float32)[:, None] + 0.5) / FINE - 0.5
    columns = (np.arange(z.shape[1], dtype=np.float32)[None] + 0.5) / FINE - 0.5
    depth = z - (columns * plane[0] + rows * plane[1] + plane[2]).astype(np.float32)
    width = np.linalg.norm(lips[10, :2] - lips[0, :2])
    depth[np.isinf(z)] = NOWHERE * width
    return np.asarray(np.maximum(depth, 0.0), dtype=np.float32)


def _light(depth: Floats, lips: Array, width: float, light: Array, size: tuple[int, int]) -> tuple[Floats, Floats]:
    """(h, w) each, fine: the shares 0..1 of the main light and of the light from everywhere. Depth in mouth widths."""
    margin = int(0.6 * width) + 2
    mask = outline_mask(lips + margin, (size[0] + 2 * margin, size[1] + 2 * margin))
    blurs = [cv2.GaussianBlur(mask, (0, 0), max(level * width, 0.3)) for level in LEVELS]
    y, x = np.mgrid[0 : depth.shape[0], 0 : depth.shape[1]].astype(np.float32)
    x, y = (x + 0.5) / FINE - 0.5 + margin, (y + 0.5) / FINE - 0.5 + margin
    around = _between(blurs, depth * np.float32(0.9), x, y)
    reach = np.minimum(depth, 1.0) * np.float32(width / max(-light[2], 0.2))
    at_x, at_y = x + reach * np.float32(light[0]), y + reach * np.float32(light[1])
    direct = _between(blurs, SOFT_LIGHT + depth * np.float32(0.25), at_x, at_y)
    return direct, around


def _between(blurs: list[Floats], level: Floats, x: Floats, y: Floats) -> Floats:
    """Blurred pictures sampled at x, y, between the two whose blur is nearest to `level`."""
    place = np.interp(level, LEVELS, np.arange(len(LEVELS))).astype(np.float32)
    out = np.zeros_like(level)
    for i, blurred in enumerate(blurs):
        share = np.clip(1 - np.abs(place - i), 0.0, 1.0)
        if share.any():
            out += share * cv2.remap(blurred, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return out


def _colours(stuff: Floats, look: MouthLook, rng: np.random.Generator) -> Floats:
    """(h, w, 3): what the surface would show in full light."""
    knots = np.array([PALATE, GUM, TONGUE])
    rows = np.stack([look.gum * [0.8, 0.75, 0.75], look.gum, look.tongue])
    soft = np.stack([np.interp(stuff, knots, rows[:, k]) for k in range(3)], axis=-1).astype(np.float32)
    coarse = rng.normal(0.0, 1.0, [max(n // 4, 1) for n in stuff.shape]).astype(np.float32)
    noise = cv2.resize(coarse, stuff.shape[::-1])
    rough = np.clip(stuff - GUM, 0.0, 1.0) * np.float32(look.coat)
    soft += (rough * (0.18 + 0.10 * noise))[..., None] * (look.tooth * 0.8 - look.tongue).astype(np.float32)
    way = np.clip(stuff - TOOTH, 0.0, 1.0)
    root = look.tooth * [0.9, 0.8, 0.66]
    edge = look.tooth * [0.88, 0.92, 0.96]
    tooth = np.stack(
        [np.interp(way, (0.0, 0.35, 0.8, 1.0), (root[k], look.tooth[k], look.tooth[k], edge[k])) for k in range(3)],
        axis=-1,
    )
    return np.asarray(np.where((stuff >= TOOTH - 0.5)[..., None], tooth, soft), dtype=np.float32)


def _between_teeth(surface: _Surface, width: float) -> Floats:
    """(h, w) in 0..1: 1 where a tooth turns away from its neighbours' common direction, as it does at its sides."""
    across = surface.normal[..., 0]
    apart = np.abs(across - cv2.GaussianBlur(across, (0, 0), max(TOOTH_WIDTH * width * FINE, 0.3)))
    return np.where(surface.stuff >= TOOTH - 0.5, np.clip(apart / SIDE_TURN, 0.0, 1.0), 0.0).astype(np.float32)


def _highlights(surface: _Surface, look: MouthLook) -> Floats:
    half = look.light + [0.0, 0.0, -1.0]
    facing = np.clip(surface.normal @ (half / np.linalg.norm(half)).astype(np.float32), 0.0, 1.0)
    return np.asarray(np.float32(look.gloss) * facing ** np.float32(look.sharpness), dtype=np.float32)
