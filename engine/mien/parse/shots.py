"""Where a driver is cut: a pure state machine over looks and landmarks, causal.

A cut needs a picture that is laid out or coloured otherwise than the last one of the shot, and a second witness: a face
that no head could have moved to, surroundings that are others, or a new picture that stays. What comes and goes (a
flash, a hand before the lens) and what only moves is none. A shot whose picture comes back is taken up again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mien.parse.look import Floats, Look, colours_apart, is_blank, moved, outside_of, structure_apart, surroundings

Array = NDArray[np.float64]

OTHER, CERTAIN, ALIKE = 0.4, 0.6, 0.2
"""Structure apart from which on a picture may be another shot's, surely is another one, and below which it is none."""
RECOLOURED, TINTED = 0.5, 0.3
"""Colours apart from which on a picture may be another shot's although its structure is not as far apart, and from
which on one that surely is another picture is another shot's."""
STEADY = 0.35
"""Share of those within which a face has stayed where it was."""
SOON = 0.25
"""Seconds within which a change is sudden."""
STAYS, UNSEEN_STAYS = 3, 0.4
"""Frames for which a picture whose face has not moved must stay, and seconds where no face is seen."""
ANCHORS, EARLIER = 0.16, 10
"""Seconds between the looks that slow changes, such as a dissolve, are compared with, and how many are kept."""
MIXED, SHARE = 0.25, 0.2
"""How far, as a share of its energy, a picture within a dissolve may be off a mixture of those before and after it, and
how much it shows of each at least."""
SETTLING = 0.6
"""Seconds for which a dissolve or a wipe may go on after it was found."""
RESTLESS = 3
"""Pictures that differ one after the other from which on it is the camera that moves."""
KEPT = 4
"""Shots that are recognised when they come back."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A frame of a shot."""

    look: Look
    place: Array | None = None
    """(4,): the head's x, y and size in widths of the frame, and the frame's height in them; None: no face so far."""
    placed_at: float = 0.0
    """When that was."""


@dataclass(frozen=True, slots=True, eq=False)
class Doubt:
    """A picture that is another one, without a second witness yet."""

    since: float
    last: Look
    frames: int = 1
    restless: int = 0
    """How many pictures before it were others, too, each than the one before."""


@dataclass(frozen=True, slots=True, eq=False)
class ShotState:
    """All that the detector remembers."""

    shot: int = 0
    latest: int = 0
    """The highest number of a shot so far."""
    last: Seen | None = None
    """The last frame that was of the shot."""
    anchors: tuple[Look, ...] = ()
    """Looks of the shot every 0.16 seconds, newest last."""
    settled_at: float = -math.inf
    """Until when the picture goes on changing after a slow cut."""
    calm: bool = False
    """Whether the last frame hardly differed from the one before."""
    doubt: Doubt | None = None
    before: tuple[tuple[int, Seen], ...] = ()
    """The last frames of earlier shots, newest last."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A new shot begins."""

    shot: int
    """Its number, counted from 0; an earlier one's where that comes back."""
    begin: float
    """Seconds of its first frame, which may lie before the frame that made it certain."""
    cause: str
    late: int = 0
    """Frames before this one that were of the new shot already."""


def is_other(last: Look, look: Look) -> bool:
    """Whether a picture is laid out or coloured so much otherwise than the last one that it may be of another shot."""
    apart = structure_apart(last, look)
    if apart is None:
        return colours_apart(last, look) > RECOLOURED
    return apart > OTHER or (apart > ALIKE and colours_apart(last, look) > RECOLOURED)


def is_suspect(state: ShotState, look: Look) -> bool:
    """Whether a frame with this look may be of another shot, so that its face is to be sought everywhere."""
    return state.last is not None and (state.doubt is not None or is_other(state.last.look, look))


def is_sudden(state: ShotState, look: Look) -> bool:
    """Whether a frame follows soon on a picture that hardly moved."""
    return state.last is not None and state.calm and look.seconds - state.last.look.seconds <= SOON


def placed(state: ShotState, place: Array | None) -> ShotState:
    """The state with the face of the frame that began a shot, as it was chosen anew."""
    last = state.last
    return state if last is None else replace(state, last=Seen(last.look, place, last.look.seconds))


