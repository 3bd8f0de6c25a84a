"""Five coarse classes of a portrait: a spatial prior from the face, colours learnt from the picture itself.

Each class has a hand-made prior (`priors`). From seeds that are sure the colour and texture of each class are counted,
which gives a posterior; its pixels are the next seeds. A guided filter holds the posterior to the picture's edges.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mien.face import topology
from mien_export.families.parsing.face_frame import Bits, FaceFrame, Floats

Pixels = NDArray[np.uint8]
Bins = NDArray[np.int64]

BACKDROP, SKIN, HAIR, NECK, CLOTH = range(5)
ROUNDS: Final = 3
LIGHTNESS_BINS, COLOUR_BINS, TEXTURE_BINS = 14, 32, 12
SKIN_LIKE: Final = 0.12
"""Share of the face's own skin likelihood from which on a pixel is no seed of hair: bald heads are not hair."""
SMALLEST: Final = 0.012
"""Area in squared units below which a separate piece of a class is an error."""
_FEATURES: Final = (
    *(topology.UPPER_LIP, topology.LOWER_LIP, topology.INNER_LIPS),
    *topology.EYES,
    *(topology.LEFT_BROW, topology.RIGHT_BROW),
)


def coarse_labels(picture: Pixels, frame: FaceFrame, matte: Floats) -> NDArray[np.int64]:
    """(H, W) of 0..4 for a picture (H, W, 3) RGB and a matte (H, W) of the person in 0..1."""
    prior = priors(frame, matte)
    lab = cv2.bilateralFilter(cv2.cvtColor(picture, cv2.COLOR_RGB2LAB).astype(np.float32), 5, 12, 3)
    colours, texture = _colour_bins(lab), _texture_bins(picture)
    guide = picture.astype(np.float32) / np.float32(255)
    core = _core(frame)
    seeds = _first_seeds(frame, matte, prior, core, _colour_likelihood(colours, core))
    posterior = prior
    for _ in range(ROUNDS):
        posterior = _filtered(_posterior(prior, colours, texture, seeds), guide)
        seeds = _next_seeds(posterior, matte, core)
    return _cleaned(posterior, core, SMALLEST * frame.unit**2)


def priors(frame: FaceFrame, matte: Floats) -> Floats:
    """(5, H, W): how likely each class is by its place alone; the matte decides between backdrop and person."""
    u, v, outside = np.abs(frame.u), frame.v, frame.outside
    inside = _step(-outside, 0.02)
    above_brows = _step(-0.22 - v, 0.04)
    below_jaw = _step(v - 0.55, 0.06) * (1 - inside)
    ear = np.exp(-np.maximum(outside - 0.02, 0) / 0.09) * _step(v + 0.32, 0.04) * _step(0.5 - v, 0.05)
    top = _step(-0.55 - v, 0.06)
    scalp = 0.75 * np.exp(-np.maximum(outside, 0) / 0.22) * top
    skin = inside * (0.97 - 0.22 * above_brows * _step(outside, 0.05))
    skin = skin + (1 - inside) * np.clip(scalp + 0.55 * ear * (1 - top), 0, 0.9)
    before_neck = _step(v - 0.9, 0.08) * np.exp(-np.maximum(u - 0.7 * frame.half_width, 0) / 0.08)
    falling = np.where(v < 0.25, 1.0, 0.6 * np.clip(1 - (v - 0.25) / 1.3, 0.05, 1))
    hair = (1 - inside) * falling * (1 - 0.5 * ear) * (1 - 0.85 * before_neck) + inside * (0.02 + 0.12 * above_brows)
    column = np.exp(-(np.maximum(u - 0.72 * frame.half_width, 0) ** 2) / (2 * 0.10**2))
    neck = 0.75 * below_jaw * column * np.clip(1 - np.maximum(v - 1.25, 0) / 0.9, 0.05, 1)
    beside = 0.25 + 0.75 * _step(u - 0.5 * frame.half_width, 0.08)
    cloth = below_jaw * (np.clip((v - 0.95) / 0.45, 0.03, 1) * beside + _step(v - 1.75, 0.08))
    person = np.stack([skin, hair, neck, cloth]) + 1e-3
    share = np.clip(matte, 0.02, 0.98)
    shares = np.concatenate([(1 - share)[None], person / person.sum(axis=0) * share])
    return np.asarray(shares, dtype=np.float32)


def _step(values: Floats, width: float) -> Floats:
    """0 to 1 smoothly where `values` pass 0."""
    return np.asarray(1 / (1 + np.exp(-np.clip(values / width, -30, 30))), dtype=np.float32)


def _core(frame: FaceFrame) -> Bits:
    """Pixels that are skin of the face for sure."""
    features = np.logical_or.reduce([frame.part(outline, grow=3) for outline in _FEATURES])
    return np.asarray((frame.outside < -0.04) & (frame.v > -0.45) & ~features)


def _first_seeds(frame: FaceFrame, matte: Floats, prior: Floats, core: Bits, skin: Floats) -> Floats:
    likeness = np.clip(skin / (np.median(skin[core]) + 1e-9 if core.any() else 1.0), 0, 1)
    sure = matte > 0.85
    hair = sure & (frame.outside > 0.05) & (frame.v < 0.1) & (likeness < SKIN_LIKE)
    neck = (prior[NECK] > 0.4) & (matte > 0.8)
    cloth = (prior[CLOTH] > 0.6) & (matte > 0.8)
    weights = (matte < 0.1, core, hair * prior[HAIR], neck * (0.1 + 0.9 * np.minimum(3 * likeness, 1)), cloth)
    return np.stack([np.asarray(weight, dtype=np.float32) for weight in weights])


