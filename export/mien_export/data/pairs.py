"""Synthetic training pairs from stills: the photograph is the target, and the source portrait is made from it.

The engine warps the photograph to other landmarks, which gives the source portrait. Warping that back, as the engine
does at run time, gives the generator's warped input; the original photograph is the target: real teeth, eyes and skin.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.draw.eyes import Eyes
from mien.face.contacts import LOWER_LIP_RIM, UPPER_LIP_RIM, lip_gaps
from mien.face.crop import SIDE, crop_matrix
from mien.face.face import MouthHint
from mien.face.motion import Motion, identity_motion
from mien.fuse.fuse import Fuse
from mien.paint.erase import erase_invalid
from mien.paint.parsing import TEETH, parsing_map
from mien.plane import inverse, placed
from mien.portrait.building import prepare_portrait
from mien.portrait.portrait import Portrait
from mien.reenact.mesh import mesh_of
from mien.reenact.reenact import Puppet
from mien.reenact.target import Target, target_of
from mien_export.data.hint import hint_picture
from mien_export.data.skin import moved_skin
from mien_kernels import ops

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]

FOUND_WITHIN = 0.4
"""Standard deviation in crop pixels by which a landmarker misses, smooth over the face."""
RIM_WITHIN: Final = 0.045
"""The same of an open lip's rim, which teeth and tongue hide, as a share of the opening."""
BADLY: Final = 0.3
"""How often a rim is missed by three times as much: teeth are then taken for a part of the lip."""


PLANES: Final = ("source_parsing", "parsing")
"""Fields of a pair whose channels come first."""


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """One training sample: bytes where bytes do. h and w are the crop's."""

    target: Pixels
    """(h, w, 3): the truth."""
    source: Pixels
    """(h, w, 3): the portrait that is animated."""
    source_parsing: Pixels
    """(9, h, w): times 255."""
    parsing: Pixels
    """(9, h, w): of the target, times 255."""
    warped: Pixels
    """(h, w, 3): the source warped to the target, erased where a warp cannot know."""
    hint: Pixels
    """(h, w, 3): the driver's inner mouth, 128 elsewhere and where there is none."""
    flow: NDArray[np.float32]
    """(h, w, 2): absolute, from target pixels to source pixels."""
    valid: Pixels
    """(h, w): 255 where the target is photograph and not padding."""

    def cut(self, x0: int, y0: int, side: int) -> Pair:
        """The part that starts at (x0, y0), the source's cut alike."""
        area = (slice(y0, y0 + side), slice(x0, x0 + side))
        planes = (slice(None), *area)
        parts = {
            field.name: getattr(self, field.name)[planes if field.name in PLANES else area] for field in fields(self)
        }
        parts["flow"] = parts["flow"] - np.array([x0, y0], dtype=np.float32)
        return Pair(**{name: np.ascontiguousarray(part) for name, part in parts.items()})


def manufacture(
    portrait: Portrait,
    moved: Target,
    rng: np.random.Generator,
    hint: MouthHint | None,
    truth: Portrait | None = None,
    mouth_kept: bool = False,
) -> Pair:
    """The pair whose source shows `portrait` moved, and whose truth is `truth`, or `portrait` as it was.

    `mouth_kept`: the source shows what the portrait has between its lips, not a mouth drawn anew.

    Raises:
        FaceError: the moved face cannot be animated.
    """
    source = moved_skin(portrait, moved) if mouth_kept else render(portrait, moved)
    found = moved.landmarks + _missed(rng, portrait) + _missed_rims(rng, moved)
    return pair_of(portrait if truth is None else truth, prepare_portrait(source, found, None), rng, hint)


def pair_of(truth: Portrait, seen: Portrait, rng: np.random.Generator, hint: MouthHint | None) -> Pair:
    """The pair of a true picture and a source portrait `seen` of the same person; both pictures are of one size."""
    picture, source = truth.pixels, seen.pixels
    into, from_ = _jittered(crop_matrix(truth.pose), rng), crop_matrix(seen.pose)
    goal = target_of(seen, absolute(truth.landmarks, picture.shape))
    mesh = mesh_of(seen)
    vertices = placed(mesh.place(seen, goal).astype(np.float64), into).astype(np.float32)
    back = placed(mesh.texture(goal).astype(np.float64), from_).astype(np.float32)
    flow, _ = ops.rasterize_flow(vertices, back, mesh.triangles, size=(SIDE, SIDE))
    parsing = parsing_map(truth.landmarks, into, (SIDE, SIDE))
    portrait_crop = crop(source, from_)
    warped = ops.flow_warp(portrait_crop, flow)
    Eyes(portrait_crop, placed(seen.landmarks, from_))(placed(truth.landmarks, into), warped)
    erase_invalid(warped, parsing[TEETH], flow)
    target = sharp_crop(picture, into)
    return Pair(
        target=target,
        source=portrait_crop,
        source_parsing=_bytes(parsing_map(seen.landmarks, from_, (SIDE, SIDE))),
        parsing=_bytes(parsing),
        warped=warped,
        hint=hint_picture(hint, seen, placed(truth.landmarks, into)),
        flow=flow,
        valid=_inside(picture.shape, into),
    )


