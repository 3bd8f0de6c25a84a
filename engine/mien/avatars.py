"""Portraits of nobody: `mien.avatar`, and the whole of `mien avatar` as one call."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ContextDecorator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mien.config import CredentialSettings, need_threads
from mien.credentials.claim import TRAINED
from mien.credentials.filtered import Filtered, edited
from mien.credentials.signing import Credentials
from mien.emit.images import ENDINGS, Kind, PictureEncoder
from mien.emit.mark import tags
from mien.emit.opening import need_place
from mien.errors import FaceError, SettingError, SinkError, SourceError, reason_of
from mien.face.classes import CLASSES
from mien.face.crop import SIDE
from mien.face.pose import fit_pose
from mien.frame import Frame
from mien.fuse.background import colour_of
from mien.machine import outputs
from mien.machine.processor import usable_threads
from mien.nobody.asking import Wish, moved
from mien.nobody.colours import measured
from mien.nobody.drawing import Person, label_map, tousled
from mien.nobody.enlarging import enlarged
from mien.nobody.fitting import DOUBT, pins
from mien.nobody.maker import MODEL, Maker, open_maker
from mien.nobody.measuring import traits_of
from mien.nobody.view import view_matrix
from mien.numbered import Numbered
from mien.parse.find import find_turned, refine
from mien.parse.models import FaceMesh
from mien.parsing.maps import FINER
from mien.parsing.opening import open_segmenter
from mien.places import need_apart
from mien.plane import placed
from mien.portrait.prepare import LARGEST, Picture, read_picture, sized

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

SIZES: Final = (256, 1024)
"""Least and greatest side of a portrait."""
SIZE: Final = 512
MOST: Final = 1000
"""Portraits of one call."""
STILL: Final = Fraction(25)
"""Rate of a single picture, which has none."""
_LENIENT: ContextDecorator = np.errstate(under="ignore")


@dataclass(frozen=True, slots=True)
class Order:
    """Portraits that are ordered; the same order gives the same pictures with one version and one model."""

    seed: int = 0
    asked: Wish = Wish()
    size: int = SIZE
    backdrop: str | None = None
    """A colour, as `#rrggbb` or a name; None: a muted one at random."""
    map: str | os.PathLike[str] | None = None
    """A label map that every portrait keeps to."""
    like: Picture | None = None
    """A picture of somebody in whose traits and colours portraits are made; whose face is not."""

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises:
            SettingError: a value is out of range, or both a map and a picture are given.
        """
        if not 0 <= self.seed < 2**63:
            raise SettingError(f"--seed must be a whole number from 0, got {self.seed}")
        if not SIZES[0] <= self.size <= SIZES[1]:
            raise SettingError(f"--size must be from {SIZES[0]} to {SIZES[1]}, got {self.size}")
        if self.map is not None and self.like is not None:
            raise SettingError("expected --from or --like, got both; leave one out")
        if self.backdrop is not None and colour_of(self.backdrop) is None:
            raise SettingError(f"--backdrop must be a colour such as #8090a0 or grey, got {self.backdrop!r}")


def avatar(seed: int = 0, asked: Wish | None = None, *, size: int = SIZE, threads: int | None = None) -> Pixels:
    """(size, size, 3) uint8 sRGB: a portrait of nobody, the same for the same seed and version.

    Args:
        seed: whose portrait; any whole number from 0.
        asked: traits and colours; None: as chance will have it, with a closed mouth.
        size: 256 to 1024.
        threads: processor threads to use; None: all that this process may use.

    Raises:
        SettingError: a value is out of range.
        ModelError, BackendError: the model or a runtime is missing.
    """
    with open_maker(threads or usable_threads()) as maker:
        return next(portraits(maker, Order(seed, asked or Wish(), size), threads or usable_threads()))


