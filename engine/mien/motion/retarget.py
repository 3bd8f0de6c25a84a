"""The room's stage: faces in, motion out, with the driver's neutral, filters and presence as its only memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mien.config import MotionSettings
from mien.face.face import Face
from mien.face.motion import Motion
from mien.motion.channels import Channels, measure, motion_of, scaled, still, with_gains
from mien.motion.neutral import Neutral, RunningNeutral, estimate, sight
from mien.motion.one_euro import FilterState, one_euro
from mien.motion.presence import Presence, step_presence

Array = NDArray[np.float64]
GROUPS = ("pose", "scale", "expression", "eyes", "lips")


@dataclass(frozen=True, slots=True, eq=False)
class RetargetState:
    """All that the stage remembers; a clip can be split where it is handed over."""

    neutral: Neutral | None = None
    running: RunningNeutral | None = None
    filters: tuple[FilterState | None, ...] = (None,) * len(GROUPS)
    channels: Channels | None = None
    presence: Presence = Presence()
    landmarks: Array | None = None


class Retarget:
    """Callable (Face | None, seconds) -> Motion. `None` means that the face is lost: hold, then ease to neutral."""

    def __init__(self, settings: MotionSettings, state: RetargetState | None = None) -> None:
        self.settings = settings
        self.state = state or RetargetState(running=RunningNeutral())

    @classmethod
    def from_samples(cls, settings: MotionSettings, faces: Iterable[Face]) -> Retarget:
        """With the neutral estimated from faces all over a seekable file; a running estimate where there are none."""
        sightings = [sight(face.landmarks) for face in faces]
        state = RetargetState(neutral=estimate(sightings)) if sightings else None
        return cls(settings, state)

    def __call__(self, face: Face | None, seconds: float) -> Motion:
        state = self.state
        if face is not None:
            state = self._observe(state, face, seconds)
        state = replace(state, presence=step_presence(state.presence, face is not None, seconds))
        self.state = state
        return self._motion(state, face)

    def rezero(self) -> None:
        """Take the driver's present pose and face as neutral. Of a file's fixed neutral nothing changes."""
        if self.state.running is not None:
            self.state = replace(self.state, running=self.state.running.rezero())

    def _observe(self, state: RetargetState, face: Face, seconds: float) -> RetargetState:
        running = state.running.seen(face.landmarks) if state.running is not None else None
        neutral = running.neutral if running is not None else state.neutral
        if neutral is None:
            raise ValueError("a state needs a neutral or a running estimate")
        channels, filters = self._filter(measure(face.landmarks, neutral), state.filters, seconds)
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
        )
        settings = self.settings
        kinds = (settings.pose, settings.scale, settings.expression, settings.eyes, settings.expression)
        out = tuple(one_euro(f, v, seconds, k) for f, v, k in zip(filters, values, kinds, strict=True))
        pose, scale, expression, eyes, lips = (state.value for state in out)
        channels = Channels(
            pose[:3],
            pose[3:],
            float(scale[0]),
            expression,
            eyes[:2] / EYE_UNIT,
            eyes[2:].reshape(2, 2) / EYE_UNIT,
            lips,
        )
        return channels, out

    def _motion(self, state: RetargetState, face: Face | None) -> Motion:
        channels = scaled(state.channels or still(), state.presence.share)
        motion = motion_of(with_gains(channels, self.settings.gains))
        hint = face.hint if face is not None else None
        absolute = state.landmarks if self.settings.mode == "absolute" else None
        return replace(motion, hint=hint, landmarks=absolute)


EYE_UNIT = 0.1
"""An open eye's height in face widths, about: brings relative openings to the unit of the filter's settings."""


def _fractions(face: Face) -> Array:
    width, height = face.size
    return face.landmarks / np.array([width, height, width], dtype=np.float64)
