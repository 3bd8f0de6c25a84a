"""What the measures of fidelity are taken on: drivers, portraits and judges, each read once, when first needed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from mien import samples
from mien.capture import image
from mien.errors import FaceError
from mien.portrait.portrait import Portrait
from mien.portrait.prepare import prepare, sized
from mien_bench.fidelity.consistency import Subject
from mien_bench.fidelity.drivers import Driver, frames_of, watch
from mien_bench.fidelity.shaken import SECONDS, write_shaken
from mien_bench.quality.clips import Material
from mien_bench.quality.people import portraits_of_photographs, unseen_faces
from mien_bench.quality.thesis_runs import GROUPS, UNSEEN

SIZE: Final = 512
"""Longer side of portraits, and so of what is measured."""
MOST_FACES: Final = 6
"""Portraits of the test split, where no limit is given: the split is larger than what can be judged in minutes."""


@dataclass(frozen=True)
class FidelityMaterial:
    """Drivers and portraits of a run."""

    given: Material
    openseeface: Path | None
    """OpenSeeFace's model, where one was named."""
    models: tuple[str, ...]
    guides: int
    """Frames of each driver that guide others."""
    frames: int
    """Frames that are made of each pair of portrait and driver."""
    seconds: float | None
    """Of each driver, at most; None: all of it."""
    threads: int | None

    @cached_property
    def anyone(self) -> Portrait:
        """A portrait that drivers are watched with; none of the stages they go through looks at it."""
        return prepare(next(iter(samples.portraits().values())), size=256)[0]

    @cached_property
    def drivers(self) -> list[Driver]:
        """Each clip, watched.

        Raises:
            MienError: one cannot be read, or shows no face.
        """
        return [self._watched(path) for path in self.given.clips]

    @cached_property
    def portraits(self) -> dict[str, Portrait]:
        """By name, prepared as a user's are; pictures without a usable face are left out."""
        found = {}
        for path in self.given.portraits[: self.given.limit]:
            try:
                found[path.stem] = prepare(sized(image.read(path), SIZE, SIZE))[0]
            except FaceError as error:
                print(f"  left out: {error}", flush=True)
        return found

    @cached_property
    def shaken(self) -> list[Driver]:
        """Each clip as if filmed by hand; see `mien_bench.fidelity.shaken`."""
        found = []
        with TemporaryDirectory(prefix="mien-bench-") as folder:
            for seed, clip in enumerate(self.given.clips, 1):
                target = Path(folder) / f"{clip.stem}_shaken.mp4"
                write_shaken(clip, target, seed, min(self.seconds or SECONDS, SECONDS))
                found.append(self._watched(target))
        return found

    def subjects(self) -> Iterator[Subject]:
        """References of table 4.1: portraits of the test split, calm frames of the clips, other pictures."""
        same, cross, wild = GROUPS
        limit = self.given.limit
        if self.given.has_faces:
            for identity, (portrait,) in portraits_of_photographs(unseen_faces(self.given.faces, limit or MOST_FACES)):
                yield Subject(same, identity, portrait)
        for driver in self.drivers[:limit]:
            number = driver.calm[0]
            yield Subject(cross, driver.name, prepare(frames_of(driver.path, [number])[number], size=SIZE)[0])
        for name, portrait in self.portraits.items():
            yield Subject(same if name.startswith(UNSEEN) else wild, name, portrait)

    def _watched(self, path: Path) -> Driver:
        print(f"  watching {path.stem}", flush=True)
        return watch(path, self.anyone, self.seconds)
