"""Survey of a seekable driver before it is played: its cuts, and the neutral of each shot."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from mien.capture.source import Source
from mien.face.face import Face
from mien.frame import Frame
from mien.motion.retarget import Framing, framing_of
from mien.parse.parser import Parser
from mien.parse.shots import Cut, is_other
from mien.parse.signature import Signature, signature_of

SAMPLES = 300
"""Frames of a seekable file from which the driver's neutral is estimated."""
BEGINNING, EVERY = 15, 5
"""Frames parsed at the beginning of a shot, then every n-th, and all frames that may begin another shot."""
ENOUGH = 120
"""Faces of one shot that are kept for its neutral; more are thinned out evenly."""
FRAMES = 1_000_000
"""Frames that are looked for in a file that does not say how many it has."""


@dataclass(frozen=True, slots=True)
class Survey:
    """Result of a survey: cuts, and the neutral of each shot."""

    framings: dict[int, Framing] = field(default_factory=dict)
    """By number of the shot."""
    cuts: tuple[Cut, ...] | None = None
    """In order; None: they are found as they come."""


def survey(source: Source, opened: Callable[[], Parser], cuts_of: Callable[[], Parser]) -> Survey:
    """Survey a seekable source: a few frames spread over it and, if these may be of several shots, every frame.

    A landmarker that looks at a still reads the same face a few per cent wider than one that tracks it, which would
    arrive as motion. So each sample is shown twice: the first look finds the face, the second one tracks it.

    Args:
        opened: makes a parser that takes the driver for one shot.
        cuts_of: makes one that finds its cuts.
    """
    faces: list[Face] = []
    before: Signature | None = None
    changes = False
    with opened() as scout:
        for frame in source.sample(SAMPLES):
            look = signature_of(frame.pixels, frame.seconds)
            changes, before = changes or (before is not None and is_other(before, look)), look
            if scout(frame) is not None and (face := scout(frame)) is not None:
                faces.append(face)
    if changes:
        with cuts_of() as scout:
            found = _Shots(scout).of(source)
        if found.cuts:
            return found
    framing = framing_of(faces)
    return Survey({} if framing is None else {0: framing})


class _Shots:
    """One pass over all frames of a file. Only those are parsed that tell where a cut is, and some more."""

    def __init__(self, scout: Parser) -> None:
        self._scout = scout
        self._cuts: list[Cut] = []
        self._faces: dict[int, list[Face]] = {}
        self._framings: dict[int, Framing] = {}
        self._since = 0

    def of(self, source: Source) -> Survey:
        skipped: Frame | None = None
        for frame in source.sample(_count(source)):
            due = self._since < BEGINNING or self._since % EVERY == 0
            if not due and self._scout.is_suspect(frame):
                if skipped is not None:  # what a face jumps from is the last frame of its shot
                    self._look(skipped)
                due = True
            skipped = None if due else frame
            if due:
                self._look(frame)
            self._since += 1
        self._settle(set())
        return Survey(self._framings, tuple(self._cuts))

    def _look(self, frame: Frame) -> None:
        face = self._scout(frame)
        if self._scout.cut is not None:
            self._cuts.append(self._scout.cut)
            self._since = 0
            self._settle({self._scout.state.shot, *(shot for shot, _ in self._scout.state.before)})
        if face is None or self._scout.state.doubt is not None:
            return
        faces = self._faces.setdefault(face.shot, [])
        faces.append(face)
        if len(faces) > ENOUGH:
            del faces[: ENOUGH // 2 : 2]

    def _settle(self, open_shots: set[int]) -> None:
        """Estimate the neutral of shots that do not come back any more."""
        for shot in [shot for shot in self._faces if shot not in open_shots]:
            framing = framing_of(self._faces.pop(shot))
            if framing is not None:
                self._framings[shot] = framing


def _count(source: Source) -> int:
    """More than its frames, so that none is left out."""
    info = source.info
    if info.frame_count is not None:
        return 2 * info.frame_count
    return FRAMES if info.duration is None else math.ceil(2 * info.duration * info.rate)
