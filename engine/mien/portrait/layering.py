"""Takes a portrait apart into head, body and background, each continued behind what lies before it.

Laid over each other where they were, the layers give the picture's own pixels: in soft edges the colours of the nearer
layer are solved from the picture and what lies behind.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.face import topology
from mien.face.face import eye_distance
from mien.face.measures import contour_middle
from mien.face.pose import Similarity
from mien.portrait.beyond import body_beyond, head_beyond
from mien.portrait.exemplar import fill_by_patches
from mien.portrait.hidden import hidden_body
from mien.portrait.matting import fine_matte
from mien.portrait.portrait import Layers
from mien.portrait.separating import head_share
from mien.portrait.shade import Shade, shade_of

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

BARE: Final = 0.01
"""Opacity below which a layer does not change what lies behind it."""
FARTHEST: Final = 6.0
"""Largest distance of the head's outline, as a multiple of the face contour's."""


def layers_of(
    pixels: Pixels, landmarks: Array, shape: Array, pose: Similarity, person: Floats, matte: Pixels, shares: Floats
) -> Layers:
    """The layers of a portrait.

    Args:
        pixels: (H, W, 3).
        landmarks: (478, 3) in pixels; `shape` is the same un-posed by `pose`.
        person: (H, W) in 0..1, as the segmentation of persons gives it.
        matte: (H, W): that with a soft margin.
        shares: (3, H, W) in 0..1, of the groups of classes of `mien.portrait.separating`.
    """
    eyes = eye_distance(landmarks)
    whole = fine_matte(pixels, (person + np.minimum(shares.sum(axis=0), 1)) / 2, matte, eyes)
    share = head_share(pixels, landmarks, shares)
    head, body = whole * share, whole * (1 - share)
    background = fill_by_patches(pixels, matte == 0)
    known = (body > 0.97) & (head < BARE)
    covered = np.maximum(body, hidden_body(head, body, whole, landmarks, pose))
    cloth = fill_by_patches(pixels, known, (covered > 0) & ~known)
    shade = shade_of(cloth, landmarks, pose, body, covered)
    parts = _Parts.solved(pixels, background, cloth, covered, head, shade)
    head_layer = head_beyond(parts.head, parts.head_alpha, landmarks, pose)
    middle = contour_middle(shape, pose)[:2]
    reach = _reach(head_layer.alpha, head_layer.corner, middle, landmarks)
    return Layers(parts.background, body_beyond(parts.body, parts.body_alpha, eyes), head_layer, reach)


class _Parts:
    """Colours and opacities (H, W, 3) and (H, W) uint8 whose composite is the picture."""

    background: Pixels
    body: Pixels
    body_alpha: Pixels
    head: Pixels
    head_alpha: Pixels

    @classmethod
    def solved(
        cls, pixels: Pixels, background: Pixels, cloth: Pixels, covered: Floats, head: Floats, shade: Shade
    ) -> _Parts:
        out = cls()
        picture, behind = pixels.astype(np.float32), background.astype(np.float32)
        out.body_alpha, body = _bytes(covered * 255), covered_share(covered)
        out.head_alpha, over = _bytes((1 - (1 - head) * (1 - shade.opacity)) * 255), None
        over = out.head_alpha.astype(np.float32)[..., None] / 255
        lit = shade.lifted(cloth.astype(np.float32))
        seen = (1 - over) > 0.02
        # first the body against the background, where nothing lies before it
        bare = (out.head_alpha == 0)[..., None]
        own = np.where(bare, _nearer(picture, behind, body), lit)
        under = behind + (own - behind) * body
        colour = _nearer(picture, under, over)
        # what the clipped colours of the head cannot give, the layers behind it must
        asked = np.clip((picture - over * colour) / np.maximum(1 - over, 0.02), 0, 255)
        asked = np.where(seen, asked, under)
        own = np.where(body > 0.5, np.clip((asked - behind * (1 - body)) / np.maximum(body, 0.5), 0, 255), own)
        behind = np.where(body < 0.98, _farther(asked, own, body), behind)
        out.background, out.body, out.head = _bytes(behind), _bytes(own), _bytes(colour)
        return out


def covered_share(alpha: Floats) -> Floats:
    """(H, W, 1) in 0..1 as bytes hold it."""
    return np.asarray(_bytes(alpha * 255).astype(np.float32)[..., None] / 255, dtype=np.float32)


def _nearer(picture: Floats, behind: Floats, over: Floats) -> Floats:
    """Colours of a layer of opacity `over` that give `picture` before `behind`, as far as there are such colours."""
    colour = (picture - behind * (1 - over)) / np.maximum(over, 1 / 255)
    return np.asarray(np.clip(np.where(over > 0, colour, picture), 0, 255), dtype=np.float32)


def _farther(picture: Floats, colour: Floats, over: Floats) -> Floats:
    behind = (picture - colour * over) / np.maximum(1 - over, 0.02)
    return np.asarray(np.clip(behind, 0, 255), dtype=np.float32)


def _bytes(values: Floats) -> Pixels:
    return np.ascontiguousarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))


def _reach(alpha: Pixels, corner: tuple[int, int], middle: Array, landmarks: Array) -> Array:
    """(36,): how far the head reaches in the direction of each point of the contour, as a multiple of its distance."""
    ways = landmarks[list(topology.OVAL), :2] - middle
    steps = np.arange(1.0, FARTHEST, 0.02)
    places = np.rint(middle - corner + steps[:, None, None] * ways[None]).astype(np.int64)
    height, width = alpha.shape
    inside = ((places >= 0) & (places < (width, height))).all(axis=2)
    x, y = np.clip(places[..., 0], 0, width - 1), np.clip(places[..., 1], 0, height - 1)
    there = inside & (alpha[y, x] > 4)
    reach = np.where(there, steps[:, None], 1.0).max(axis=0)
    return np.asarray(np.maximum.reduce([np.roll(reach, -1), reach, np.roll(reach, 1)]))
