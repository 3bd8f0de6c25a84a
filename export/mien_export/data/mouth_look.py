"""How an inner mouth looks in a photograph: colours, light and wetness, drawn about the photograph's tones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien_export.data.tones import LUMA, Tones

Array = NDArray[np.float64]


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
    crooked: float
    """How uneven the teeth stand, in eye distances."""


def random_look(tones: Tones, rng: np.random.Generator) -> MouthLook:
    """A look that fits a photograph with these tones."""
    white, skin = tones.white, float(tones.skin @ LUMA)
    grey = float(white @ LUMA)
    stain = rng.uniform(0.0, 0.3)
    yellow = np.array([1.0, 1.0 - 0.35 * stain - rng.uniform(0.0, 0.05), 1.0 - stain])
    tooth = white * yellow * rng.uniform(0.72, 1.05)
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
        crooked=float(rng.uniform(0.0, 0.006)),
    )


def _flesh(lips: Array, grey: float) -> Array:
    """Wet tissue under this light: red as lips are without lipstick, of a brightness between lips and teeth."""
    red = np.array([1.0, 0.26, 0.25])
    tint = lips / max(float(lips.max()), 1e-6)
    colour = 0.65 * red + 0.35 * np.array([1.0, float(np.clip(tint[1], 0.2, 0.5)), float(np.clip(tint[2], 0.18, 0.5))])
    bright = 0.55 * float(lips @ LUMA) + 0.2 * grey
    return np.asarray(colour * (bright / float(colour @ LUMA)))
