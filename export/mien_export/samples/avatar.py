"""A drawn avatar: flat shapes with soft shading, on the proportions of the canonical face."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from mien.face import topology
from mien.face.topology import canonical_face
from mien_export.samples.album import Array, Picture
from mien_export.samples.attire import curve
from mien_export.samples.blending import Plane, blur

SIDE: Final = 1024
CENTRE: Final = np.array([512.0, 452.0])
UNIT: Final = 262.0
"""Pixels per eye distance."""
OVERSAMPLING: Final = 2
EYES_LARGER: Final = 1.28

LOCKS: Final = (
    ((0.05, -1.0), (-0.4, -0.9), (-0.72, -0.56), (-0.84, -0.1)),
    ((0.1, -0.92), (-0.25, -0.8), (-0.58, -0.52)),
    ((0.22, -1.02), (0.56, -0.86), (0.78, -0.5), (0.88, -0.05)),
    ((-0.05, -1.07), (-0.52, -0.97), (-0.84, -0.6)),
)

Rgb = tuple[int, int, int]
SKIN: Final[Rgb] = (244, 196, 164)
SHADE: Final[Rgb] = (214, 144, 116)
HAIR: Final[Rgb] = (74, 50, 92)
HAIR_LIGHT: Final[Rgb] = (122, 86, 142)
INK: Final[Rgb] = (58, 34, 50)
IRIS: Final[Rgb] = (46, 128, 132)
LIP: Final[Rgb] = (200, 92, 96)
HOOD: Final[Rgb] = (238, 176, 74)
HOOD_SHADE: Final[Rgb] = (206, 136, 48)
WALL: Final[Rgb] = (150, 206, 204)
DISC: Final[Rgb] = (196, 230, 222)


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """Drawing paper, enlarged `OVERSAMPLING` times; coordinates are those of the finished picture."""

    picture: Picture

    def cover(self, outline: Array, soft: float = 0.0) -> Plane:
        """Coverage of a polygon (P, 2), its edge `soft` pixels wide."""
        mask = np.zeros(self.picture.shape[:2], np.uint8)
        points = np.round(outline * OVERSAMPLING * 16).astype(np.int32)
        cv2.fillPoly(mask, [points], 255, cv2.LINE_AA, 4)
        plane = mask.astype(np.float32) / 255
        return blur(plane, soft * OVERSAMPLING) if soft else plane

    def fill(
        self, outline: Array, colour: Rgb, soft: float = 0.0, opacity: float = 1.0, within: Plane | None = None
    ) -> None:
        """Fill a polygon; `within` clips it."""
        mask = self.cover(outline, soft) * opacity
        mask = mask if within is None else mask * within
        self.picture[:] += mask[..., None] * (np.array(colour, np.float32) / 255 - self.picture)

    def stroke(self, path: Array, widths: tuple[float, float], colour: Rgb, opacity: float = 1.0) -> None:
        """A brush stroke, `widths` pixels at its ends and its middle."""
        t = np.linspace(-1, 1, len(path))
        half = (widths[1] - (widths[1] - widths[0]) * np.abs(t) ** 1.6)[:, None] / 2
        way = np.gradient(path, axis=0)
        normal = np.column_stack([-way[:, 1], way[:, 0]]) / (np.linalg.norm(way, axis=1, keepdims=True) + 1e-9)
        self.fill(np.concatenate([path + normal * half, (path - normal * half)[::-1]]), colour, 0.0, opacity)


def at(*points: tuple[float, float]) -> list[tuple[float, float]]:
    """Points of the canonical plane (eye distances) in pixels."""
    return [(float(CENTRE[0] + UNIT * x), float(CENTRE[1] + UNIT * y)) for x, y in points]


def closed(points: list[tuple[float, float]], count: int = 240) -> Array:
    """A smooth closed line through `points`."""
    wrapped = [*points[-2:], *points, *points[:3]]
    line = curve(wrapped, count * len(wrapped) // len(points))
    ends = [int(np.argmin(np.linalg.norm(part - points[0], axis=1))) for part in (line[: len(line) // 2],)]
    tail = len(line) // 2 + int(np.argmin(np.linalg.norm(line[len(line) // 2 :] - points[0], axis=1)))
    return line[ends[0] : tail]


def open_line(*points: tuple[float, float]) -> Array:
    """A smooth open line through canonical points, in pixels."""
    return curve(at(*points), 80)


def mirrored(outline: Array) -> Array:
    """The mirror image about the face's middle."""
    return np.asarray(outline * [-1, 1] + [2 * CENTRE[0], 0])


def draw_avatar() -> Picture:
    """The picture (1024, 1024, 3)."""
    size = SIDE * OVERSAMPLING
    sheet = Sheet(np.tile(np.array(WALL, np.float32) / 255, (size, size, 1)))
    _behind(sheet)
    _body(sheet)
    _head(sheet)
    for flip in (False, True):
        _eye(sheet, flip)
        _brow(sheet, flip)
    _nose(sheet)
    _mouth(sheet)
    _fringe(sheet)
    return np.asarray(np.clip(cv2.resize(sheet.picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA), 0, 1))


