"""All tables of `mien bench quality --table face-video`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from math import lcm
from pathlib import Path
from typing import Final

from mien import samples
from mien.capture import image
from mien.commands.options import count
from mien.errors import FaceError, MienError, ModelError, SourceError
from mien.machine.processor import usable_threads
from mien.paint.synthesis import open_synthesis
from mien.parse.models import FaceMesh
from mien.parsing.opening import open_segmenter
from mien.portrait.portrait import Portrait
from mien.portrait.prepare import prepare, sized
from mien.style.opening import MODEL, open_styler, style_bundle
from mien_bench.face_video import made_anew, readable, real_video, resegmentation, stability
from mien_bench.face_video.judges import open_judges
from mien_bench.face_video.made_anew import MadeAnew
from mien_bench.face_video.readable import FacesFound
from mien_bench.face_video.resegmentation import Sitter, open_generators
from mien_bench.face_video.stability import GAPS, Stability
from mien_bench.face_video.stylings import LEAD, ONCE, PHOTO, liveliest, open_run
from mien_bench.fidelity.drivers import Driver, watch
from mien_bench.fidelity.material import SIZE
from mien_bench.quality.clips import Material
from mien_bench.quality.people import unseen_faces
from mien_bench.quality.summary import short
from mien_bench.quality.thesis_tables import Part, joined_parts

FACE_VIDEO: Final = "face-video"
SAMPLES: Final = ("mira", "aldo")
"""The sample portraits that are moved."""
SECONDS: Final = 8.0
"""Of a driver that are looked through for its liveliest frames, at most."""
SITTERS: Final = 24
"""Portraits of the test split that table 3 is made of, at most, unless a limit is given."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Options of this table alone."""
    parser.add_argument("--pairs", type=count, default=12, metavar="N", help="of portrait and clip, for styles (12)")
    parser.add_argument("--styles", default=MODEL, metavar="BUNDLE", help="of styles (the packaged one)")
    parser.add_argument(
        "--plain-styles", metavar="BUNDLE", help="styles trained without the temporal loss, beside them"
    )
    parser.add_argument(
        "--resynthesis",
        nargs="+",
        default=["spade-video"],
        metavar="BUNDLE",
        help="generators for table 3 (spade-video)",
    )


def face_video_tables(given: Material, options: argparse.Namespace) -> Part:
    """Tables 1 and 2 on reenacted portraits and on real video, faces found, videos made anew, and table 3.

    Raises:
        MienError: a model is missing, or material cannot be read.
    """
    material = StyleMaterial(given, options)
    return joined_parts([_styles(material), _video(material), _made_anew(material), _resegmented(material)])


def need_styles(options: argparse.Namespace) -> None:
    """Refuse bundles of styles that are not there, before minutes are spent.

    Raises:
        ModelError: one is missing, broken, or of another family.
    """
    for bundle in (options.styles, options.plain_styles):
        if bundle is not None:
            style_bundle(bundle)


@dataclass(frozen=True)
class StyleMaterial:
    """Portraits and drivers, each read once, when first needed."""

    given: Material
    options: argparse.Namespace
    _portraits: dict[Path, Portrait] = field(default_factory=dict)
    _drivers: dict[Path, Driver] = field(default_factory=dict)

    @cached_property
    def threads(self) -> int:
        found: int | None = self.options.threads
        return found or usable_threads()

    @property
    def model(self) -> str:
        """That the portraits are moved by: the last of those that are compared elsewhere."""
        found: str = self.options.models[-1]
        return found

    @property
    def frames(self) -> int:
        """Of each run, with those that are not measured."""
        wanted: int = self.options.frames
        return LEAD + max(wanted, max(GAPS) + 1)

    @property
    def pairs(self) -> list[tuple[Path, Path]]:
        """Portraits and clips: every portrait and every clip once before any comes again."""
        unused = {path for name, path in samples.portraits().items() if name not in SAMPLES}
        own = [path for path in self.given.portraits if self.options.portraits or path not in unused]
        return spread_pairs(own[: self.given.limit], self.given.clips, self.options.pairs)

    def portrait(self, path: Path) -> Portrait:
        """Prepared as a user's is; raises FaceError without a usable face, SourceError if it cannot be read."""
        if path not in self._portraits:
            self._portraits[path] = prepare(sized(image.read(path), SIZE, SIZE))[0]
        return self._portraits[path]

    def driver(self, path: Path, anyone: Portrait) -> Driver:
        """Watched with any portrait; raises SourceError if it cannot be read, FaceError without a face."""
        if path not in self._drivers:
            self._drivers[path] = watch(path, anyone, min(self.options.seconds or SECONDS, SECONDS))
        return self._drivers[path]

    def sitters(self) -> Iterator[Sitter]:
        """For table 3: the test split, else the portraits that are given."""
        limit = self.given.limit or SITTERS
        if self.given.has_faces and not self.options.portraits:
            for face in unseen_faces(self.given.faces, limit):
                yield Sitter.of(face.name, face.pixels, face.landmarks)
            return
        for path in self.given.portraits[:limit]:
            try:
                portrait = self.portrait(path)
            except FaceError:
                continue
            yield Sitter.of(path.stem, portrait.pixels, portrait.landmarks)


