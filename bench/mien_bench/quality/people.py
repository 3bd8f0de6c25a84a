"""Participants of the tables: portraits of the test split, references, and guides."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.capture import image
from mien.config import WARP
from mien.draw.mouth import mouth_hint
from mien.errors import FaceError, SourceError
from mien.face.face import MouthHint
from mien.face.motion import Motion
from mien.face.pose import angles_of
from mien.motion.channels import measure, motion_of, shortfall
from mien.motion.neutral import Neutral, estimate, sight
from mien.portrait.portrait import Portrait
from mien.portrait.prepare import portrait_of, prepare, sized
from mien_bench.quality.clips import Clip, ClipFrame, calm_order, calmest
from mien_bench.quality.dlib_face import DlibDetector, DlibFace, FaceMeasurement, measure_face, rest_of
from mien_bench.quality.puppet import open_puppet, settings_for
from mien_bench.quality.shape_fit import ShapeFit

Array = NDArray[np.float64]

SPLIT = "test"
MOST_PADDING = 0.10
"""Padding as a fraction of a picture, above which it is left out."""
Pixels = NDArray[np.uint8]
SIDE = 1024
"""Longer side, at most, of references that are prepared from files."""
CALM = 5
"""Frames of a clip whose median is its rest."""


@dataclass(frozen=True, slots=True, eq=False)
class Photograph:
    """One photograph."""

    name: str
    identity: str
    """A number that stands for the person in this run; nothing that names anyone is kept."""
    pixels: NDArray[np.uint8]
    """(H, W, 3)."""
    landmarks: Array
    """(478, 3) in pixels."""


def unseen_faces(folder: Path, limit: int | None = None, split: str = SPLIT) -> Iterator[Photograph]:
    """The portraits of a split, those that are mostly photograph, at most `limit`, in the order of the manifest.

    `folder` holds `manifest.csv` (file, split, pad_frac, landmarks_row and an `identity*` column), `landmarks.npz`
    (`landmarks` (N, 478, 3) as shares of the side) and the pictures.

    Raises:
        SourceError: it does not, or has no such portrait.
    """
    rows = [row for row in _manifest(folder) if row["split"] == split and float(row["pad_frac"]) < MOST_PADDING]
    if not rows:
        raise SourceError(f"{folder}: expected portraits of split {split!r}, got none; name a folder that has some")
    with np.load(folder / "landmarks.npz") as data:
        landmarks = data["landmarks"]
    column = next(name for name in rows[0] if name.startswith("identity"))
    numbers: dict[str, int] = {}
    for row in rows[:limit]:
        pixels = image.read(folder / row["file"])
        number = numbers.setdefault(row[column], len(numbers))
        points = landmarks[int(row["landmarks_row"])].astype(np.float64) * max(pixels.shape[:2])
        yield Photograph(f"face {number}", f"face {number}", pixels, points)


def _manifest(folder: Path) -> list[dict[str, str]]:
    path = folder / "manifest.csv"
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
    except OSError as error:
        raise SourceError(
            f"{path}: expected the list of a folder of faces, could not read it ({error.strerror}); name one by --data"
        ) from error


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """A reference, which is animated: one picture of a person, or several."""

    identity: str
    portraits: tuple[Portrait, ...]
    looks: tuple[DlibFace, ...]
    """Of those whose face is found, the first among them."""
    rest: ShapeFit
    """Of the first with its mouth closed, as the engine's rest has it."""


@dataclass(frozen=True, slots=True, eq=False)
class Guide:
    """A guide, whose expression and pose are transferred."""

    identity: str
    landmarks: Array
    """(478, 3), the engine's, in pixels."""
    neutral: Neutral
    hint: MouthHint | None
    face: FaceMeasurement


def references(people: Iterable[tuple[str, Sequence[Portrait]]], second_look: DlibDetector) -> Iterator[Reference]:
    """Those whose face is found."""
    for identity, portraits in people:
        with open_puppet(portraits[0], settings_for(WARP, "none")) as puppet:
            rest = second_look(puppet(None, 0).pixels)
        looks = [second_look(portrait.pixels) for portrait in portraits]
        if rest is not None and looks[0] is not None:
            found = tuple(look for look in looks if look is not None)
            yield Reference(identity, tuple(portraits), found, rest_of([rest]))


def portraits_of_photographs(photographs: Iterable[Photograph]) -> Iterator[tuple[str, tuple[Portrait]]]:
    """Test portraits, prepared with the landmarks that came with them."""
    for one in photographs:
        yield one.identity, (portrait_of(one.pixels, one.landmarks),)


def portraits_of_files(paths: Iterable[Path]) -> Iterator[tuple[str, tuple[Portrait]]]:
    """Pictures prepared as a user's are; those without a usable face are left out."""
    for path in paths:
        try:
            yield path.stem, (prepare(sized(image.read(path), None, SIDE))[0],)
        except FaceError:
            continue


def guides_of_clip(clip: Clip, count: int, second_look: DlibDetector) -> Iterator[Guide]:
    """At most `count` frames of a clip, spread evenly; the neutral is estimated from all that were seen, for the other
    landmarks the calmest frames are. None where those show no face."""
    neutral = estimate([sight(one.landmarks) for one in clip.frames])
    calm = [second_look(clip.frames[number].pixels) for number in calm_order(clip)[:CALM]]
    seen = [look for look in calm if look is not None]
    if not seen:
        return
    rest = rest_of(seen)
    for one in _spread(clip.frames, count):
        look = second_look(one.pixels)
        if look is not None:
            hint = mouth_hint(one.pixels, one.landmarks)
            yield Guide(clip.name, one.landmarks, neutral, hint, measure_face(look, rest))


def several_of_clip(clip: Clip, count: int) -> tuple[Portrait, ...]:
    """`count` frames of a clip as pictures of one person: the calmest, then those whose turn differs most from all
    before; fewer where one cannot be prepared."""
    chosen = [calmest(clip)]
    turns = np.array([(seen.angles[0], seen.angles[1]) for seen in (sight(one.landmarks) for one in clip.frames)])
    while len(chosen) < min(count, len(clip.frames)):
        apart = np.linalg.norm(turns[:, None] - turns[None, chosen], axis=2).min(axis=1)
        chosen.append(int(np.argmax(apart)))
    first, *more = (clip.frames[number].pixels for number in chosen)
    return prepare(first, *more)


def motion_to(landmarks: Array, neutral: Neutral, portrait: Portrait, hint: MouthHint | None) -> Motion:
    """What a guide with `landmarks` (478, 3) does, for this portrait: expression relative to the guide's `neutral`; the
    head held as the guide holds it.

    The thesis copies the guide's pose, so the turn goes all the way there. Place and size stay the portrait's.
    """
    held = replace(neutral, angles=angles_of(portrait.pose.rotation))
    channels = measure(landmarks, held)
    motion = motion_of(replace(channels, expression=channels.expression + shortfall(channels.expression)))
    return replace(motion, translation=np.zeros(2), scale=1.0, hint=hint)


def _spread(frames: Sequence[ClipFrame], count: int) -> list[ClipFrame]:
    wanted = min(count, len(frames))
    return [frames[(2 * i + 1) * len(frames) // (2 * wanted)] for i in range(wanted)]
