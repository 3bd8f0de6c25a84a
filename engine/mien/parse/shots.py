"""Cut detection: a causal, pure state machine over frame signatures and landmarks.

A cut needs a frame whose structure or colours differ from the last one of the shot, and a second witness: a face at a
position that no head could have moved to, a different background, or a new picture that persists. Short disturbances (a
flash, a hand before the lens) and mere movement are not cuts. A shot whose picture returns continues.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mien.parse.signature import (
    Floats,
    Signature,
    colours_apart,
    is_blank,
    moved,
    outside_of,
    structure_apart,
    surroundings,
)

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
    """A frame of a shot, as cut detection keeps it."""

    signature: Signature
    place: Array | None = None
    """(4,): the head's x, y and size in widths of the frame, and the frame's height in them; None: no face so far."""
    placed_at: float = 0.0
    """When that was."""


@dataclass(frozen=True, slots=True, eq=False)
class Doubt:
    """A changed picture without a second witness yet."""

    since: float
    last: Signature
    frames: int = 1
    restless: int = 0
    """How many pictures before it were others, too, each than the one before."""


@dataclass(frozen=True, slots=True, eq=False)
class ShotState:
    """State of the detector."""

    shot: int = 0
    latest: int = 0
    """The highest number of a shot so far."""
    last: Seen | None = None
    """The last frame that was of the shot."""
    anchors: tuple[Signature, ...] = ()
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


def is_other(last: Signature, signature: Signature) -> bool:
    """Whether a picture is laid out or coloured so much otherwise than the last one that it may be of another shot."""
    apart = structure_apart(last, signature)
    if apart is None:
        return colours_apart(last, signature) > RECOLOURED
    return apart > OTHER or (apart > ALIKE and colours_apart(last, signature) > RECOLOURED)


def is_suspect(state: ShotState, signature: Signature) -> bool:
    """Whether a frame with this look may be of another shot, so that its face is to be sought everywhere."""
    return state.last is not None and (state.doubt is not None or is_other(state.last.signature, signature))


def is_sudden(state: ShotState, signature: Signature) -> bool:
    """Whether a frame follows soon on a picture that hardly moved."""
    return state.last is not None and state.calm and signature.seconds - state.last.signature.seconds <= SOON


def placed(state: ShotState, place: Array | None) -> ShotState:
    """The state with the face of the frame that began a shot, as it was chosen anew."""
    last = state.last
    return state if last is None else replace(state, last=Seen(last.signature, place, last.signature.seconds))


def step(
    state: ShotState, signature: Signature, place: Array | None, forced: str | None = None
) -> tuple[ShotState, Cut | None]:
    """The state after a frame with its face at `place`, if it shows one; and the cut that it made certain.

    `forced`: what makes a cut in any case, such as another shape of the frames.
    """
    last = state.last
    if last is None:
        return _accepted(state, signature, place), None
    if forced is not None:
        return _cut(state, signature, place, forced)
    if is_blank(signature) and not is_blank(last.signature):
        return _blank(state, last, signature, place), None
    if not is_other(last.signature, signature):
        return _slowly(state, last, signature, place)
    if any(not is_other(anchor, signature) for anchor in state.anchors) and not _has_jumped(last, signature, place):
        return _accepted(state, signature, place), None
    outside = structure_apart(last.signature, signature, surroundings(last.place, place))
    if place is not None and last.place is not None:
        return _with_faces(state, last, signature, place, outside)
    if place is not None and last.place is None:
        return _cut(state, signature, place, "change of the picture, a face")
    if last.place is not None and outside is not None and outside < ALIKE:
        return _accepted(state, signature, None), None
    return _unseen(state, signature)


def _blank(state: ShotState, last: Seen, signature: Signature, place: Array | None) -> ShotState:
    """A white, black or covered frame: no decision until there is a picture again."""
    if place is not None and last.place is not None and not _has_jumped(last, signature, place):
        last = replace(last, place=place, placed_at=signature.seconds)
    return replace(
        state, last=last, doubt=Doubt(signature.seconds if state.doubt is None else state.doubt.since, signature)
    )


def _slowly(state: ShotState, last: Seen, signature: Signature, place: Array | None) -> tuple[ShotState, Cut | None]:
    """A picture as the one before; yet little by little it may have become another one."""
    if place is not None:
        jumped = _has_jumped(last, signature, place) and any(is_other(anchor, signature) for anchor in state.anchors)
        if jumped or _is_dissolved(state, signature):
            cause = "slow change of the picture, jump of the face" if jumped else "dissolve or wipe"
            begun, cut = _cut(state, signature, place, cause)
            return replace(begun, settled_at=signature.seconds + SETTLING), cut
    return _accepted(state, signature, place), None


def _with_faces(
    state: ShotState, last: Seen, signature: Signature, place: Array, outside: float | None
) -> tuple[ShotState, Cut | None]:
    assert last.place is not None
    same_surroundings = outside is not None and outside < ALIKE
    way = moved(last.place, place, signature.seconds - last.placed_at)
    there = structure_apart(last.signature, signature, ~outside_of(place))
    if there is not None and there < ALIKE:  # this face was there before, whoever else has gone
        return _accepted(state, signature, place if way <= 1 else None), None
    if way > (2 if same_surroundings else 1):
        return _cut(state, signature, place, "change of the picture, jump of the face")
    if same_surroundings:
        return _accepted(state, signature, place), None
    sudden = state.doubt is not None or is_sudden(state, signature)
    if outside is not None and outside > CERTAIN and way > STEADY and sudden:
        return _cut(state, signature, place, "change of the picture and of the surroundings")
    return _staying(state, last, signature, place)


def _staying(state: ShotState, last: Seen, signature: Signature, place: Array) -> tuple[ShotState, Cut | None]:
    """A face that may have stayed, in a picture that did not: a flash ends, a turning camera turns on, a cut stays."""
    doubt, apart = state.doubt, structure_apart(last.signature, signature)
    tinted = colours_apart(last.signature, signature)
    other = apart is None or apart > CERTAIN or tinted > RECOLOURED
    sudden = doubt is not None or is_sudden(state, signature)
    if not other or not sudden or signature.seconds < state.settled_at:
        return _accepted(state, signature, place), None
    if doubt is None or is_blank(doubt.last):
        if apart is not None and apart > CERTAIN and tinted > TINTED:
            return _cut(state, signature, place, "change of the picture and of its colours")
        return replace(state, doubt=Doubt(signature.seconds, signature)), None
    if not _is_calm(doubt.last, signature):
        if doubt.restless + 1 >= RESTLESS:
            return _accepted(state, signature, place), None
        return replace(state, doubt=Doubt(signature.seconds, signature, restless=doubt.restless + 1)), None
    if doubt.frames >= STAYS:
        return _cut(state, signature, place, "change of the picture that stays")
    return replace(state, doubt=Doubt(doubt.since, signature, doubt.frames + 1)), None


def _unseen(state: ShotState, signature: Signature) -> tuple[ShotState, Cut | None]:
    """A changed picture without a face."""
    doubt = state.doubt
    if doubt is None or not _is_calm(doubt.last, signature):
        return replace(state, doubt=Doubt(signature.seconds, signature)), None
    if doubt.frames >= STAYS and signature.seconds - doubt.since >= UNSEEN_STAYS:
        return _cut(state, signature, None, "change of the picture that stays, no face")
    return replace(state, doubt=Doubt(doubt.since, signature, doubt.frames + 1)), None


def _accepted(state: ShotState, signature: Signature, place: Array | None) -> ShotState:
    last = state.last
    calm = last is not None and _is_calm(last.signature, signature)
    if place is not None:
        seen = Seen(signature, place, signature.seconds)
    else:
        seen = Seen(signature) if last is None else replace(last, signature=signature)
    due = not state.anchors or not 0 <= signature.seconds - state.anchors[-1].seconds < ANCHORS
    anchors = (*state.anchors[1 - EARLIER :], signature) if due else state.anchors
    if signature.seconds < state.settled_at:
        anchors = (signature,)
    return replace(state, last=seen, anchors=anchors, calm=calm, doubt=None)


def _cut(state: ShotState, signature: Signature, place: Array | None, cause: str) -> tuple[ShotState, Cut]:
    assert state.last is not None
    doubt = state.doubt if state.doubt is not None and _is_calm(state.doubt.last, signature) else None
    begin, late = (signature.seconds, 0) if doubt is None else (doubt.since, doubt.frames)
    seen = Seen(signature, place, signature.seconds)
    before = (*(kept for kept in state.before if kept[0] != state.shot), (state.shot, state.last))[-KEPT:]
    back = next((shot for shot, kept in reversed(before[:-1]) if _is_back(kept, seen)), None)
    latest = state.latest if back is not None else state.latest + 1
    shot = latest if back is None else back
    return ShotState(shot, latest, seen, (signature,), before=before), Cut(shot, begin, cause, late)


def _is_back(before: Seen, seen: Seen) -> bool:
    """Whether an earlier shot goes on: the same picture, and its face no further off than it may have moved."""
    apart = structure_apart(before.signature, seen.signature)
    if apart is None or apart > OTHER or colours_apart(before.signature, seen.signature) > TINTED:
        return False
    if before.place is None or seen.place is None:
        return before.place is None and seen.place is None
    return moved(before.place, seen.place, 1 / 25) < 2


def _is_calm(last: Signature, signature: Signature) -> bool:
    apart = structure_apart(last, signature)
    return apart < ALIKE if apart is not None else colours_apart(last, signature) < RECOLOURED


def _has_jumped(last: Seen, signature: Signature, place: Array | None) -> bool:
    """Whether the face is where no head could have moved to."""
    return (
        place is not None
        and last.place is not None
        and moved(last.place, place, signature.seconds - last.placed_at) > 1
    )


def _is_dissolved(state: ShotState, signature: Signature) -> bool:
    """Whether what lies between is a mixture of the picture before and this one: a turning camera shows others."""
    first, *between = state.anchors
    apart = structure_apart(first, signature)
    if not between or apart is None or apart < CERTAIN or colours_apart(first, signature) < TINTED:
        return False
    if not _is_calm(between[-1], signature):
        return False
    mixtures = [_mixture(first.steps.ravel(), signature.steps.ravel(), anchor.steps.ravel()) for anchor in between]
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
