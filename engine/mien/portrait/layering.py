"""Takes a portrait apart into head, body and background, each continued behind what lies before it.

Laid over each other where they were, the layers give the picture's own pixels: in soft edges the colours of the nearer
layer are solved from the picture and what lies behind.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.face import topology
from mien.face.face import eye_distance
from mien.face.measures import contour_middle
from mien.face.pose import Similarity
from mien.portrait.behind import BARE, MARGIN, taken_off
from mien.portrait.beyond import body_beyond, head_beyond
from mien.portrait.continuing import continued
from mien.portrait.exemplar import fill_by_patches
from mien.portrait.hanging import softened
from mien.portrait.hidden import hidden_body
from mien.portrait.matting import fine_matte
from mien.portrait.portrait import Layer, Layers
from mien.portrait.separating import head_share, own_colours, surely_behind, without_threads, without_walls
from mien.portrait.shade import Shade, shade_of
from mien.portrait.skin import NeckSkin
from mien.portrait.working import Working

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]
Bits = NDArray[np.bool_]

ALIKE: Final = 1.0
"""Levels by which a composite may differ from the picture for the sake of clean edges."""
THIN: Final = 0.8
"""Opacity of a layer from which what lies behind hardly shows: to give the picture's colours it would be of any."""
FAINT: Final = 0.1
"""Opacity of the head below which what it lies before is seen."""
GAP: Final = 0.35
"""Half the width of gaps in the matte that are closed, in eye distances."""
BUST: Final = 1.4
"""Eye distances from the chin to the picture's lower border from which there is more than a neck."""
FACE: Final = 0.3
"""How surely a pixel may be of the face to continue the head by."""
LEAST_AROUND: Final = 0.1
"""Share of the head around the face (hair, hat, veil) from which the head is continued by that alone."""
ROWS: Final = 32
"""Of the picture that are solved together: their arrays stay in the processor's cache."""
FARTHEST: Final = 6.0
"""Largest distance of the head's outline, as a multiple of the face contour's."""


def layers_of(
    pixels: Pixels, landmarks: Array, shape: Array, pose: Similarity, person: Floats, matte: Pixels, shares: Floats
) -> Layers:
    """The layers of a portrait.

    Args:
        pixels: (H, W, 3).
        landmarks: (478, 3) in pixels; `shape` is the same un-posed by `pose`.
        person: (h, w) in 0..1, at the picture's working size, as the segmentation of persons gives it.
        matte: (h, w): that with a soft margin.
        shares: (5, h, w) in 0..1, of the groups of classes of `mien.portrait.separating`.
    """
    working = Working.of(pixels)
    small = working.points(landmarks), working.pose(pose)
    apart = _Apart.of(working.shrunk(pixels), *small, person, matte, shares).enlarged(working, pixels)
    parts = _Parts.solved(pixels, apart)
    eyes = eye_distance(landmarks)
    opacity, room = body_beyond(apart.covered, eyes)
    short = len(pixels) - landmarks[152, 1] < BUST * eyes
    neckline = float(landmarks[152, 0]) if short else None
    sure = apart.covered > 0.97
    body_layer = continued(parts.body, parts.body_alpha, sure, opacity, room, eyes, neckline, working.share)
    face = working.enlarged(shares[:2].sum(axis=0))
    head_layer = _head(parts, apart.head, face, landmarks, pose, working.share)
    middle = contour_middle(shape, pose)[:2]
    reach = head_reach(head_layer.alpha, head_layer.corner, middle, landmarks)
    return Layers(parts.background, body_layer, head_layer, reach)


