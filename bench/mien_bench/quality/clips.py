"""Self-reenactment of clips: one calm frame is the portrait, later ones are driver and truth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

import mien
from mien.errors import FaceError
from mien.face.measures import channels_over_time
from mien.frame import Frame
from mien.parse.models import segment_person
from mien.parse.parser import Parser
from mien.portrait.measure import prepare_portrait
from mien.portrait.prepare import even, sized
from mien_bench.quality.hints import Mouth, mouth_of
from mien_bench.quality.scene import Moment, Scene, hints_for

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]

SIDE = 512
"""Longer side to which frames are shrunk."""
CALM_UNITS = np.array([0.06, 0.05, 6.0, 6.0, 12.0])
"""One unit of unrest in each of `mien.face.measures.CHANNELS`."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A frame with its face."""

    number: int
    pixels: Pixels
    landmarks: Array


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """What was seen of a clip."""

    name: str
    frames: tuple[Seen, ...]


def watch(path: Path, every: int, limit: int | None = None) -> Clip:
    """Every `every`-th frame of a clip that shows a face, tracked through all frames; at most `limit` of them.

    Raises:
        SourceError: the clip cannot be read.
        FaceError: it shows no face.
    """
    seen: list[Seen] = []
    with mien.capture.open(path) as source, Parser(hints=False) as parser:
        frames = (item for item in source if isinstance(item, Frame))
        for number, frame in enumerate(frames):
            if limit is not None and len(seen) >= limit:
                break
            pixels = even(sized(frame.pixels, None, SIDE))
            face = parser(Frame(pixels, frame.pts, frame.time_base))
            if face is not None and number % every == 0:
                seen.append(Seen(number, pixels, face.landmarks))
    if not seen:
        raise FaceError(f"{path}: expected a face, got none; take another clip")
    return Clip(path.stem, tuple(seen))


def calmest(clip: Clip) -> int:
    """Number in `clip.frames` of the one with a closed mouth, open eyes and the clip's usual pose."""
    return int(calm_order(clip)[0])


def calm_order(clip: Clip) -> NDArray[np.intp]:
    """(N,): numbers in `clip.frames`, the calmest first."""
    channels = channels_over_time([one.landmarks for one in clip.frames])
    usual = np.median(channels, axis=0)
    usual[0], usual[1] = channels[:, 0].min(), np.percentile(channels[:, 1], 65)
    return np.argsort((np.abs(channels - usual) / CALM_UNITS).sum(axis=1), kind="stable")


def scenes(clips: Sequence[Clip], seed: int = 0) -> Iterator[Scene]:
    """Each clip as a scene: its calmest frame is the portrait, all others are moments.

    The portrait keeps the landmarks that tracking found, since a look at it as a still would give slightly others.
    """
    mouths = [mouth for clip in clips for one in clip.frames if (mouth := _mouth(clip, one)) is not None]
    for clip in clips:
        calm = calmest(clip)
        still = clip.frames[calm]
        portrait = prepare_portrait(still.pixels, still.landmarks, segment_person(still.pixels))
        random = np.random.default_rng((seed, crc32(clip.name.encode())))
        moments = tuple(
            Moment(
                f"{clip.name}.{one.number}",
                one.pixels,
                one.landmarks,
                hints_for(one.pixels, one.landmarks, clip.name, mouths, random),
            )
            for one in (*clip.frames[:calm], *clip.frames[calm + 1 :])
        )
        yield Scene(clip.name, portrait, moments)


def _mouth(clip: Clip, one: Seen) -> Mouth | None:
    return mouth_of(clip.name, one.pixels, one.landmarks)
