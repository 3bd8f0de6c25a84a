"""Why a live run is not as good as it could be, in a few words."""

from __future__ import annotations

from mien.pipeline.stages import MOTION, PARSE
from mien.stats import LiveStatistics, Statistics

DARK = 40.0
"""Mean of a picture, 0..255, below which it is told that it is dark."""
AROUND = ("capture", "encode", "capture_to_emit")
"""Stages outside of the workers that follow and make pictures."""


def reason(statistics: LiveStatistics) -> str | None:
    """What to tell now; None where all is well."""
    live = statistics.live
    if live.stalled:
        return "the source gives no pictures"
    if live.brightness is not None:
        dark = live.brightness < DARK
        return "no face is seen: it is too dark" if dark else "no face is seen"
    return live.cause


def slowest(statistics: Statistics, interval: float) -> str:
    """Which stage takes the time, where frames come every `interval` seconds: told when the level sinks."""
    workers = [[PARSE, MOTION], [name for name in statistics.stage_names() if name not in (PARSE, MOTION, *AROUND)]]
    recent = {name: statistics.stage(name).recent for worker in [*workers, ["encode"]] for name in worker}
    totals = [sum(recent[name] for name in worker) for worker in [*workers, ["encode"]]]
    name = max(recent, key=lambda name: recent[name])
    if max(totals) < 0.9 * interval:
        return "slow: other programs keep the processor busy"
    return f"slow: {name} takes {recent[name] * 1e3:.0f} ms of the {interval * 1e3:.0f} that there are"
