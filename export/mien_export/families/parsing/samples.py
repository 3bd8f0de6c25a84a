"""What a segmenter learns from: labelled portraits with drawn accessories, other backdrops, moved, in other light."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mien.face import classes
from mien_export.families.parsing.drawn import Worn, noise, with_body, without_glasses
from mien_export.families.parsing.face_frame import Floats
from mien_export.families.parsing.label_maker import UNKNOWN
from mien_export.families.parsing.labelled import Labelled, load

Pixels = NDArray[np.uint8]
Sample = tuple[Pixels, Pixels]
"""A picture (S, S, 3) and its labels (S, S)."""

GLASSES, HAT, EARRINGS, NECKLACE = 0.22, 0.10, 0.20, 0.50
"""Shares of samples onto which each is drawn; necklaces only where a body is seen."""
BACKDROP: Final = 0.6
"""Share of samples that stand before another backdrop."""
FAR: Final = 0.3
"""Share of samples that are seen from farther away."""
MIRRORED_LABELS: Final = np.arange(256, dtype=np.uint8)
MIRRORED_LABELS[: len(classes.MIRRORED)] = classes.MIRRORED
"""The label of each once a picture is mirrored; unknown stays unknown."""
_GOES_ON: Final = np.isin(np.arange(256), (classes.BACKGROUND, classes.CLOTH))
"""Labels that go on beyond a picture's edge."""


@dataclass(frozen=True)
class Samples:
    """Samples by number, the same for the same seed."""

    place: Path
    """Of the labels, as `labelled.save` wrote them."""
    seed: int
    side: int
    """Of the samples; smaller than the portraits', it makes them windows."""

    @cached_property
    def _labelled(self) -> Labelled:
        return load(self.place)

    def __call__(self, number: int) -> Sample:
        """Sample `number`."""
        rng = np.random.default_rng([self.seed, number])
        index = int(rng.integers(len(self._labelled)))
        picture, labels, person = (
            column[index] for column in (self._labelled.pictures, self._labelled.labels, self._labelled.mattes)
        )
        flow = moved_flow(picture.shape[0], self.side, rng, distant := rng.uniform() < FAR)
        if distant:
            picture, labels, person = with_body(picture, labels, person, rng)
        worn = Worn(picture, labels, self._labelled.landmarks[index].astype(np.float64))
        _dress(worn, rng, distant)
        person = np.maximum(person, np.uint8(255) * np.isin(worn.labels, _DRAWN))
        picture, labels, person = _moved(worn.picture, worn.labels, person, flow, rng)
        if rng.uniform() < BACKDROP:
            picture = _before(backdrop(self.side, rng), picture, person)
        return photographed(picture, rng), labels


_DRAWN: Final = (classes.HAT, classes.EARRING)


def _dress(worn: Worn, rng: np.random.Generator, distant: bool) -> None:
    if without_glasses(worn.labels) and rng.uniform() < GLASSES:
        worn.glasses(rng)
    if rng.uniform() < EARRINGS:
        worn.earrings(rng)
    if distant and rng.uniform() < NECKLACE:
        worn.necklace(rng)
    if rng.uniform() < HAT:
        worn.hat(rng)


