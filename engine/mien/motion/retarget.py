"""Stage `motion`: from faces to motion. Its only state is neutral, filters and presence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mien.config import MotionSettings
from mien.face.face import Face, Size, turned_points
from mien.face.motion import Motion
from mien.motion.channels import Channels, measure, motion_of, moved_on, scaled, shortfall, still, with_gains
from mien.motion.filters import EASE_IN, FilterState, Presence, one_euro, step_presence
from mien.motion.neutral import Neutral, RunningNeutral, estimate, sight

Array = NDArray[np.float64]
GROUPS = ("pose", "scale", "expression", "eyes", "lips", "shortfall")


KEPT = 4
"""Number of past shots whose neutral is kept, in case they return."""


@dataclass(frozen=True, slots=True, eq=False)
class Framing:
    """The driver's neutral in one shot, with the orientation and frame size it is measured in."""

    neutral: Neutral | None = None
    running: RunningNeutral | None = None
    """The estimate that goes on; None: the neutral is final."""
    turn: int = 0
    """Quarters by which the frame is turned counter-clockwise: there the driver stands upright."""
    size: Size | None = None
    """(width, height) of the frames whose pixels are the unit; None: of the first that comes."""


@dataclass(frozen=True, slots=True, eq=False)
class RetargetState:
    """Complete state of the stage; a clip can be split by handing it over."""

    neutral: Neutral | None = None
    running: RunningNeutral | None = None
    filters: tuple[FilterState | None, ...] = (None,) * len(GROUPS)
    channels: Channels | None = None
    presence: Presence = Presence()
    landmarks: Array | None = None
    shot: int | None = None
    """Number of the shot that the face was last seen in."""
    turn: int = 0
    size: Size | None = None
    """As in `Framing`, of that shot."""
    earlier: tuple[tuple[int, Framing], ...] = ()
    """Shots before, the latest last."""
    left: tuple[Channels, float] | None = None
    """Channels shown at the start of a shot without a neutral yet, and when: the pose moves away from them smoothly."""