def _behind(sheet: Sheet) -> None:
    around = np.linspace(0, 2 * np.pi, 200)
    sheet.fill(np.column_stack([512 + 400 * np.cos(around), 470 + 400 * np.sin(around)]), DISC)
    back = closed(at((0, -1.16), (0.62, -1.02), (1.0, -0.5), (1.06, 0.2), (1.08, 0.95), (0.92, 1.46), (0.5, 1.5),
                     (0, 1.3), (-0.5, 1.5), (-0.92, 1.46), (-1.08, 0.95), (-1.06, 0.2), (-1.0, -0.5),
                     (-0.62, -1.02)))  # fmt: skip
    sheet.fill(back, HAIR)
    for x in (-0.94, -0.86, 0.86, 0.94):
        lock = open_line((x, 0.1), (x * 1.06, 0.6), (x * 1.02, 1.05), (x * 0.86, 1.4))
        sheet.stroke(lock, (2, 9), HAIR_LIGHT, 0.45)


def _body(sheet: Sheet) -> None:
    neck = closed(
        at((-0.36, 0.9), (-0.36, 1.35), (-0.62, 1.66), (0, 1.95), (0.62, 1.66), (0.36, 1.35), (0.36, 0.9), (0, 0.7))
    )
    sheet.fill(neck, SKIN)
    inside = sheet.cover(neck)
    sheet.fill(
        closed(at((-0.7, 0.7), (-0.5, 1.28), (0.0, 1.52), (0.5, 1.28), (0.7, 0.7), (0, 0.4))), SHADE, 6, 0.85, inside
    )
    body = np.array([*curve(at((-2.2, 2.4), (-1.75, 1.98), (-1.1, 1.72), (-0.52, 1.5)), 60),
                     *curve(at((-0.52, 1.5), (-0.3, 1.74), (0, 1.84), (0.3, 1.74), (0.52, 1.5)), 60),
                     *curve(at((0.52, 1.5), (1.1, 1.72), (1.75, 1.98), (2.2, 2.4)), 60)])  # fmt: skip
    sheet.fill(body, HOOD)
    for flip in (False, True):
        hood = closed(
            at(
                (-0.55, 1.42),
                (-0.86, 1.56),
                (-0.98, 1.86),
                (-0.62, 2.06),
                (-0.2, 2.12),
                (0.0, 2.02),
                (-0.2, 1.82),
                (-0.42, 1.64),
            )
        )
        sheet.fill(mirrored(hood) if flip else hood, HOOD_SHADE)
        cord = open_line((-0.22, 1.98), (-0.25, 2.12), (-0.22, 2.3))
        sheet.stroke(mirrored(cord) if flip else cord, (7, 9), (252, 244, 228))


def _oval() -> Array:
    points = canonical_face().points[list(topology.OVAL), :2].copy()
    points[:, 0] *= 1 - 0.17 * np.clip((points[:, 1] - 0.1) / 1.1, 0, 1) ** 1.3
    return closed([(float(x), float(y)) for x, y in CENTRE + UNIT * points], 300)


def _head(sheet: Sheet) -> None:
    oval = _oval()
    sheet.fill(oval, SKIN)
    face = sheet.cover(oval)
    moved = (oval - CENTRE) * [0.90, 0.94] + CENTRE + [-16, -14]
    rim = np.clip(face - sheet.cover(moved, 26), 0, 1)
    sheet.picture[:] += (0.55 * rim)[..., None] * (np.array(SHADE, np.float32) / 255 - sheet.picture)
    for x in (-0.46, 0.46):
        cheek = closed(at((x - 0.17, 0.46), (x, 0.36), (x + 0.17, 0.46), (x, 0.57)))
        sheet.fill(cheek, (232, 128, 118), 16, 0.42, face)


def _eye_outline(grow: float = 1.0) -> tuple[Array, Array]:
    """Upper and lower lid of the left eye, corners included, in pixels."""
    points = canonical_face().points[list(topology.LEFT_EYE), :2]
    middle = points.mean(axis=0)
    points = (points - middle) * [EYES_LARGER * 0.98, EYES_LARGER * 1.62 * grow] + middle
    points = CENTRE + UNIT * points
    upper = curve([(float(x), float(y)) for x, y in points[:9]], 80)
    lower = curve([(float(x), float(y)) for x, y in [*points[8:], points[0]]], 80)
    return upper, lower