@_LENIENT
def _made(maker: Maker, order: Order, number: int, given: Given) -> Pixels:
    """Portrait `number` of an order."""
    person, looks = somebody(maker, order, number, given), np.random.default_rng([order.seed, number, 1])
    backdrop = _backdrop(order.backdrop, looks)
    labels = label_map(person, FINER * maker.side) if given.labels is None else given.labels
    picture = maker.picture(person, backdrop, looks, labels)
    return enlarged(picture, labels, order.size, looks)


def somebody(maker: Maker, order: Order, number: int, given: Given) -> Person:
    """Who is shown in portrait `number` of an order."""
    rng = np.random.default_rng([order.seed, number, 0])
    return tousled(maker.person(given.mixture(maker, order.asked, rng)), rng)


def portraits(maker: Maker, order: Order, threads: int) -> Iterator[Pixels]:
    """Portraits (size, size, 3) of an order, one after the other, without end.

    Raises:
        SourceError, FaceError, SettingError: the map or the picture cannot be used.
    """
    given = _given(maker, order, threads)
    number = 0
    while True:
        yield _made(maker, order, number, given)
        number += 1


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """What a map or a picture tells."""

    labels: Pixels | None = None
    """(2 side, 2 side)."""
    traits: Floats | None = None
    tones: Floats | None = None

    def mixture(self, maker: Maker, asked: Wish, rng: np.random.Generator) -> Floats:
        """(L,): somebody as asked and as given."""
        if self.traits is not None and self.tones is not None:
            return maker.looks.like(self.traits, self.tones, asked, rng)
        drawn = maker.looks.mixture(asked, rng)
        if self.labels is None:
            return drawn
        mean, shape = maker.shape
        rows = [(landmark * 3 + axis, place) for landmark, axis, place in pins(self.labels)]
        onto = shape[[row for row, _ in rows]]
        values = np.array([place for _, place in rows]) - mean[[row for row, _ in rows]]
        return moved(drawn.astype(np.float64), onto, values, DOUBT**2)


@_LENIENT
def _given(maker: Maker, order: Order, threads: int) -> Given:
    if order.map is not None:
        return Given(labels=read_map(order.map, FINER * maker.side))
    if order.like is not None:
        return Given(None, *_looks_of(order.like, threads))
    return Given()


def read_map(path: str | os.PathLike[str], side: int) -> Pixels:
    """(side, side): a label map from a PNG whose pixels are ids of classes, as `mien parse` writes it.

    Raises:
        SourceError: the file cannot be read.
        SettingError: it is no such map.
    """
    name = os.fspath(path)
    try:
        with Image.open(path) as image:
            mode, labels = image.mode, np.asarray(image)
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        reason = reason_of(error) if isinstance(error, OSError) else str(error)
        raise SourceError(f"{name}: expected a label map as a PNG, got none that can be read ({reason})") from error
    if mode not in ("P", "L") or labels.max(initial=0) >= len(CLASSES):
        got = f"ids up to {labels.max()}" if mode in ("P", "L") else f"colours ({mode})"
        raise SettingError(f"{name}: expected a map of `mien parse`, with ids below {len(CLASSES)}, got {got}")
    if labels.shape[0] != labels.shape[1] or len(labels) < 64:
        got = f"{labels.shape[1]} x {labels.shape[0]}"
        raise SettingError(f"{name}: expected a square map of 64 pixels and more, got {got}; crop it")
    return np.asarray(cv2.resize(labels.astype(np.uint8), (side, side), interpolation=cv2.INTER_NEAREST), np.uint8)