def _next_seeds(posterior: Floats, matte: Floats, core: Bits) -> Floats:
    hard = posterior.argmax(axis=0)
    sure = posterior > 0.6
    seeds = (
        (hard == BACKDROP) & (matte < 0.3),
        (hard == SKIN) & (core | (posterior[SKIN] > 0.7)),
        *((hard == kind) & sure[kind] for kind in (HAIR, NECK, CLOTH)),
    )
    return np.asarray(np.stack(seeds), dtype=np.float32)


def _posterior(prior: Floats, colours: Bins, texture: Bins, seeds: Floats) -> Floats:
    likelihoods = np.stack([_colour_likelihood(colours, seed) for seed in seeds])
    likelihoods[NECK] = 0.5 * likelihoods[NECK] + 0.5 * likelihoods[SKIN]
    textures = np.stack([_texture_likelihood(texture, seed) for seed in seeds])
    log = np.log(prior + 1e-5)
    log += np.log(likelihoods / (likelihoods.sum(axis=0) + 1e-12) + 1e-3)
    log += 0.5 * np.log(textures / (textures.sum(axis=0) + 1e-9) + 3e-2)
    out = np.exp(log - log.max(axis=0))
    return np.asarray(out / out.sum(axis=0), dtype=np.float32)


def _filtered(posterior: Floats, guide: Floats) -> Floats:
    """Held to the edges of the picture (He et al., Guided Image Filtering, 2010)."""
    smooth = np.stack([cv2.ximgproc.guidedFilter(guide, plane, 5, 2e-4) for plane in posterior])
    smooth = np.clip(smooth, 1e-4, 1)
    return np.asarray(smooth / smooth.sum(axis=0), dtype=np.float32)


def _colour_bins(lab: Floats) -> Bins:
    lightness = np.clip(lab[..., 0] / 256 * LIGHTNESS_BINS, 0, LIGHTNESS_BINS - 1).astype(np.int64)
    a, b = (np.clip((lab[..., i] - 96) / 64 * COLOUR_BINS, 0, COLOUR_BINS - 1).astype(np.int64) for i in (1, 2))
    return np.asarray((lightness * COLOUR_BINS + a) * COLOUR_BINS + b)


def _colour_likelihood(bins: Bins, weights: Floats | Bits) -> Floats:
    """(H, W): how often each pixel's colour occurs where `weights` (H, W) are; hardly ever where nearly none are."""
    size = LIGHTNESS_BINS * COLOUR_BINS**2
    counts = np.bincount(bins.ravel(), weights.ravel(), size).reshape(LIGHTNESS_BINS, COLOUR_BINS, COLOUR_BINS)
    total = counts.sum()
    if total < 40:
        return np.full(bins.shape, 2e-4, np.float32)
    counts = ndimage.gaussian_filter(counts, (0.8, 1.0, 1.0), truncate=2.5)
    return np.asarray(((counts + 1e-5 * total) / total).ravel()[bins], dtype=np.float32)


def _texture_bins(picture: Pixels) -> Bins:
    """Logarithm of the local variance of brightness."""
    grey = picture.astype(np.float32).mean(axis=2)
    variance = cv2.GaussianBlur((grey - cv2.GaussianBlur(grey, (0, 0), 1.5)) ** 2, (0, 0), 2.0)
    return np.asarray(np.clip(1.2 * np.log2(variance + 0.5) + 1.2, 0, TEXTURE_BINS - 1), dtype=np.int64)


def _texture_likelihood(bins: Bins, weights: Floats) -> Floats:
    counts = ndimage.gaussian_filter1d(np.bincount(bins.ravel(), weights.ravel(), TEXTURE_BINS), 1.0)
    counts = counts + 0.01 * counts.sum() + 1e-3
    return np.asarray((counts / counts.sum())[bins], dtype=np.float32)


def _cleaned(posterior: Floats, core: Bits, smallest: float) -> NDArray[np.int64]:
    """The most likely class of each pixel once small separate pieces are given to what comes second."""
    left = posterior.copy()
    for _ in range(2):
        hard = left.argmax(axis=0)
        for kind in (SKIN, HAIR, NECK, CLOTH):
            left[kind][_stray(hard == kind, kind, core, smallest)] = 0
    return np.asarray(left.argmax(axis=0))


def _stray(mask: Bits, kind: int, core: Bits, smallest: float) -> Bits:
    pieces, count = ndimage.label(mask)
    if count <= 1:
        return np.zeros_like(mask)
    sizes = np.bincount(pieces.ravel(), minlength=count + 1)
    keep = sizes >= (max(0.25 * sizes[1:].max(), smallest) if kind == NECK else smallest)
    if kind == SKIN:  # ears that hair or glasses cut off are larger than specks
        keep = sizes > 1.5 * smallest
        keep[np.unique(pieces[core])] = True
    keep[0] = True
    return np.asarray(~keep[pieces])