def _eye(sheet: Sheet, flip: bool) -> None:
    turn = mirrored if flip else np.asarray
    upper, lower = _eye_outline()
    outline = np.concatenate([upper, lower])
    opening = sheet.cover(turn(outline))
    sheet.fill(turn(outline), (252, 250, 246))
    around = np.linspace(0, 2 * np.pi, 120)
    ring = np.column_stack([np.cos(around), np.sin(around)])
    centre = turn(CENTRE + UNIT * canonical_face().points[[468], :2])[0] + [0, 1]
    for radius, colour in ((27.5, INK), (25.0, IRIS), (12.5, (20, 22, 34))):
        sheet.fill(centre + radius * ring, colour, 0.6, 1.0, opening)
    sheet.fill(centre + [0, 11] + ring * [17, 10], (112, 196, 186), 3, 0.55, opening * sheet.cover(centre + 25 * ring))
    sheet.fill(centre + 12.5 * ring, (20, 22, 34), 0.6, 1.0, opening)
    sheet.fill(turn(np.concatenate([upper - [0, 20], upper[::-1] + [0, 8]])), (120, 92, 112), 4, 0.45, opening)
    sheet.fill(centre + [-8, -9] + 6.5 * ring, (255, 255, 255))
    sheet.fill(centre + [8, 8] + 3.0 * ring, (255, 255, 255), 0.5, 0.8)
    sheet.stroke(turn(upper + [0, -1]), (4, 10), INK)
    wing = np.array(
        [upper[14] + [0, -2], upper[6] + [-1, -3], upper[0] + [-15, -9], upper[0] + [-2, 1], upper[6] + [0, 1]]
    )
    sheet.fill(turn(wing), INK)
    sheet.stroke(turn(lower), (1, 3.5), SHADE)
    sheet.stroke(turn(upper[10:] + [1, -17]), (1, 4.5), SHADE)


def _brow(sheet: Sheet, flip: bool) -> None:
    points = canonical_face().points[list(topology.LEFT_BROW), :2] + [0, -0.035]
    middle = (points[:5] + points[:4:-1]) / 2
    line = curve([(float(x), float(y)) for x, y in CENTRE + UNIT * middle], 60)
    sheet.stroke(mirrored(line) if flip else line, (5, 19), HAIR)


def _nose(sheet: Sheet) -> None:
    side = closed(at((-0.06, 0.0), (-0.05, 0.2), (-0.08, 0.36), (-0.14, 0.42), (-0.11, 0.2), (-0.1, 0.04)))
    sheet.fill(side, SHADE, 8, 0.5)
    light = closed(at((-0.01, 0.1), (0.03, 0.2), (0.035, 0.34), (0.0, 0.38), (-0.03, 0.33), (-0.02, 0.2)))
    sheet.fill(light, (255, 226, 204), 7, 0.8)
    sheet.stroke(open_line((-0.125, 0.40), (-0.155, 0.445), (-0.13, 0.49), (-0.09, 0.485)), (2, 5), SHADE)
    sheet.stroke(open_line((0.125, 0.40), (0.155, 0.445), (0.13, 0.49), (0.09, 0.485)), (2, 5), SHADE)
    for x in (-0.07, 0.07):
        sheet.fill(closed(at((x - 0.035, 0.488), (x, 0.474), (x + 0.035, 0.488), (x, 0.502))), (150, 84, 74), 0.8)
    sheet.stroke(open_line((-0.045, 0.505), (0.0, 0.522), (0.045, 0.505)), (1, 4), SHADE)


def _mouth(sheet: Sheet) -> None:
    upper = closed(at((-0.31, 0.722), (-0.14, 0.662), (-0.045, 0.640), (0, 0.655), (0.045, 0.640), (0.14, 0.662),
                      (0.31, 0.722), (0.12, 0.722), (0, 0.728), (-0.12, 0.722)))  # fmt: skip
    lower = closed(
        at(
            (-0.31, 0.722),
            (-0.12, 0.720),
            (0, 0.727),
            (0.12, 0.720),
            (0.31, 0.722),
            (0.17, 0.800),
            (0, 0.830),
            (-0.17, 0.800),
        )
    )
    sheet.fill(lower, (222, 118, 116))
    sheet.fill(upper, LIP)
    sheet.fill(closed(at((-0.1, 0.765), (0, 0.758), (0.1, 0.765), (0, 0.782))), (248, 182, 172), 4, 0.8)
    sheet.stroke(
        open_line((-0.325, 0.714), (-0.14, 0.720), (0, 0.728), (0.14, 0.720), (0.325, 0.714)), (2, 6), (120, 44, 56)
    )
    sheet.fill(closed(at((-0.14, 0.87), (0, 0.855), (0.14, 0.87), (0, 0.905))), SHADE, 7, 0.6)


def _fringe(sheet: Sheet) -> None:
    left = closed(at((0.12, -1.12), (-0.5, -1.04), (-0.92, -0.62), (-0.98, 0.0), (-0.95, 0.5), (-0.80, 0.72),
                     (-0.745, 0.3), (-0.72, -0.16), (-0.5, -0.46), (-0.1, -0.66), (0.2, -0.86)))  # fmt: skip
    right = closed(at((0.05, -1.12), (0.5, -1.04), (0.92, -0.62), (0.98, 0.0), (0.95, 0.5), (0.80, 0.72), (0.745, 0.3),
                      (0.73, -0.16), (0.62, -0.48), (0.36, -0.74), (0.16, -0.9)))  # fmt: skip
    shade = left + [4.0, 16.0]
    sheet.fill(shade, SHADE, 8, 0.55, sheet.cover(_oval()))
    sheet.fill(right, HAIR)
    sheet.fill(left, HAIR)
    for line in LOCKS:
        sheet.stroke(open_line(*line), (1, 11), HAIR_LIGHT, 0.6)
