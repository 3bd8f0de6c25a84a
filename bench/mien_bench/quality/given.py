"""The material of a run: the clips and portraits that were named, else the samples and what the data folder holds."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mien.errors import SettingError, SourceError
from mien_bench.material import clips_of, portraits_of
from mien_bench.quality.clips import Clip, scenes, watch
from mien_bench.quality.scene import Scene


@dataclass(frozen=True)
class Given:
    """Where things lie; clips are watched once, when they are asked for."""

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
        return [watch(path, self.every, self.limit) for path in self.clips]

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


def given(options: argparse.Namespace) -> Given:
    """What options and environment name.

    Raises:
        SourceError: a named place is not there, or holds nothing.
    """
    root = options.data or os.environ.get("MIEN_DATA")
    data = Path(root) if root else None
    if data is not None and not data.is_dir():
        raise SourceError(f"{root}: expected the data folder, got nothing; name another by --data or MIEN_DATA")
    clips, portraits = clips_of(options.clips, data), portraits_of(options.portraits, data)
    return Given(tuple(clips), tuple(portraits), data, options.every, options.limit)
