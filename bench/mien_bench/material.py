"""Drivers and portraits to measure with: those named, else the samples and what `$MIEN_DATA` holds."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from mien import capture, samples
from mien.errors import SourceError
from mien.frame import Frame

CLIPS = (".mp4", ".m4v", ".mov", ".mkv", ".webm")
PICTURES = (".jpg", ".jpeg", ".png", ".webp")


def clips_of(paths: Sequence[Path] | None, data: Path | None = None) -> list[Path]:
    """The video files that `paths` name, folders among them opened; without any, the sample driver and those that the
    data folder holds, which is `$MIEN_DATA` if none is named.

    Raises:
        SourceError: there are none.
    """
    return _named(paths, CLIPS, "video") if paths else [samples.driver(), *_data("clips", CLIPS, data)]


def portraits_of(paths: Sequence[Path] | None, data: Path | None = None) -> list[Path]:
    """The pictures that `paths` name, folders among them opened; without any, the sample portraits and those that the
    data folder holds, which is `$MIEN_DATA` if none is named.

    Raises:
        SourceError: there are none.
    """
    if paths:
        return _named(paths, PICTURES, "picture")
    return [*samples.portraits().values(), *_data("clips/portraits", PICTURES, data)]


def first_frames(driver: str | Path, count: int, warm_up: int) -> list[Frame]:
    """The first `count` frames of a driver, or all where it has fewer.

    Raises:
        SourceError: it cannot be read, or has no more than the `warm_up` frames that are not counted.
    """
    with capture.open(driver) as source:
        frames = list(islice((item for item in source if isinstance(item, Frame)), count))
    if len(frames) <= warm_up:
        raise SourceError(f"{driver}: expected more than the {warm_up} frames of warm-up, got {len(frames)}")
    return frames


def _named(paths: Sequence[Path], endings: tuple[str, ...], what: str) -> list[Path]:
    found = [file for path in paths for file in (_in_folder(path, endings) if path.is_dir() else [path])]
    for path in found:
        if not path.exists():
            raise SourceError(f"{path}: expected a {what} or a folder of them, got nothing; check the path")
    if not found:
        names = ", ".join(str(path) for path in paths)
        raise SourceError(
            f"{names}: expected at least one {what} ({', '.join(endings)}), got none; name another folder"
        )
    return found


def _data(folder: str, endings: tuple[str, ...], named: Path | None) -> list[Path]:
    root = named or os.environ.get("MIEN_DATA")
    path = Path(root or "") / folder
    return _in_folder(path, endings) if root and path.is_dir() else []


def _in_folder(folder: Path, endings: tuple[str, ...]) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in endings)
