"""Portraits of nobody with what they were asked to be, and what is found in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.avatars import Given, Order, portraits, somebody
from mien.face import classes, topology
from mien.face.crop import SIDE
from mien.face.face import eye_distance
from mien.face.traits import INDEX
from mien.nobody.asking import Wish
from mien.nobody.colours import measured
from mien.nobody.drawing import label_map, scaled
from mien.nobody.maker import Maker
from mien.nobody.measuring import traits_of
from mien.parse.models import FaceMesh
from mien_bench.face_video.judges import Judge
from mien_bench.face_video.resegmentation import Counts, agreement

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]

SIZE: Final = 512
"""Side of the portraits."""
PLACES: Final = [*(eye[0] for eye in topology.EYES), *(eye[8] for eye in topology.EYES), 1, 61, 291, 13, 152]
"""Landmarks that are compared: corners of the eyes, nose, mouth, chin."""


@dataclass(frozen=True, slots=True, eq=False)
class Avatar:
    """One portrait."""

    seed: int
    picture: Pixels
    """(512, 512, 3)."""
    asked: Pixels
    """(256, 256): its map."""
    landmarks: Array
    """(478, 3) as asked, in pixels of the portrait."""


def drawn(maker: Maker, count: int, threads: int, wish: Wish | None = None) -> Iterator[Avatar]:
    """So many portraits of as many seeds."""
    for seed in range(count):
        order = Order(seed, wish or Wish(), SIZE)
        person = somebody(maker, order, 0, Given())
        picture = next(portraits(maker, order, threads))
        yield Avatar(seed, picture, label_map(person, SIDE), scaled(person.landmarks, SIZE))


def landmark_error(avatar: Avatar, mesh: FaceMesh) -> float | None:
    """Mean distance of the landmarks that are found from those asked for, in eye distances; None: no face is found."""
    faces = mesh(avatar.picture)
    if not faces:
        return None
    apart = np.linalg.norm((faces[0] - avatar.landmarks)[PLACES, :2], axis=1)
    return float(apart.mean() / eye_distance(avatar.landmarks))


def agreements(avatars: Sequence[Avatar], judge: Judge) -> Counts:
    """(portraits, 19, 19): a judge's maps against those asked for."""
    return np.array([agreement(one.asked, judge(reduced(one.picture))) for one in avatars])


def reduced(picture: Pixels) -> Pixels:
    """At 256 x 256."""
    return np.asarray(cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)


@dataclass(frozen=True, slots=True)
class Demand:
    """A wish, its opposite, and where the difference shows."""

    name: str
    wish: Wish
    against: Wish
    trait: str
    more: bool = True
    """Whether the trait is larger with the wish."""


DEMANDS: Final = (
    Demand("smile", Wish(smile=1.0), Wish(smile=0.0), "smile"),
    Demand("open mouth", Wish(open_mouth=1.0), Wish(), "open-mouth"),
    Demand("glasses", Wish(glasses=True), Wish(), "glasses"),
    Demand("beard", Wish(beard=1.0), Wish(beard=0.0), "beard"),
    Demand("long hair", Wish(long_hair=1.0), Wish(long_hair=0.0), "long-hair"),
    Demand("full hair", Wish(full_hair=1.0), Wish(full_hair=0.0), "full-hair"),
    Demand("grey hair", Wish(hair="grey"), Wish(hair="brown"), "grey-hair"),
    Demand("turned", Wish(turn=0.9), Wish(turn=0.1), "turn"),
    Demand("fair hair", Wish(hair="fair"), Wish(hair="black"), "light of hair"),
    Demand("light skin", Wish(skin=1.0), Wish(skin=0.0), "light of skin"),
)
"""Of each seed the portrait with the wish must show more of the trait than the one against it."""


def seen(avatar: Avatar, judge: Judge, mesh: FaceMesh, trait: str) -> float | None:
    """How much of a trait a portrait shows, as it is measured on portraits to learn from; None: no face is found."""
    faces = mesh(avatar.picture)
    if not faces:
        return None
    picture = reduced(avatar.picture)
    labels = judge(picture)
    if trait.startswith("light of"):
        place = 1 if trait.endswith("hair") else 0
        return float(measured(picture, labels)[place].mean())
    if trait == "glasses":
        return float((labels == classes.GLASSES).sum())
    landmarks = scaled(faces[0], SIDE, SIZE)
    return float(traits_of(picture, labels, landmarks)[INDEX[trait]])


def met(one: float | None, other: float | None, more: bool = True) -> bool:
    """Whether a trait differs as it should."""
    return one is not None and other is not None and (one > other if more else one < other)