@dataclass(frozen=True, slots=True, eq=False)
class _Apart:
    """What of a picture belongs to which layer, and how the layers go on behind each other."""

    background: Pixels
    """(H, W, 3): in-painted where it is not `clear`."""
    clear: Bits
    """(H, W): surely the background's colours."""
    torso: Pixels
    """(H, W, 3): the body, in-painted where it is not `bare`."""
    bare: Bits
    """(H, W): surely the body's colours."""
    head: Floats
    """(H, W) in 0..1, as those that follow: opacity of the head."""
    covered: Floats
    """Opacity of the body, seen or hidden."""
    share: Floats
    """Whether an edge towards the background is the head's or the body's."""
    shade: Shade

    @classmethod
    def of(
        cls, pixels: Pixels, landmarks: Array, pose: Similarity, person: Floats, matte: Pixels, shares: Floats
    ) -> Self:
        """Arguments as those of `layers_of`, all of one size."""
        eyes = eye_distance(landmarks)
        colours = own_colours(pixels, shares, person, eyes)
        shares = without_walls(shares, person, colours)
        sure = np.minimum(shares.sum(axis=0), 1)
        matte = _closed(matte, sure, eyes)
        whole = fine_matte(pixels, np.maximum((person + sure) / 2, sure * (person < 0.1)), matte, eyes)
        whole, background, clear = taken_off(pixels, whole, surely_behind(person, colours), eyes)
        share = without_threads(head_share(pixels, landmarks, shares), whole, landmarks)
        share, both = softened(pixels, share, whole, shares, eyes)
        head, body = whole * share, whole * (1 - share)
        skin = NeckSkin.of(pixels, shares, eyes)
        bare_neck = np.zeros_like(clear) if skin is None else skin.bare
        hidden, neck = hidden_body(head, body, whole, bare_neck, landmarks, pose)
        covered = np.maximum.reduce([body, hidden, whole * both])
        bare = (body > 0.97) & (head < BARE) | (both * whole > 0.5)
        torso = _torso(pixels, bare, covered, neck, skin, eyes)
        shade = shade_of(torso, landmarks, pose, body, covered)
        return cls(background, clear, torso, bare, head, covered, share, shade)

    def enlarged(self, working: Working, pixels: Pixels) -> Self:
        """The same for the picture (H, W, 3) at its full size, with its own pixels wherever they are surely seen."""
        clear, bare = working.surely(self.clear), working.surely(self.bare)
        return type(self)(
            background=working.sharpened(self.background, clear, pixels),
            clear=clear,
            torso=working.sharpened(self.torso, bare, pixels),
            bare=bare,
            head=working.enlarged(self.head),
            covered=working.enlarged(self.covered),
            share=working.enlarged(self.share),
            shade=Shade(working.enlarged(self.shade.opacity), self.shade.colour),
        )

    def mixed(self) -> Bits:
        """(H, W): where there may be anything but background."""
        return np.asarray(~self.clear | (self.covered > 0) | (self.head > 0) | (self.shade.opacity > 0))

    def part(self, rows: slice, columns: slice) -> Self:
        """Some rows and columns of all."""
        at = rows, columns
        shade = Shade(self.shade.opacity[at], self.shade.colour)
        colours = self.background[at], self.clear[at], self.torso[at], self.bare[at]
        return type(self)(*colours, self.head[at], self.covered[at], self.share[at], shade)

    def lit(self) -> Floats:
        """(H, W, 3): the body's colours without the shadow of the chin."""
        return self.shade.lifted(self.torso.astype(np.float32))

    def edge(self) -> Bits:
        """(H, W): the body's own soft edge, in which there is nothing of the head: raised there to give the picture's
        colours, the head would take a thread of collar and shoulder along."""
        return np.asarray((self.head < BARE) & (self.covered > self.head) & (self.covered < 1 - BARE))

    def shaded(self) -> Floats:
        """(H, W): opacity of the head with the shadow of the chin."""
        over = 1 - (1 - self.head) * (1 - self.shade.opacity)
        return np.asarray(np.where(self.edge(), 0, over), dtype=np.float32)


def _head(parts: _Parts, head: Floats, face: Floats, landmarks: Array, pose: Similarity, share: float) -> Layer:
    """The head's layer: where the frame cuts it, continued by what is not its face, or by all of it if that is all."""
    opacity, room = head_beyond(head, landmarks, pose)
    own = parts.head_alpha > 250
    around = own & (face < FACE)
    sure = around if around.sum() > LEAST_AROUND * own.sum() else own
    return continued(parts.head, parts.head_alpha, sure, opacity, room, eye_distance(landmarks), share=share)


def _closed(matte: Pixels, sure: Floats, eyes: float) -> Pixels:
    """`matte` (H, W), somewhat wider, with narrow gaps closed where the segmenter is `sure` (H, W) of a person."""
    near = _without_gaps(matte > 0, max(round(GAP * eyes), 1) + 0.25)
    added = np.where(near & (sure > 0.5) & (matte < 255), np.uint8(255), np.uint8(0))
    added = cv2.GaussianBlur(added, (0, 0), max(0.015 * eyes, 0.8))
    margin = 2 * max(round(MARGIN * eyes), 1) + 1
    around = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (margin, margin))
    return np.asarray(cv2.dilate(np.maximum(matte, added), around), dtype=np.uint8)