class Retarget:
    """Callable (Face | None, seconds) -> Motion. `None` means that the face is lost: hold, then ease to neutral.

    Each of the driver's shots has a neutral of its own, and filters begin anew with it.
    """

    def __init__(
        self,
        settings: MotionSettings,
        state: RetargetState | None = None,
        framings: Mapping[int, Framing] | None = None,
    ) -> None:
        """`framings`: of the shots that are known before, by number; of others the neutral is estimated on the way."""
        self.settings = settings
        self.state = state or RetargetState(running=RunningNeutral())
        self._framings = framings or {}

    @classmethod
    def from_samples(cls, settings: MotionSettings, faces: Iterable[Face]) -> Retarget:
        """With the neutral estimated from faces all over a file of one shot; on the way where there are none."""
        framing = framing_of([*faces])
        if framing is None:
            return cls(settings)
        return cls(settings, RetargetState(neutral=framing.neutral), {0: framing})

    def __call__(self, face: Face | None, seconds: float) -> Motion:
        state = self.state
        if face is not None:
            state = self._observe(
                state if face.shot == state.shot else self._enter(state, face, seconds), face, seconds
            )
        state = replace(state, presence=step_presence(state.presence, face is not None, seconds))
        self.state = state
        return self._motion(state, face, seconds)

    def rezero(self) -> None:
        """Take the driver's present pose and face as neutral. Of a file's fixed neutral nothing changes."""
        if self.state.running is not None:
            self.state = replace(self.state, running=self.state.running.rezero())

    def _enter(self, state: RetargetState, face: Face, seconds: float) -> RetargetState:
        """Begin or resume a shot: filters are reset."""
        known = self._framings.get(face.shot) or dict(state.earlier).get(face.shot)
        if state.shot is None:
            framing = known or Framing(state.neutral, state.running, face.turn)
            return _framed(state, framing, face)
        framing = known or Framing(None, RunningNeutral(), face.turn)
        left = (state.shot, Framing(state.neutral, state.running, state.turn, state.size))
        earlier = (*(kept for kept in state.earlier if kept[0] != state.shot), left)[-KEPT:]
        shown = None if framing.running is None else (self._shown(state, seconds), seconds)
        return _framed(RetargetState(earlier=earlier, left=shown), framing, face)

    def _observe(self, state: RetargetState, face: Face, seconds: float) -> RetargetState:
        landmarks = _in_framing(face, state)
        running = state.running.seen(landmarks) if state.running is not None else None
        neutral = running.neutral if running is not None else state.neutral
        if neutral is None:
            raise ValueError("a state needs a neutral or a running estimate")
        channels, filters = self._filter(measure(landmarks, neutral), state.filters, seconds)
        return replace(
            state, running=running, neutral=neutral, channels=channels, filters=filters, landmarks=_fractions(face)
        )

    def _filter(
        self, raw: Channels, filters: tuple[FilterState | None, ...], seconds: float
    ) -> tuple[Channels, tuple[FilterState | None, ...]]:
        values = (
            np.concatenate([raw.angles, raw.translation]),
            np.array([raw.scale]),
            raw.expression,
            np.concatenate([raw.lids * EYE_UNIT, raw.gaze.ravel() * EYE_UNIT]),
            raw.lips,
            shortfall(raw.expression),
        )
        own = self.settings
        kinds = (own.pose, own.scale, own.expression, own.eyes, own.expression, own.shortfall)
        out = tuple(one_euro(f, v, seconds, k) for f, v, k in zip(filters, values, kinds, strict=True))
        pose, scale, expression, eyes, lips, lacking = (state.value for state in out)
        channels = Channels(
            pose[:3],
            pose[3:],
            float(scale[0]),
            expression + lacking,
            eyes[:2] / EYE_UNIT,
            eyes[2:].reshape(2, 2) / EYE_UNIT,
            lips,
        )
        return channels, out

    def _shown(self, state: RetargetState, seconds: float) -> Channels:
        channels = scaled(state.channels or still(), state.presence.share)
        if state.left is None or not 0 <= seconds - state.left[1] < EASE_IN:
            return channels
        return moved_on(state.left[0], channels, (seconds - state.left[1]) / EASE_IN)

    def _motion(self, state: RetargetState, face: Face | None, seconds: float) -> Motion:
        motion = motion_of(with_gains(self._shown(state, seconds), self.settings.gains))
        hint = face.hint if face is not None else None
        absolute = state.landmarks if self.settings.mode == "absolute" else None
        return replace(motion, hint=hint, shot=state.shot or 0, landmarks=absolute)


def framing_of(faces: Sequence[Face]) -> Framing | None:
    """How a driver is at rest, from faces of one shot in any order; None where there are none."""
    if not faces:
        return None
    turns = [face.turn for face in faces]
    framing = Framing(turn=max(sorted(set(turns)), key=turns.count), size=faces[0].size)
    return replace(framing, neutral=estimate([sight(_in_framing(face, framing)) for face in faces]))


def _framed(state: RetargetState, framing: Framing, face: Face) -> RetargetState:
    return replace(
        state,
        neutral=framing.neutral,
        running=framing.running,
        shot=face.shot,
        turn=framing.turn,
        size=framing.size or face.size,
    )


def _in_framing(face: Face, framing: Framing | RetargetState) -> Array:
    """(478, 3): the landmarks with the driver upright, in pixels of the framing's size."""
    landmarks = turned_points(face.landmarks, face.size, framing.turn)
    if framing.size is None or framing.size == face.size:
        return landmarks
    return landmarks * (framing.size[0] / face.size[0])


EYE_UNIT = 0.1
"""An open eye's height in face widths, about: brings relative openings to the unit of the filter's settings."""


def _fractions(face: Face) -> Array:
    width, height = face.size
    return face.landmarks / np.array([width, height, width], dtype=np.float64)
