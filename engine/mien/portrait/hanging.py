"""Hair and veils that hang from the head on to the body: they change from one layer to the other softly.

Cut across, such a piece would be torn as soon as the head moves. Where both sides of the cut are of one colour, both
layers show the picture, and one fades into the other.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.sums import smoothstep

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

BESIDE: Final = 0.1
"""Width in eye distances over which the colours of both sides of a cut are averaged."""
FADES: Final = 0.16
"""Width in eye distances over which one layer fades into the other."""
ALIKE: Final = (10.0, 22.0)
"""Difference of the sides, weighed, from which they are less and less, and no longer, of one material."""
WEIGHTS: Final = np.array([0.4, 1.5, 1.5], np.float32)
"""Of the levels of CIELAB in it: folds and shadows change the lightness of cloth and hair, hardly their colour."""
COVERS: Final = (0.4, 0.7)
"""Share of hair and coverings in what the head shows at the cut: against a face the cut is always sharp."""
COARSE: Final = 40.0
"""Pixels of an eye distance in which all this is found out at most: it is soft."""
WITHIN: Final = 0.98
"""Share of the head up to which the body shows the picture, too."""


def softened(pixels: Pixels, share: Floats, whole: Floats, shares: Floats, eyes: float) -> tuple[Floats, Floats]:
    """`share` (H, W), as `mien.portrait.separating.head_share` gives it, soft across what hangs; and how far the body
    shows the picture there, too (H, W), in 0..1.

    Args:
        pixels: (H, W, 3).
        whole: (H, W) in 0..1, opacity of the person.
        shares: (5, H, W) in 0..1, of the groups of classes of `mien.portrait.separating`.
        eyes: the distance of the outer eye corners in pixels.
    """
    small = min(COARSE / eyes, 1.0)
    size = (max(round(share.shape[1] * small), 1), max(round(share.shape[0] * small), 1))
    lab = cv2.cvtColor(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2LAB).astype(np.float32)
    face = shares[:2].sum(axis=0) / np.maximum(shares.sum(axis=0), 1e-3)
    head, all_of_it, seen = (
        np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), dtype=np.float32)
        for part in (share * whole, whole, face)
    )
    hangs, soft = (
        cv2.resize(part, share.shape[::-1], interpolation=cv2.INTER_LINEAR)
        for part in _hanging(lab, head, all_of_it, seen, eyes * small)
    )
    fading = share + (soft - share) * hangs
    both = hangs * np.clip((WITHIN - fading) / 0.1, 0, 1) * np.clip((fading - 1 + WITHIN) / 0.1, 0, 1)
    return fading.astype(np.float32), both.astype(np.float32)


def _hanging(lab: Floats, head: Floats, whole: Floats, face: Floats, eyes: float) -> tuple[Floats, Floats]:
    """(h, w) each: where the cut between head and body goes through one material, and the head's share, softened."""
    body = np.maximum(whole - head, 0)
    above, below = (_blurred(side, BESIDE * eyes) for side in (head, body))
    colours = [
        _blurred(lab * side[..., None], BESIDE * eyes) / np.maximum(total, 1e-4)[..., None]
        for side, total in ((head, above), (body, below))
    ]
    alike = 1 - _step(np.linalg.norm((colours[0] - colours[1]) * WEIGHTS, axis=2), ALIKE)
    covering = _blurred(head * np.clip(1 - face, 0, 1), BESIDE * eyes) / np.maximum(above, 1e-4)
    cut = (above > 1e-3) & (below > 1e-3)
    hangs = _blurred(np.where(cut, alike * _step(covering, COVERS), 0), BESIDE * eyes / 2)
    return hangs, _blurred(head, FADES * eyes) / np.maximum(_blurred(whole, FADES * eyes), 1e-4)


def _blurred(values: NDArray[np.float32], width: float) -> Floats:
    return np.asarray(cv2.GaussianBlur(np.asarray(values, dtype=np.float32), (0, 0), width), dtype=np.float32)


def _step(values: Floats, between: tuple[float, float]) -> Floats:
    """0 below the first, 1 above the second, smooth between."""
    return np.asarray(smoothstep(np.clip((values - between[0]) / (between[1] - between[0]), 0.0, 1.0)))
