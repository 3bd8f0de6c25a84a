"""Statistics of a session in the form of the API, and Prometheus metrics of the server."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, get_args

import msgspec
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from mien.machine.memory import memory
from mien.pipeline.emitter import CAPTURE_TO_EMIT
from mien.serve import fields
from mien.serve.server import Server
from mien.serve.session import Session
from mien.stats import LiveStatistics


def statistics_of(session: Session) -> fields.Statistics:
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
    return msgspec.convert(told | _of_run(session), fields.Statistics)


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


def metrics_of(server: Server) -> bytes:
    """All counters now, in Prometheus's text format 0.0.4."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Counters(server))
    return generate_latest(registry)


class _Counters(Collector):
    """Reads the server when it is asked, so that nothing is counted twice."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def collect(self) -> Iterable[Metric]:
        yield from _of_server(self._server)
        yield from _of_sessions([session for session in self._server.sessions.all if session.live is not None])


def _of_server(server: Server) -> Iterator[Metric]:
    sessions, tally = server.sessions, server.sessions.tally
    yield GaugeMetricFamily("mien_ready", "Whether sessions may begin", value=server.ready)
    yield GaugeMetricFamily("mien_uptime_seconds", "Since the server began", value=server.seconds)
    states = Counter[str](session.state for session in sessions.all)
    by_state = GaugeMetricFamily("mien_sessions", "Sessions by state", labels=["state"])
    for state in get_args(fields.State):
        by_state.add_metric([state], states[state])
    yield by_state
    yield GaugeMetricFamily("mien_sessions_limit", "Sessions that are admitted at once", value=sessions.most)
    yield CounterMetricFamily("mien_sessions_begun", "Sessions begun", value=tally.begun)
    yield CounterMetricFamily("mien_sessions_resumed", "Sessions taken over", value=tally.resumed)
    yield CounterMetricFamily("mien_sessions_refused", "Refused for want of room", value=tally.refused)
    yield CounterMetricFamily("mien_offers_failed", "Offers that could not be met", value=tally.failed)
    yield GaugeMetricFamily("mien_portraits", "Portraits, samples too", value=len(server.portraits.entries))
    yield GaugeMetricFamily("mien_memory_bytes", "Resident memory", value=memory())
    yield GaugeMetricFamily("mien_threads", "Threads of Python", value=threading.active_count())
    answers = CounterMetricFamily("mien_http_responses", "Answers by status", labels=["status"])
    for status, count in sorted(server.answered.items()):
        answers.add_metric([str(status)], count)
    yield answers


def _of_sessions(running: list[Session]) -> Iterator[Metric]:
    """By session: there are few, and each goes with its end."""
    fps = GaugeMetricFamily("mien_session_fps", "Frames shown a second", labels=["session"])
    latency = GaugeMetricFamily(
        "mien_session_latency_seconds", "Capture to emit, of the last frames", labels=["session"]
    )
    dropped = CounterMetricFamily("mien_session_dropped_frames", "Frames that a newer one replaced", labels=["session"])
    stages = GaugeMetricFamily(
        "mien_session_stage_seconds", "Time of a frame in each stage, of the last frames", labels=["session", "stage"]
    )
    level = GaugeMetricFamily("mien_session_level", "1 at the present level", labels=["session", "level"])
    for session in running:
        assert session.live is not None
        statistics = session.live.statistics
        session.fps.see(statistics)
        fps.add_metric([session.id], session.fps.going)
        latency.add_metric([session.id], statistics.stage(CAPTURE_TO_EMIT).recent)
        for name in statistics.stage_names():
            if name != CAPTURE_TO_EMIT:
                stages.add_metric([session.id, name], statistics.stage(name).recent)
        dropped.add_metric([session.id], statistics.frames_dropped)
        level.add_metric([session.id, statistics.live.level], 1)
    yield from (fps, latency, stages, dropped, level)