def step(state: ShotState, look: Look, place: Array | None, forced: str | None = None) -> tuple[ShotState, Cut | None]:
    """The state after a frame with its face at `place`, if it shows one; and the cut that it made certain.

    `forced`: what makes a cut in any case, such as another shape of the frames.
    """
    last = state.last
    if last is None:
        return _accepted(state, look, place), None
    if forced is not None:
        return _cut(state, look, place, forced)
    if is_blank(look) and not is_blank(last.look):
        return _blank(state, last, look, place), None
    if not is_other(last.look, look):
        return _slowly(state, last, look, place)
    if any(not is_other(anchor, look) for anchor in state.anchors) and not _has_jumped(last, look, place):
        return _accepted(state, look, place), None
    outside = structure_apart(last.look, look, surroundings(last.place, place))
    if place is not None and last.place is not None:
        return _with_faces(state, last, look, place, outside)
    if place is not None and last.place is None:
        return _cut(state, look, place, "change of the picture, a face")
    if last.place is not None and outside is not None and outside < ALIKE:
        return _accepted(state, look, None), None
    return _unseen(state, look)


def _blank(state: ShotState, last: Seen, look: Look, place: Array | None) -> ShotState:
    """White, black or covered: nothing is known until there is a picture again."""
    if place is not None and last.place is not None and not _has_jumped(last, look, place):
        last = replace(last, place=place, placed_at=look.seconds)
    return replace(state, last=last, doubt=Doubt(look.seconds if state.doubt is None else state.doubt.since, look))


def _slowly(state: ShotState, last: Seen, look: Look, place: Array | None) -> tuple[ShotState, Cut | None]:
    """A picture as the one before; yet little by little it may have become another one."""
    if place is not None:
        jumped = _has_jumped(last, look, place) and any(is_other(anchor, look) for anchor in state.anchors)
        if jumped or _is_dissolved(state, look):
            cause = "slow change of the picture, jump of the face" if jumped else "dissolve or wipe"
            begun, cut = _cut(state, look, place, cause)
            return replace(begun, settled_at=look.seconds + SETTLING), cut
    return _accepted(state, look, place), None


def _with_faces(
    state: ShotState, last: Seen, look: Look, place: Array, outside: float | None
) -> tuple[ShotState, Cut | None]:
    assert last.place is not None
    same_surroundings = outside is not None and outside < ALIKE
    way = moved(last.place, place, look.seconds - last.placed_at)
    there = structure_apart(last.look, look, ~outside_of(place))
    if there is not None and there < ALIKE:  # this face was there before, whoever else has gone
        return _accepted(state, look, place if way <= 1 else None), None
    if way > (2 if same_surroundings else 1):
        return _cut(state, look, place, "change of the picture, jump of the face")
    if same_surroundings:
        return _accepted(state, look, place), None
    sudden = state.doubt is not None or is_sudden(state, look)
    if outside is not None and outside > CERTAIN and way > STEADY and sudden:
        return _cut(state, look, place, "change of the picture and of the surroundings")
    return _staying(state, last, look, place)


def _staying(state: ShotState, last: Seen, look: Look, place: Array) -> tuple[ShotState, Cut | None]:
    """A face that may have stayed, in a picture that did not: a flash ends, a turning camera turns on, a cut stays."""
    doubt, apart = state.doubt, structure_apart(last.look, look)
    tinted = colours_apart(last.look, look)
    other = apart is None or apart > CERTAIN or tinted > RECOLOURED
    sudden = doubt is not None or is_sudden(state, look)
    if not other or not sudden or look.seconds < state.settled_at:
        return _accepted(state, look, place), None
    if doubt is None or is_blank(doubt.last):
        if apart is not None and apart > CERTAIN and tinted > TINTED:
            return _cut(state, look, place, "change of the picture and of its colours")
        return replace(state, doubt=Doubt(look.seconds, look)), None
    if not _is_calm(doubt.last, look):
        if doubt.restless + 1 >= RESTLESS:
            return _accepted(state, look, place), None
        return replace(state, doubt=Doubt(look.seconds, look, restless=doubt.restless + 1)), None
    if doubt.frames >= STAYS:
        return _cut(state, look, place, "change of the picture that stays")
    return replace(state, doubt=Doubt(doubt.since, look, doubt.frames + 1)), None


