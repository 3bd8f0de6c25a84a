"""The mesh morph between pairs of portraits: whom it resembles over the degree, how long its steps take, and sheets.

Identity is the distance of embeddings by dlib's network, 0 for the same picture, 0.6 for the border between two people.
A morph that works goes away from the first and comes nearer to the second with every step of its degree.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from itertools import pairwise
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from mien.capture import image
from mien.chain import open_chain
from mien.config import ReenactSettings
from mien.errors import BackendError, FaceError
from mien.frame import Frame
from mien.machine.processor import usable_threads
from mien.morphing.mesh_morph import MeshMorph
from mien.morphing.sequence import MorphSequence
from mien.portrait.portrait import Portrait
from mien.portrait.prepare import prepare_to_fit
from mien.runtime.sharing import SharedGraphs
from mien.stats import UNTIMED
from mien_bench.quality.clips import Material
from mien_bench.quality.dlib_face import DlibDetector, apart
from mien_bench.quality.people import unseen_faces
from mien_bench.quality.picture_strips import grid, jpeg
from mien_bench.quality.summary import short
from mien_bench.quality.thesis_tables import Part
from mien_bench.results import Row, Strip, Table

Pixels = NDArray[np.uint8]
Made = TypeVar("Made")

MORPH: Final = "morph"
DEGREES: Final = tuple(number / 8 for number in range(9))
SHEET: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
SIDE: Final = 512
SIZES: Final = (512, 1024)
"""Sides of the square portraits whose times are taken."""
FACES: Final = 8
"""Portraits of the test split that are taken, at most, unless a limit is given."""
CHANGES: Final = 12
"""Steps of the degree that are timed, one after the other."""
SLACK: Final = 0.02
"""How far a distance may go the wrong way in one step: about what the embedding differs by in two like pictures."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """One pair: the distances of its morphs' identities to both ends, one for each of `DEGREES`; NaN: no face seen."""

    pair: str
    first: tuple[float, ...]
    second: tuple[float, ...]

    @property
    def is_monotone(self) -> bool:
        """Whether no step leads back."""
        away, nearer = np.diff(self.first), np.diff(self.second)
        return bool((away > -SLACK).all() and (nearer < SLACK).all())


@dataclass(slots=True)
class Times:
    """Of one size, in milliseconds."""

    preparing: list[float] = field(default_factory=list)
    """Both ends for morphing, once their portraits are prepared."""
    blending: list[float] = field(default_factory=list)
    changing: list[float] = field(default_factory=list)
    """Blending, and all else until a chain is ready for the next frame."""
    plain: list[float] = field(default_factory=list)
    """A frame of the first portrait; `morphed` of the morph."""
    morphed: list[float] = field(default_factory=list)


def morph_tables(there: Material, model: str, threads: int | None) -> Part:
    """All that is measured of the mesh morph.

    Raises:
        MienError: a picture cannot be read, or the model not be opened.
    """
    people = list(_people(there))
    morphs = list(_morphs(people))
    parts = [_sheet(people, morphs), _timed(there, model, threads or usable_threads())]
    try:
        parts.append(_likenesses(morphs, DlibDetector()))
    except BackendError as error:
        parts.append(Part(notes=(f"no identity distances of morphs: {error}",)))
    return Part(
        tuple(row for part in parts for row in part.rows),
        tuple(table for part in parts for table in part.tables),
        strips=tuple(strip for part in parts for strip in part.strips),
        notes=tuple(note for part in parts for note in part.notes),
    )


def _people(there: Material) -> Iterator[tuple[str, Pixels]]:
    for path in there.portraits[: there.limit]:
        yield path.stem, image.read(path)
    if there.has_faces:
        for one in unseen_faces(there.faces, there.limit or FACES):
            yield one.name, one.pixels


def _morphs(people: Sequence[tuple[str, Pixels]]) -> Iterator[tuple[str, MeshMorph]]:
    """Of each portrait and the next; those that look in too different directions are left out."""
    prepared: list[tuple[str, Portrait]] = []
    for name, pixels in people:
        try:
            prepared.append((name, prepare_to_fit((SIDE, SIDE), pixels)[0]))
        except FaceError as error:
            print(f"  left out: {name}: {error}", flush=True)
    for (name, first), (other, second) in pairwise(prepared):
        try:
            yield f"{name} to {other}", MeshMorph(first, second)
        except FaceError as error:
            print(f"  left out: {name} to {other}: {error}", flush=True)


