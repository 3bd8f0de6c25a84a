"""A body below a portrait that ends at the collar: cloth, hair that hangs on, hands. Far looks see whole bodies."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.face import classes
from mien_export.families.parsing.accessories import noise
from mien_export.families.parsing.face_frame import Bits, Floats

Pixels = NDArray[np.uint8]

LENGTH: Final = 1.6
"""Rows that are added, as a share of the picture's."""
HANDS: Final = 0.35
"""Share of bodies before which something of the colour of skin is held: it counts as cloth, since it moves with the
body, not with the head."""


def with_body(
    picture: Pixels, labels: Pixels, person: Pixels, rng: np.random.Generator
) -> tuple[Pixels, Pixels, Pixels]:
    """Picture (S, S, 3), labels (S, S) and matte (S, S), each with rows added below.

    Hair goes on as the last row has it, for some way; all else of the person becomes cloth, and widens.
    """
    side, rows = picture.shape[0], round(LENGTH * picture.shape[0])
    shape = (rows, side)
    last = labels[-1]
    body = _widened(person[-1] > 127, rows, rng.uniform(0.0, 1.0))
    hair = body & (last == classes.HAIR) & (np.arange(rows)[:, None] < _hair_lengths(side, rng))
    added = np.where(body, np.uint8(classes.CLOTH), np.uint8(classes.BACKGROUND))
    added[hair] = classes.HAIR
    below = np.repeat(picture[-1:], rows, axis=0).astype(np.float32)
    below += np.float32(rng.uniform(0, 8)) * noise(40, shape, rng)[..., None]
    cloth = _cloth(picture, labels, shape, rng)
    worn = body & ~hair
    below[worn] = cloth[worn]
    matte = np.where(body, np.uint8(255), np.uint8(0))
    whole = np.concatenate([picture, np.clip(below, 0, 255).astype(np.uint8)])
    return whole, np.concatenate([labels, added]), np.concatenate([person, matte])


def _widened(last: Bits, rows: int, slope: float) -> Bits:
    """(rows, S): the extent of the person in the last row, wider by `slope` pixels on each side in each row."""
    columns = np.flatnonzero(last)
    if not len(columns):
        return np.zeros((rows, len(last)), bool)
    reach = slope * np.arange(rows)[:, None]
    x = np.arange(len(last))[None]
    return np.asarray((x >= columns[0] - reach) & (x <= columns[-1] + reach))


def _hair_lengths(side: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """(1, S): rows for which hair goes on in each column."""
    long = rng.uniform(0.0, 0.6) * side
    return np.asarray(long * (1 + 0.2 * noise(12, (1, side), rng)), dtype=np.float64)


def _cloth(picture: Pixels, labels: Pixels, shape: tuple[int, int], rng: np.random.Generator) -> Floats:
    """(rows, S, 3): what the person wears already, or another garment; plain, with folds, or patterned."""
    seen = picture[labels == classes.CLOTH]
    own = len(seen) > 0 and rng.uniform() < 0.6
    colour = np.median(seen, axis=0) if own else rng.uniform(10, 240, 3)
    shade = 1 + 0.15 * noise(5, shape, rng) + np.float32(rng.uniform(0, 0.25)) * _folds(shape, rng)
    out = colour.astype(np.float32) * shade[..., None]
    if rng.uniform() < 0.25:
        for channel in range(3):
            out[..., channel] += np.float32(rng.uniform(5, 40)) * noise(int(rng.integers(10, 60)), shape, rng)
    if rng.uniform() < HANDS:
        _hold(out, _skin(picture, labels), rng)
    return np.clip(out, 0, 255)


def _folds(shape: tuple[int, int], rng: np.random.Generator) -> Floats:
    """(rows, S): soft lines, mostly downwards."""
    fine = noise(int(rng.integers(12, 40)), (shape[0] // 4, shape[1]), rng)
    return np.asarray(cv2.resize(fine, shape[::-1], interpolation=cv2.INTER_LINEAR), dtype=np.float32)


def _skin(picture: Pixels, labels: Pixels) -> Floats:
    skin = picture[labels == classes.SKIN]
    return np.asarray(np.median(skin, axis=0) if len(skin) else np.array([200, 150, 120]), dtype=np.float32)


def _hold(out: Floats, skin: Floats, rng: np.random.Generator) -> None:
    """Hands and arms, drawn as a few thick lines, in place."""
    rows, columns = out.shape[:2]
    for _ in range(int(rng.integers(1, 4))):
        points = rng.uniform((0, 0.15 * rows), (columns, rows), (int(rng.integers(2, 5)), 2)).astype(np.int32)
        mask = np.zeros((rows, columns), np.uint8)
        cv2.polylines(mask, [points], False, 255, int(rng.integers(8, 40)), cv2.LINE_AA)
        share = cv2.GaussianBlur(mask, (0, 0), 1.5)[..., None].astype(np.float32) / np.float32(255)
        shade = 1 + 0.15 * noise(10, (rows, columns), rng)[..., None]
        out += (skin * shade - out) * share