def _looks_of(picture: Picture, threads: int) -> tuple[Floats, Floats]:
    """Traits (9,) and tones (12,) of the largest face in a picture that is held upright."""
    pixels = sized(read_picture(picture), None, LARGEST)
    name = os.fspath(picture) if isinstance(picture, (str, os.PathLike)) else "picture"
    with FaceMesh(still=True, most=5) as mesh:
        faces = [face for face in find_turned(pixels, mesh) if face.turn == 0]
        if not faces:
            raise FaceError(f"{name}: expected an upright face, got none; use a picture seen from the front")
        landmarks = refine(pixels, faces[0].landmarks, mesh)
    with open_segmenter(threads) as (segmenter, _):
        labels = segmenter(pixels, landmarks)
    matrix = view_matrix(fit_pose(landmarks), SIDE)
    view = cv2.warpAffine(pixels, matrix, (SIDE, SIDE), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    kinds = cv2.warpAffine(labels, matrix, (SIDE, SIDE), flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
    seen, mapped = np.asarray(view, np.uint8), np.asarray(kinds, np.uint8)
    return traits_of(seen, mapped, placed(landmarks, matrix)), measured(seen, mapped).ravel()


def _backdrop(name: str | None, rng: np.random.Generator) -> Floats:
    """(3,) in 0..1."""
    level, cast = rng.uniform(0.35, 0.7), rng.normal(0, 0.05, 3)  # drawn in any case: what follows stays the same
    colour = None if name is None else colour_of(name)
    if colour is not None:
        return np.array(colour, np.float32) / 255
    return np.clip(level + cast, 0, 1).astype(np.float32)


def avatar_files(
    output: str | os.PathLike[str],
    order: Order,
    *,
    count: int = 1,
    model: str = MODEL,
    threads: int | None = None,
    credentials: CredentialSettings | None = None,
    begun: Callable[[str], None] | None = None,
) -> list[Path]:
    """Portraits of nobody into files, each whole or not at all; returns their names.

    Args:
        output: a .png or .jpg; with a count above 1 a number is put before the ending, or where the name has `%d`.
        count: how many, of one seed.
        model: the packaged networks, or the name or folder of another bundle of the family `scgan`.
        credentials: how the files say what made them; None: as by default.
        begun: takes words that say what makes them, and then a line where they cannot be signed.

    Raises:
        MienError: anything that the user can cure, in one line.
    """
    need_threads(threads)
    if not 1 <= count <= MOST:
        raise SettingError(f"--count must be from 1 to {MOST}, got {count}")
    paths = names(Path(os.fspath(output)), count)
    read = [item for item in (order.map, order.like) if isinstance(item, str | os.PathLike)]
    for path in paths:
        need_place(str(path))
        need_apart([], read, sink=str(path))
    used = threads or usable_threads()
    with open_maker(used, model) as maker:
        if begun is not None:
            begun(maker.about)
        did = Filtered("avatar", maker.about, repr(order), None)
        told = begun or (lambda line: None)
        signed = edited(credentials, did, output, mark=False, told=told, source_type=TRAINED)
        for path, pixels in zip(paths, portraits(maker, order, used), strict=False):
            outputs.write(path, encoded(pixels, ENDINGS[path.suffix.lower()], maker.about, order, signed))
    return paths


def encoded(pixels: Pixels, kind: Kind, about: str, order: Order, credentials: Credentials | None = None) -> bytes:
    """A picture's file, which says of itself that it is made and shows nobody; `about`: what made it."""
    said = tags({"mien_model": about, "mien_seed": str(order.seed), "mien_shows": "nobody"})
    return PictureEncoder(kind, said, "avatar", credentials).encode(Frame(pixels, 0, 1 / STILL))


def names(output: Path, count: int) -> list[Path]:
    """The files of so many portraits.

    Raises:
        SinkError: it is no picture's name.
    """
    if output.suffix.lower() not in ENDINGS:
        raise SinkError(f"{output}: expected a picture, {', '.join(ENDINGS)}; change the ending")
    pattern = Numbered.of(output.name)
    if pattern is None and count == 1:
        return [output]
    if pattern is None:
        pattern = Numbered(f"{output.stem}-", len(str(count - 1)), output.suffix)
    if not pattern.is_possible:
        raise SinkError(f"{output}: expected one number in the name, as avatar-%02d.png; change the name")
    return [output.with_name(pattern.name(number)) for number in range(count)]
