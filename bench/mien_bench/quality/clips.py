"""Clips for self-reenactment, where one calm frame is the portrait and others driver and truth; a run's material."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

import mien
from mien.errors import FaceError, SettingError, SourceError
from mien.face.measures import channels_over_time
from mien.frame import Frame
from mien.parse.parser import Parser
from mien.portrait.prepare import even, portrait_of, sized
from mien_bench.material import clips_of, portraits_of
from mien_bench.quality.self_reenactment import Moment, MouthPicture, Scene, hints_for, mouth_of

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]

SIDE = 512
"""Longer side to which frames are shrunk."""
CALM_UNITS = np.array([0.06, 0.05, 6.0, 6.0, 12.0])
"""One unit of unrest in each of `mien.face.measures.CHANNELS`."""


@dataclass(frozen=True, slots=True, eq=False)
class ClipFrame:
    """A frame with its face."""

    number: int
    pixels: Pixels
    landmarks: Array


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """The frames of a clip with a face."""

    name: str
    frames: tuple[ClipFrame, ...]


def read_clip(path: Path, every: int, limit: int | None = None) -> Clip:
    """Every `every`-th frame of a clip that shows a face, tracked through all frames; at most `limit` of them.

    Raises:
        SourceError: the clip cannot be read.
        FaceError: it shows no face.
    """
    seen: list[ClipFrame] = []
    with mien.capture.open(path) as source, Parser(hints=False) as parser:
        frames = (item for item in source if isinstance(item, Frame))
        for number, frame in enumerate(frames):
            if limit is not None and len(seen) >= limit:
                break
            pixels = even(sized(frame.pixels, None, SIDE))
            face = parser(Frame(pixels, frame.pts, frame.time_base))
            if face is not None and number % every == 0:
                seen.append(ClipFrame(number, pixels, face.landmarks))
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
        portrait = portrait_of(still.pixels, still.landmarks)
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


def _mouth(clip: Clip, one: ClipFrame) -> MouthPicture | None:
    return mouth_of(clip.name, one.pixels, one.landmarks)


@dataclass(frozen=True)
class Material:
    """The material of a run; clips are read once, when first needed."""

    clips: tuple[Path, ...]
    portraits: tuple[Path, ...]
    data: Path | None
    every: int
    limit: int | None
    """Portraits of each kind, and frames of each clip, at most."""

    @cached_property
    def watched(self) -> list[Clip]:
        """Every `every`-th frame of each clip.

        Raises:
            MienError: a clip cannot be read, or shows no face.
        """
        return [read_clip(path, self.every, self.limit) for path in self.clips]

    @cached_property
    def scenes(self) -> list[Scene]:
        """Each clip as its own truth."""
        return list(scenes(self.watched))

    @property
    def has_faces(self) -> bool:
        """Whether there is a folder of faces with a test split."""
        return self.data is not None and (self.data / "faces" / "manifest.csv").exists()

    @property
    def faces(self) -> Path:
        """The folder of faces.

        Raises:
            SettingError: nothing says where.
        """
        if self.data is None:
            raise SettingError("the data folder is not known; name it by --data or MIEN_DATA")
        return self.data / "faces"


def material_of(options: argparse.Namespace) -> Material:
    """What options and environment name.

    Raises:
        SourceError: a named place is not there, or holds nothing.
    """
    root = options.data or os.environ.get("MIEN_DATA")
    data = Path(root) if root else None
    if data is not None and not data.is_dir():
        raise SourceError(f"{root}: expected the data folder, got nothing; name another by --data or MIEN_DATA")
    clips, portraits = clips_of(options.clips, data), portraits_of(options.portraits, data)
    return Material(tuple(clips), tuple(portraits), data, options.every, options.limit)
