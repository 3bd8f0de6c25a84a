"""What a session's statistics look like from outside."""

from __future__ import annotations

from typing import Any

from mien.pipeline.emitter import CAPTURE_TO_EMIT
from mien.serve.session import Session
from mien.stats import LiveStatistics


def statistics_of(session: Session) -> dict[str, Any]:
    """STATISTICS of the API."""
    session.listen()
    told = {
        "id": session.id,
        "state": session.state,
        "portrait": session.portrait.id,
        "target_latency_ms": round(session.latency * 1e3, 3),
        "fps_in": round(session.fps.coming, 2),
        "fps_out": round(session.fps.going, 2),
        "connection": None if session.peer is None else session.peer.statistics(),
        "notices": [{"number": number, "text": text} for number, text in session.notices],
    }
    return told | _of_run(session)


def _of_run(session: Session) -> dict[str, Any]:
    live = session.live
    if live is None:
        nothing = ("backend", "level", "cause", "latency_ms", "face")
        return dict.fromkeys(nothing) | {"stalled": False, "recording": False, "paused": False, "panic": False}
    statistics, counters = live.statistics, live.statistics.live
    assert counters is not None
    latency = statistics.stage(CAPTURE_TO_EMIT)
    return {
        **statistics.as_json(),
        "backend": live.backend,
        "level": counters.level,
        "cause": counters.cause,
        "latency_ms": round(latency.recent * 1e3, 2) if latency.count else None,
        "face": _face(statistics),
        "stalled": counters.stalled,
        "recording": live.recording,
        "paused": live.paused,
        "panic": live.panic,
    }


def _face(statistics: LiveStatistics) -> str | None:
    if statistics.frames_out == 0:
        return None
    return "found" if statistics.live.brightness is None else "lost"