def spread_pairs(portraits: Sequence[Path], clips: Sequence[Path], most: int) -> list[tuple[Path, Path]]:
    """At most `most` different pairs, along the diagonals of the table of all pairs."""
    if not portraits or not clips:
        return []
    lap, whole = lcm(len(portraits), len(clips)), len(portraits) * len(clips)
    numbers = range(min(most, whole))
    return [(portraits[n % len(portraits)], clips[(n + n // lap) % len(clips)]) for n in numbers]


def _styles(material: StyleMaterial) -> Part:
    found, seen, notes = list[Stability](), list[FacesFound](), list[str]()
    with FaceMesh(still=True, most=1) as mesh:
        for portrait, clip in material.pairs:
            pair = f"{portrait.stem}, {clip.stem}"
            try:
                faces = FacesFound(pair, short(material.model), mesh)
                found.append(_measured(material, portrait, clip, faces))
                seen.append(faces)
                print(f"  {pair}: {_said(found[-1])}", flush=True)
            except (FaceError, TooFew) as error:
                notes.append(f"face-video: left out {pair}: {error}")
                print(f"  {notes[-1]}", flush=True)
    if not found:
        return Part(notes=(*notes, "no temporal error of styles: no pair of portrait and clip can be used"))
    return Part(
        (*stability.rows(found), *readable.rows(seen)),
        (*stability.tables(found), readable.table(seen)),
        notes=tuple(notes),
        checks=(*stability.targets(found), *readable.targets(seen)),
    )


class TooFew(MienError):
    """A driver has fewer frames than are needed."""


def _measured(material: StyleMaterial, portrait: Path, clip: Path, faces: FacesFound) -> Stability:
    posed, options = material.portrait(portrait), material.options
    driver = material.driver(clip, posed)
    numbers = liveliest(driver, material.frames) or liveliest(driver, LEAD + max(GAPS) + 1)
    if not numbers:
        raise TooFew(f"{clip.name} has fewer than {LEAD + max(GAPS) + 1} successive frames with a face")
    with open_run(posed, driver, material.model, options.styles, options.plain_styles, material.threads) as run:
        return stability.measure(faces.pair, faces.model, run, numbers, faces)


def _said(found: Stability) -> str:
    """The face's error one frame apart, as multiples of the photograph's."""
    styles = dict.fromkeys(style for _, style in found.values if style)
    shares = {style: stability.ratios([found], ONCE, PHOTO, style) for style in styles}
    return ", ".join(f"{style} {values[0]:.1f}" for style, values in shares.items() if values)


def _video(material: StyleMaterial) -> Part:
    found = []
    with open_styler(material.threads, material.options.styles) as styler:
        for path in material.given.clips[: material.given.limit]:
            found.append(real_video.measure(path, styler, material.options.frames))
            print(f"  {path.stem}, as video: {len(styler.names)} styles", flush=True)
    return Part(tuple(real_video.rows(found)), (real_video.table(found),))


def _made_anew(material: StyleMaterial) -> Part:
    """Of each generator that can be had; those that cannot are noted by table 3."""
    threads, parts = material.threads, list[Part]()
    for model in material.options.resynthesis:
        with ExitStack() as stack:
            try:
                synthesis = stack.enter_context(open_synthesis(threads, model))
            except ModelError:
                continue
            segmenter, _ = stack.enter_context(open_segmenter(threads))
            found, notes = list[MadeAnew](), list[str]()
            for path in material.given.clips[: material.given.limit]:
                try:
                    found.append(made_anew.measure(path, segmenter, synthesis, material.options.frames))
                    print(f"  {path.stem}, made anew by {short(model)}", flush=True)
                except (FaceError, SourceError) as error:
                    notes.append(f"made anew: left out {path.stem}: {error}")
        own = (made_anew.table(found, short(model)),) if found else ()
        parts.append(Part(tuple(made_anew.rows(found, short(model))), own, notes=tuple(notes)))
    return joined_parts(parts)


def _resegmented(material: StyleMaterial) -> Part:
    threads, models = material.threads, material.options.resynthesis
    with open_generators(models, threads) as (generators, lacking), open_judges(threads) as (judges, unjudged):
        notes, sitters = (*lacking, *unjudged), list(material.sitters())
        if not sitters:
            return Part(notes=(*notes, "no table 3: no portrait has a usable face"))
        print(f"  table 3: {len(sitters)} portraits, {len(generators)} generators", flush=True)
        found = list(resegmentation.measure(sitters, generators, judges))
    checks = tuple(resegmentation.targets(found))
    return Part(tuple(resegmentation.rows(found)), (resegmentation.table(found),), notes=notes, checks=checks)
