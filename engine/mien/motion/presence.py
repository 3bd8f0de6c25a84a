"""What happens while the driver's face is lost: hold, then ease to neutral; and back when it is found again."""

from __future__ import annotations

from dataclasses import dataclass

HOLD = 0.5
"""Seconds for which the last motion stays."""
EASE_OUT, EASE_IN = 0.8, 0.3
"""Seconds from full motion to neutral, and back."""


@dataclass(frozen=True, slots=True)
class Presence:
    """How much of the last seen motion is shown."""

    level: float = 0.0
    """0 neutral .. 1 all of it, linear in time."""
    seen_at: float | None = None
    """When the face was last seen, in seconds."""
    at: float | None = None
    """Time of the last step."""

    @property
    def share(self) -> float:
        """`level` with soft start and end."""
        return self.level * self.level * (3 - 2 * self.level)


def step_presence(state: Presence, seen: bool, seconds: float) -> Presence:
    """The state at `seconds`, with the face `seen` or not. Times that stand still or jump back change nothing."""
    if seen and state.seen_at is None:
        return Presence(1.0, seconds, seconds)
    step = max(seconds - state.at, 0.0) if state.at is not None else 0.0
    if seen:
        return Presence(min(state.level + step / EASE_IN, 1.0), seconds, seconds)
    lost_for = seconds - state.seen_at if state.seen_at is not None else 0.0
    level = state.level - step / EASE_OUT if lost_for > HOLD else state.level
    return Presence(max(level, 0.0), state.seen_at, seconds)
