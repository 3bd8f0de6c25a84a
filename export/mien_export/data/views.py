"""`mien export views`: views of portraits in the networks' crop, made once: the photograph, and it animated.

The views of one portrait are of one person, so any three of them are a triplet to learn reenactment from.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.commands.options import Options
from mien.errors import FaceError, SettingError, SinkError, reason_of
from mien.face.crop import SIDE, crop_matrix
from mien.machine.atomic import written
from mien.paint.heat_maps import points_of
from mien.plane import placed
from mien.portrait.portrait import Portrait
from mien_export.data.faces import Faces
from mien_export.data.pairs import crop, prepared, render
from mien_export.data.perturb import Perturbation, perturbed

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]
Array = NDArray[np.float64]

FORMAT: Final = 1
ONE_PERSON: Final = Perturbation(yaw=13.0, pitch=7.0, contour=0.0)
"""What one person can do; `perturb` alone may also change whose contour it is."""
SIDES: Final = (64, 128)
LEAST: Final = 3
"""Views that a triplet takes."""


@dataclass(frozen=True, slots=True, eq=False)
class Views:
    """V views of each of N portraits; the first of each is the photograph itself."""

    pictures: Pixels
    """(N, V, S, S, 3) RGB."""
    points: Floats
    """(N, V, 68, 2): in shares of the side, 0 and 1 its edges."""

    def __len__(self) -> int:
        return len(self.pictures)

    @property
    def side(self) -> int:
        """Of the crop."""
        return int(self.pictures.shape[2])


def make_views(faces: Faces, count: int, side: int, seed: int, tell: Callable[[int], None]) -> Views:
    """`count` views of each portrait that can be animated; `tell` takes how many portraits are done.

    Raises:
        SettingError: none can be animated.
        SourceError: a picture is missing or broken.
    """
    found: list[tuple[Pixels, Floats]] = []
    for index in range(faces.count):
        picture = faces.picture(index)
        rng = np.random.default_rng([seed, index])
        try:
            portrait = prepared(picture, faces.landmarks(index, picture.shape[0]))
            own = [view_of(portrait, None if number == 0 else rng, side) for number in range(count)]
        except FaceError:
            continue
        finally:
            tell(index + 1)
        found.append((np.stack([view[0] for view in own]), np.stack([view[1] for view in own])))
    if not found:
        raise SettingError(f"{faces.folder}: expected faces that can be animated, got none; check its landmarks")
    pictures, points = zip(*found, strict=True)
    return Views(np.stack(pictures), np.stack(points))


def view_of(portrait: Portrait, rng: np.random.Generator | None, side: int) -> tuple[Pixels, Floats]:
    """Picture (side, side, 3) and points (68, 2) of a portrait; as it is without `rng`, else with another expression.

    Raises:
        FaceError: the portrait cannot be animated.
    """
    pixels, pose, landmarks = portrait.pixels, portrait.pose, portrait.landmarks
    if rng is not None:
        target = perturbed(portrait, rng, None, ONE_PERSON)
        pixels, pose, landmarks = render(portrait, target), target.pose, target.landmarks
    whole = crop(pixels, crop_matrix(pose))
    small = whole if side == SIDE else cv2.resize(whole, (side, side), interpolation=cv2.INTER_AREA)
    points = (placed(points_of(landmarks), crop_matrix(pose, side)) + 0.5) / side
    return np.asarray(small, np.uint8), points.astype(np.float32)


def save(path: Path, views: Views) -> None:
    """Write the file at once.

    Raises:
        SinkError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with written(path) as file:
            np.savez(file, format=np.array(FORMAT), pictures=views.pictures, points=views.points)
    except OSError as error:
        raise SinkError(f"{path}: views cannot be written ({reason_of(error)})") from error


def load(path: Path) -> Views:
    """What `save` wrote.

    Raises:
        SettingError: it is missing, broken or of another format.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            if int(arrays["format"]) != FORMAT:
                raise ValueError(f"format {arrays['format']}")
            views = Views(arrays["pictures"], arrays["points"])
    except (OSError, KeyError, ValueError, EOFError) as error:
        made = "mien export views --data DIR --out FILE makes them"
        raise SettingError(
            f"{path}: expected views of portraits, got none that can be read ({error}); {made}"
        ) from error
    shape: tuple[Any, ...] = views.pictures.shape
    if len(shape) != 5 or shape[1] < LEAST or shape[2] != shape[3]:
        raise SettingError(f"{path}: expected {LEAST} or more square views of each portrait, got shape {shape}")
    return views


def main(arguments: list[str]) -> int:
    """Run the command.

    Raises:
        MienError: a folder, picture or place is not as it should be.
    """
    options = _parser().parse_args(arguments)
    faces = Faces(options.data, options.split)
    save(options.out, make_views(faces, options.views, options.side, options.seed, _told(faces.count)))
    print(options.out)
    return 0


def _told(count: int) -> Callable[[int], None]:
    def tell(done: int) -> None:
        if done % 50 == 0 or done == count:
            print(f"{done}/{count} portraits", file=sys.stderr, flush=True)

    return tell


def _views(text: str) -> int:
    value = int(text)
    if value < LEAST:
        raise argparse.ArgumentTypeError(f"expected {LEAST} or more, got {text}")
    return value


def _parser() -> Options:
    parser = Options(
        prog="mien export views",
        description="Animate each portrait a few times, for `mien export train --config landmark-unet --packed FILE`.",
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder of faces, with manifest.csv")
    parser.add_argument("--split", default="train", metavar="NAME", help="of the manifest (default: %(default)s)")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="an .npz file")
    parser.add_argument("--views", type=_views, default=6, metavar="N", help="of each portrait (default: %(default)s)")
    parser.add_argument("--side", type=int, choices=SIDES, default=64, metavar="S", help="64 or 128 (default: 64)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="same seed, same views (default: %(default)s)")
    return parser