def render(portrait: Portrait, moved: Target) -> Pixels:
    """(H, W, 3): the portrait at other landmarks, as the engine shows it without a generator."""
    return Fuse("none")((Puppet(portrait).pose(moved),))


def crop(picture: Pixels, matrix: Array) -> Pixels:
    """(256, 256, 3): what a map (2, 3) from picture to crop shows."""
    tensor = ops.to_tensor(picture, inverse(matrix).astype(np.float32), scale=1.0, layout="nhwc", size=(SIDE, SIDE))
    return ops.to_image(tensor, scale=1.0, layout="nhwc")


def sharp_crop(picture: Pixels, matrix: Array) -> Pixels:
    """`crop` by cubic interpolation: what is to be painted is as sharp as the photograph, not as its sampling."""
    size, cubic = (SIDE, SIDE), cv2.INTER_CUBIC
    return np.asarray(cv2.warpAffine(picture, matrix, size, flags=cubic, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def prepared(picture: Pixels, landmarks: Array) -> Portrait:
    """The portrait of a training picture; its surroundings move along, as no person is cut out.

    Raises:
        FaceError: the face cannot be animated.
    """
    return prepare_portrait(picture, landmarks, None)


def absolute(landmarks: Array, shape: tuple[int, ...]) -> Motion:
    """The motion to these landmarks (478, 3), in pixels of a picture of this shape."""
    still = identity_motion()
    fractions = landmarks / np.array([shape[1], shape[0], shape[1]], dtype=np.float64)
    values = {field.name: getattr(still, field.name) for field in fields(still)}
    return Motion(**{**values, "landmarks": fractions})


def _missed(rng: np.random.Generator, portrait: Portrait) -> Array:
    """(478, 3): what a landmarker misses by, in pixels, alike for neighbours."""
    centres = portrait.landmarks[rng.integers(0, 468, 8), :2]
    reach = rng.uniform(0.2, 0.5, 8) * portrait.pose.scale
    near = np.exp(-((np.linalg.norm(portrait.landmarks[:, None, :2] - centres, axis=2) / reach) ** 2))
    return np.column_stack([near @ rng.normal(0, FOUND_WITHIN, (8, 2)), np.zeros(len(near))])


def _missed_rims(rng: np.random.Generator, moved: Target) -> Array:
    """(478, 3): what a landmarker misses the rims of open lips by, in pixels: a shift and a slope of each rim."""
    out = np.zeros_like(moved.landmarks)
    gap = max(float(lip_gaps(moved.shape).max()), 0.0) * moved.pose.scale
    down = moved.pose.rotation[:2, 1] * gap * RIM_WITHIN
    for rim in (UPPER_LIP_RIM, LOWER_LIP_RIM):
        ways = rng.normal(0, 1) + rng.normal(0, 0.5) * np.linspace(-1, 1, len(rim))
        ways *= 3.0 if rng.random() < BADLY else 1.0
        out[rim, :2] = ways[:, None] * down
    return out


def _jittered(matrix: Array, rng: np.random.Generator) -> Array:
    """The target's crop, as far off as a pose estimate may be."""
    zoom, turn, way = np.exp(rng.normal(0, 0.02)), rng.normal(0, 0.02), rng.normal(0, 1.5, 2)
    middle = np.array([SIDE / 2, SIDE / 2])
    spin = zoom * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return np.column_stack([spin @ matrix[:, :2], spin @ (matrix[:, 2] - middle) + middle + way])


def _bytes(parsing: NDArray[np.float32]) -> Pixels:
    return np.asarray(parsing * np.float32(255) + np.float32(0.5), dtype=np.uint8)


def _inside(shape: tuple[int, ...], matrix: Array) -> Pixels:
    whole = np.full((*shape[:2], 1), 255, np.uint8)
    back = inverse(matrix).astype(np.float32)
    seen = ops.to_tensor(whole, back, scale=1.0, padding="zero", size=(SIDE, SIDE))
    return np.asarray((seen[0] > 254.5) * np.uint8(255))
