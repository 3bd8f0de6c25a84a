"""Fewer frames than the source gives, evenly: where fewer are wanted."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """When the next frame is due, in seconds of the frames' time; None before the first one."""

    due: float | None = None


def passes(pace: Pace, seconds: float, interval: float, early: float) -> tuple[Pace, bool]:
    """The pace after a frame at `seconds`, and whether it goes on, where one is wanted every `interval` seconds.

    A frame may come `early` seconds before it is due, since sources jitter. One that gives fewer loses none.
    """
    if pace.due is None or seconds - pace.due > interval:
        return Pace(seconds + interval), True
    if seconds < pace.due - early:
        return pace, False
    return Pace(pace.due + interval), True