def _likenesses(morphs: Sequence[tuple[str, MeshMorph]], detector: DlibDetector) -> Part:
    found = [likeness(name, morph, detector) for name, morph in morphs]
    seen = [one for one in found if np.isfinite([one.first, one.second]).all()]
    notes = tuple(f"{one.pair}: dlib sees no face at some degree" for one in found if one not in seen)
    if not seen:
        return Part(notes=notes)
    rows = [
        Row("identity distance", "", tuple(getattr(one, end)[at] for one in seen), "neither", _at(end, degree), "pair")
        for end in ("first", "second")
        for at, degree in enumerate(DEGREES)
    ]
    monotone = tuple(100.0 * one.is_monotone for one in seen)
    rows.append(Row("morphs that only go from one to the other", "%", monotone, "higher", each="pair"))
    lines = [
        (f"to the {end} portrait", *(f"{np.mean([getattr(one, end)[at] for one in seen]):.2f}" for at in range(9)))
        for end in ("first", "second")
    ]
    title = f"Morph: identity distance over the degree, mean of {len(seen)} pairs"
    columns = ("", *(f"{degree:g}" for degree in DEGREES))
    told = f"{sum(one.is_monotone for one in seen)} of {len(seen)} pairs have no step that leads back by over {SLACK}"
    return Part(tuple(rows), (Table(title, columns, tuple(lines), notes=(told,)),), notes=notes)


def _at(end: str, degree: float) -> dict[str, str | int | float | bool]:
    return {"end": end, "degree": degree, "how": "mesh"}


def likeness(pair: str, morph: MeshMorph, detector: DlibDetector) -> Likeness:
    """Of one pair."""
    faces = [detector(morph(degree).pixels) for degree in DEGREES]
    first, second = (
        tuple(float("nan") if end is None or one is None else apart(one, end) for one in faces)
        for end in (faces[0], faces[-1])
    )
    return Likeness(pair, first, second)


def _sheet(people: Sequence[tuple[str, Pixels]], morphs: Sequence[tuple[str, MeshMorph]]) -> Part:
    """Of the pairs of samples alone: pages with strips are published."""
    shown = [morph for name, morph in morphs if "face " not in name]
    if not shown:
        return Part()
    lines = [[morph(degree).pixels for degree in SHEET] for morph in shown]
    labels = tuple(f"degree {degree:g}" for degree in SHEET)
    return Part(strips=(Strip("Strip: morph by the mesh", labels, jpeg(grid(lines))),))


def _timed(there: Material, model: str, threads: int) -> Part:
    rows = []
    pictures = [image.read(path) for path in there.portraits[:2]]
    if len(pictures) < 2:
        return Part(notes=("no times of morphs: expected two portraits, got fewer",))
    for size in SIZES:
        first, second = (prepare_to_fit((size, size), one)[0] for one in pictures)
        times = timed(first, second, model, threads)
        condition = {"size": size, "model": short(model), "threads": threads}
        for name, values in (
            ("morph: preparing both ends", times.preparing),
            ("morph: blending", times.blending),
            ("morph: changing the degree", times.changing),
            ("morph: frame of a portrait", times.plain),
            ("morph: frame of a morph", times.morphed),
        ):
            rows.append(Row(name, "ms", tuple(values), "lower", condition))
    return Part(tuple(rows))


def timed(first: Portrait, second: Portrait, model: str, threads: int) -> Times:
    """How long the steps of one morph take."""
    times, settings = Times(), ReenactSettings(model=model, threads=threads)
    graphs = SharedGraphs()
    try:
        morph = _taken(times.preparing, partial(MeshMorph, first, second))
        plain = open_chain((first,), settings, threads, graphs=graphs)
        sequence = MorphSequence(morph, open_chain((morph(0.5),), settings, threads, graphs=graphs), threads)
        for number in range(CHANGES):
            degree = (number + 1) / (CHANGES + 1)
            _taken(times.blending, partial(morph, degree))
            chain = _taken(times.changing, partial(sequence.at, degree))
            frame = Frame(first.pixels, number, Fraction(1, 25))
            _taken(times.plain, partial(plain, None, frame, "full", UNTIMED))
            _taken(times.morphed, partial(chain, None, frame, "full", UNTIMED))
        plain.close()
        sequence.chain.close()
    finally:
        graphs.close()
    return times


def _taken(into: list[float], made: Callable[[], Made]) -> Made:
    began = time.perf_counter()
    out = made()
    into.append(1e3 * (time.perf_counter() - began))
    return out