def _moved(
    picture: Pixels, labels: Pixels, person: Pixels, flow: Floats, rng: np.random.Generator
) -> tuple[Pixels, Pixels, Pixels]:
    """As `flow` moves them, mirrored half of the time. Beyond the picture its edge is repeated; there only backdrop and
    cloth are labelled, all else is unknown."""
    width, height = picture.shape[1], picture.shape[0]
    mirror = rng.uniform() < 0.5
    if mirror:
        flow[..., 0] = width - 1 - flow[..., 0]
    picture = cv2.remap(picture, flow, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    person = cv2.remap(person, flow, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    labels = cv2.remap(labels, flow, None, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
    beyond = ((flow < -0.5) | (flow > np.array([width, height]) - 0.5)).any(axis=2)
    labels[beyond & ~_GOES_ON[labels]] = UNKNOWN
    return picture, MIRRORED_LABELS[labels] if mirror else labels, person


def moved_flow(whole: int, side: int, rng: np.random.Generator, distant: bool = False) -> Floats:
    """(S, S, 2): where each pixel of a moved picture is taken from.

    Args:
        whole: side of the picture.
        side: of what is made; smaller than `whole`, it is a window that lies anywhere in it.
        distant: whether it is seen from farther away.
    """
    zoom = rng.uniform(0.35, 0.9) if distant else float(np.exp(rng.normal(0, 0.12)))
    angle = np.radians(rng.normal(0, 8))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) / zoom
    middle, corner = np.array([whole / 2, 0.55 * whole]), rng.uniform(0, whole - side, 2)
    away = rng.normal(0, 0.045 * whole, 2)
    if distant:  # heads are mostly above the middle of what shows a body
        away = rng.uniform((-0.2 * whole, -0.05 * whole), (0.2 * whole, 0.35 * whole))
    matrix = np.column_stack([turn, middle + turn @ (corner - middle + away)])
    grid = np.mgrid[:side, :side][::-1].transpose(1, 2, 0).astype(np.float32)
    bend = np.stack([noise(5, (side, side), rng) for _ in range(2)], axis=-1)
    return np.asarray(cv2.transform(grid, matrix.astype(np.float32)) + np.float32(0.015 * whole) * bend)


def _before(behind: Pixels, picture: Pixels, person: Pixels) -> Pixels:
    share = person.astype(np.float32) / np.float32(255)
    return np.asarray(cv2.blendLinear(picture, behind, share, 1 - share))


def backdrop(side: int, rng: np.random.Generator) -> Pixels:
    """(S, S, 3): plain, cloudy, grained, with rectangles, or in patches as trees and furniture are."""
    out = np.ones((side, side, 3), np.float32) * rng.uniform(0, 255, 3).astype(np.float32)
    kind = int(rng.integers(5))
    if kind in (1, 2):
        cells, strength = (3, rng.uniform(10, 60)) if kind == 1 else (int(rng.integers(4, 40)), rng.uniform(10, 50))
        for channel in range(3):
            out[..., channel] += np.float32(strength) * noise(cells, (side, side), rng)
    if kind == 3:
        ramp = np.linspace(-1, 1, side, dtype=np.float32)
        down, across = rng.normal(0, 40, (2, 3)).astype(np.float32)
        out += ramp[:, None, None] * down + ramp[None, :, None] * across
        for _ in range(int(rng.integers(0, 6))):
            x, y, wide, high = (int(value) for value in rng.integers((0, 0, 10, 10), (side, side, 150, 200)))
            cv2.rectangle(out, (x, y), (x + wide, y + high), rng.uniform(0, 255, 3).tolist(), -1)
    if kind == 4:
        fields = [noise(int(rng.integers(3, 24)), (side, side), rng) for _ in range(4)]
        colours = np.clip(out[0, 0] + rng.normal(0, 60, (4, 3)), 0, 255).astype(np.float32)
        out = (
            colours[np.argmax(fields, axis=0)]
            + np.float32(rng.uniform(5, 25)) * noise(60, (side, side), rng)[..., None]
        )
        out = cv2.GaussianBlur(out, (0, 0), rng.uniform(0.5, 4.0))
    return np.clip(out, 0, 255).astype(np.uint8)


def photographed(picture: Pixels, rng: np.random.Generator) -> Pixels:
    """`picture` in other light, by another camera. A tenth of the time that `data.augment` takes, on bytes."""
    table = np.linspace(0, 1, 256, dtype=np.float32)[:, None] ** np.float32(np.exp(rng.normal(0, 0.25)))
    gain = np.exp(rng.normal(0, 0.12, 3) + rng.normal(0, 0.15)).astype(np.float32)
    table = (table * gain - np.float32(0.5)) * np.float32(np.exp(rng.normal(0, 0.1))) + np.float32(0.5)
    out = cv2.LUT(picture, np.clip(table * 255, 0, 255).astype(np.uint8)[None])
    if rng.uniform() < 0.12:
        out = cv2.cvtColor(cv2.cvtColor(out, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    if rng.uniform() < 0.35:
        lamp = cv2.resize(rng.uniform(0.6, 1.3, (3, 3)).astype(np.float32), out.shape[1::-1])
        out = cv2.multiply(out, cv2.merge([lamp] * 3), dtype=cv2.CV_8U)
    if rng.uniform() < 0.25:
        out = cv2.GaussianBlur(out, (0, 0), rng.uniform(0.4, 1.8))
    if rng.uniform() < 0.35:
        grain = rng.integers(-128, 128, out.shape, np.int8).astype(np.float32)
        out = cv2.add(out, grain * np.float32(rng.uniform(0.0, 0.13)), dtype=cv2.CV_8U)
    if rng.uniform() < 0.15:
        coded = cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(35, 90))])[1]
        out = cv2.imdecode(coded, cv2.IMREAD_COLOR)
    return np.asarray(out)


def collate(samples: list[Any]) -> dict[str, Tensor]:
    """Pictures (N, 3, S, S) uint8 and labels (N, S, S) uint8."""
    pictures, labels = zip(*samples, strict=True)
    return {
        "pictures": torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2),
        "labels": torch.from_numpy(np.stack(labels)),
    }