def _without_gaps(cells: Bits, reach: float) -> Bits:
    """`cells` (H, W) with gaps of up to twice `reach` pixels closed: grown, then shrunk. By distances, whose time does
    not depend on the reach as that of OpenCV's closing by a disc does."""
    away = cv2.distanceTransform((~cells).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    inside = cv2.distanceTransform((away <= reach).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(inside > reach)


def _torso(pixels: Pixels, known: Bits, covered: Floats, neck: Floats, skin: NeckSkin | None, eyes: float) -> Pixels:
    """(H, W, 3): the body, in-painted where it is hidden: the neck, and what lies nearest to its skin, smoothly from
    that; all else from all that is known."""
    out = fill_by_patches(pixels, known, (covered > 0) & ~known)
    if skin is None:
        return out
    share = np.where(known, np.float32(0), np.maximum(neck, skin.nearest(known, eyes)))
    return np.asarray(cv2.blendLinear(out, skin.hidden(pixels, known, eyes), 1 - share, share), dtype=np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class _Parts:
    """Colours (H, W, 3) and opacities (H, W) whose composite is the picture."""

    background: Pixels
    body: Pixels
    body_alpha: Pixels
    head: Pixels
    head_alpha: Pixels

    @classmethod
    def solved(cls, pixels: Pixels, apart: _Apart) -> Self:
        """Of a picture (H, W, 3) and what it was taken apart into."""
        nothing = np.zeros(pixels.shape[:2], np.uint8)
        out = cls(apart.background, pixels.copy(), nothing, pixels.copy(), nothing.copy())
        mixed = apart.mixed()
        for first in range(0, len(pixels), ROWS):
            rows = slice(first, first + ROWS)
            busy = np.flatnonzero(mixed[rows].any(axis=0))
            if len(busy):
                columns = slice(busy[0], busy[-1] + 1)
                part = cls._of_part(pixels[rows, columns], apart.part(rows, columns))
                for own in fields(cls)[1:]:
                    getattr(out, own.name)[rows, columns] = getattr(part, own.name)
        return out

    @classmethod
    def _of_part(cls, pixels: Pixels, apart: _Apart) -> Self:
        picture, behind = pixels.astype(np.float32), apart.background.astype(np.float32)
        covered, head, share, cloth = apart.covered, apart.shaded(), apart.share, apart.lit()
        heads = (share > 0.5) & ~apart.edge()
        over = _whole_levels(np.where((covered < 0.5) & heads, _enough(picture, behind, head), head))
        body = _whole_levels(np.where(heads, covered, _enough(picture, behind, covered)))
        own = np.where(over > 0, cloth, _nearer(picture, behind, body))
        # where the head hardly covers it, the body is what is seen, whatever was guessed of it beside
        seen = (apart.head[..., None] < FAINT) & (body > 0.5) & (over > 0)
        own = np.where(seen, _beneath(apart.shade.lifted(picture), behind, body), own)
        under = behind + (own - behind) * body
        colour = _nearer(picture, under, over)
        # what the clipped colours of the head cannot give, the body behind it must
        asked = np.clip((picture - over * colour) / np.maximum(1 - over, 0.02), 0, 255)
        given = _beneath(asked, behind, body)
        lacking = np.abs(over * colour + (1 - over) * under - picture).max(axis=2, keepdims=True) > ALIKE
        own = np.where(lacking & (body > 0.5) & (over < THIN), given, own)
        under = behind + (own - behind) * body
        raised = _whole_levels(_enough(picture, under, over[..., 0]))
        over = np.where(over > 0, np.maximum(over, raised), over)
        colour = _nearer(picture, under, over)
        return cls(
            apart.background, _bytes(own), _bytes(body[..., 0] * 255), _bytes(colour), _bytes(over[..., 0] * 255)
        )


def _enough(picture: Floats, behind: Floats, opacity: Floats) -> Floats:
    """`opacity` (H, W), raised where no colour of it could give `picture` before `behind`."""
    apart = picture - behind
    room = np.where(apart < 0, behind, 255 - behind)
    least = np.maximum(np.abs(apart) - ALIKE, 0) / np.maximum(room, 1)
    return np.asarray(np.maximum.reduce([opacity, *np.moveaxis(least, 2, 0)]), dtype=np.float32)


def _whole_levels(opacity: Floats) -> Floats:
    """(H, W, 1) in 0..1, as bytes hold it."""
    return np.asarray(np.rint(opacity * 255)[..., None] / 255, dtype=np.float32)


def _nearer(picture: Floats, behind: Floats, over: Floats) -> Floats:
    """Colours of a layer of opacity `over` that give `picture` before `behind`, as far as there are such colours."""
    colour = (picture - behind * (1 - over)) / np.maximum(over, 1 / 255)
    return np.asarray(np.clip(np.where(over > 0, colour, picture), 0, 255), dtype=np.float32)


def _beneath(picture: Floats, behind: Floats, body: Floats) -> Floats:
    """Colours of the body, of opacity `body` and more than half opaque, that give `picture` before `behind`."""
    return np.asarray(np.clip((picture - behind * (1 - body)) / np.maximum(body, 0.5), 0, 255), dtype=np.float32)


def _bytes(values: Floats) -> Pixels:
    return np.ascontiguousarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))


def head_reach(alpha: Pixels, corner: tuple[int, int], middle: Array, landmarks: Array) -> Array:
    """(36,): how far the head reaches in the direction of each point of the contour, as a multiple of its distance."""
    ways = landmarks[list(topology.OVAL), :2] - middle
    steps = np.arange(1.0, FARTHEST, 0.02)
    places = np.rint(middle - corner + steps[:, None, None] * ways[None]).astype(np.int64)
    height, width = alpha.shape
    inside = ((places >= 0) & (places < (width, height))).all(axis=2)
    x, y = np.clip(places[..., 0], 0, width - 1), np.clip(places[..., 1], 0, height - 1)
    there = inside & (alpha[y, x] > 4)
    reach = np.where(there, steps[:, None], 1.0).max(axis=0)
    widened = np.maximum.reduce([np.roll(reach, -1), reach, np.roll(reach, 1)])
    # no notch in the outline, where a neck leaves the jaw: its rings would lie too close together
    return np.asarray(np.maximum(widened, (np.roll(widened, -1) + np.roll(widened, 1)) / 2))