def _unseen(state: ShotState, look: Look) -> tuple[ShotState, Cut | None]:
    """Another picture without a face."""
    doubt = state.doubt
    if doubt is None or not _is_calm(doubt.last, look):
        return replace(state, doubt=Doubt(look.seconds, look)), None
    if doubt.frames >= STAYS and look.seconds - doubt.since >= UNSEEN_STAYS:
        return _cut(state, look, None, "change of the picture that stays, no face")
    return replace(state, doubt=Doubt(doubt.since, look, doubt.frames + 1)), None


def _accepted(state: ShotState, look: Look, place: Array | None) -> ShotState:
    last = state.last
    calm = last is not None and _is_calm(last.look, look)
    if place is not None:
        seen = Seen(look, place, look.seconds)
    else:
        seen = Seen(look) if last is None else replace(last, look=look)
    due = not state.anchors or not 0 <= look.seconds - state.anchors[-1].seconds < ANCHORS
    anchors = (*state.anchors[1 - EARLIER :], look) if due else state.anchors
    if look.seconds < state.settled_at:
        anchors = (look,)
    return replace(state, last=seen, anchors=anchors, calm=calm, doubt=None)


def _cut(state: ShotState, look: Look, place: Array | None, cause: str) -> tuple[ShotState, Cut]:
    assert state.last is not None
    doubt = state.doubt if state.doubt is not None and _is_calm(state.doubt.last, look) else None
    begin, late = (look.seconds, 0) if doubt is None else (doubt.since, doubt.frames)
    seen = Seen(look, place, look.seconds)
    before = (*(kept for kept in state.before if kept[0] != state.shot), (state.shot, state.last))[-KEPT:]
    back = next((shot for shot, kept in reversed(before[:-1]) if _is_back(kept, seen)), None)
    latest = state.latest if back is not None else state.latest + 1
    shot = latest if back is None else back
    return ShotState(shot, latest, seen, (look,), before=before), Cut(shot, begin, cause, late)


def _is_back(before: Seen, seen: Seen) -> bool:
    """Whether an earlier shot goes on: the same picture, and its face no further off than it may have moved."""
    apart = structure_apart(before.look, seen.look)
    if apart is None or apart > OTHER or colours_apart(before.look, seen.look) > TINTED:
        return False
    if before.place is None or seen.place is None:
        return before.place is None and seen.place is None
    return moved(before.place, seen.place, 1 / 25) < 2


def _is_calm(last: Look, look: Look) -> bool:
    apart = structure_apart(last, look)
    return apart < ALIKE if apart is not None else colours_apart(last, look) < RECOLOURED


def _has_jumped(last: Seen, look: Look, place: Array | None) -> bool:
    """Whether the face is where no head could have moved to."""
    return place is not None and last.place is not None and moved(last.place, place, look.seconds - last.placed_at) > 1


def _is_dissolved(state: ShotState, look: Look) -> bool:
    """Whether what lies between is a mixture of the picture before and this one: a turning camera shows others."""
    first, *between = state.anchors
    apart = structure_apart(first, look)
    if not between or apart is None or apart < CERTAIN or colours_apart(first, look) < TINTED:
        return False
    if not _is_calm(between[-1], look):
        return False
    mixtures = [_mixture(first.steps.ravel(), look.steps.ravel(), anchor.steps.ravel()) for anchor in between]
    return all(off < MIXED for off, _ in mixtures) and max(share for _, share in mixtures) > SHARE


def _mixture(a: Floats, b: Floats, between: Floats) -> tuple[float, float]:
    """How far steps are off those of `a` and `b` mixed, as a share of their energy, and how much they show of the one
    that they show less of: mixed everywhere alike (a dissolve) or the one here and the other there (a wipe)."""
    aa, ab, bb, am, bm = (float(np.vdot(*pair)) for pair in ((a, a), (a, b), (b, b), (a, between), (b, between)))
    energy, determinant = float(np.vdot(between, between)), max(aa * bb - ab * ab, 1e-6)
    shares = (am * bb - bm * ab) / determinant, (bm * aa - am * ab) / determinant
    dissolved = (energy - shares[0] * am - shares[1] * bm) / energy
    off_a, off_b = (between - a) ** 2, (between - b) ** 2
    wiped = float(np.minimum(off_a, off_b).sum()) / energy
    if dissolved < wiped:
        return dissolved, min(shares)
    nearer = float((off_a < off_b).mean())
    return wiped, min(nearer, 1 - nearer)
