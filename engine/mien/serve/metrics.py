"""The server's counters as Prometheus reads them."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence

from mien.memory import memory
from mien.pipeline.emitter import CAPTURE_TO_EMIT
from mien.serve.server import Server
from mien.serve.session import Session

Sample = tuple[Mapping[str, str], float]


def metrics_of(server: Server) -> str:
    """In the text format 0.0.4."""
    return "".join(_lines(server))


def _lines(server: Server) -> Iterator[str]:
    sessions, tally = server.sessions, server.sessions.tally
    yield from _family("mien_ready", "gauge", "Whether sessions may begin", _one(server.ready))
    yield from _family("mien_uptime_seconds", "gauge", "Since the server began", _one(server.seconds))
    states = dict.fromkeys(("opening", "running", "waiting", "ended"), 0)
    for session in sessions.all:
        states[session.state] += 1
    by_state = [({"state": state}, float(count)) for state, count in states.items()]
    yield from _family("mien_sessions", "gauge", "Sessions by state", by_state)
    yield from _family("mien_sessions_limit", "gauge", "Sessions that are admitted at once", _one(sessions.most))
    yield from _family("mien_sessions_begun_total", "counter", "Sessions begun", _one(tally.begun))
    yield from _family("mien_sessions_resumed_total", "counter", "Sessions taken over", _one(tally.resumed))
    yield from _family("mien_sessions_refused_total", "counter", "Refused for want of room", _one(tally.refused))
    yield from _family("mien_offers_failed_total", "counter", "Offers that could not be met", _one(tally.failed))
    yield from _family("mien_portraits", "gauge", "Portraits, samples too", _one(len(server.portraits.entries)))
    yield from _family("mien_memory_bytes", "gauge", "Resident memory", _one(memory()))
    yield from _family("mien_threads", "gauge", "Threads of Python", _one(threading.active_count()))
    statuses = [({"status": str(status)}, float(count)) for status, count in sorted(server.answered.items())]
    yield from _family("mien_http_responses_total", "counter", "Answers by status", statuses)
    yield from _of_sessions([session for session in sessions.all if session.live is not None])


def _of_sessions(running: list[Session]) -> Iterator[str]:
    """By session: there are few, and each goes with its end."""
    fps: list[Sample] = []
    level: list[Sample] = []
    latency: list[Sample] = []
    dropped: list[Sample] = []
    for session in running:
        assert session.live is not None
        named = {"session": session.id}
        statistics = session.live.statistics
        assert statistics.live is not None
        session.fps.see(statistics)
        fps.append((named, session.fps.going))
        latency.append((named, statistics.stage(CAPTURE_TO_EMIT).recent))
        dropped.append((named, float(statistics.frames_dropped)))
        level.append((named | {"level": statistics.live.level}, 1.0))
    yield from _family("mien_session_fps", "gauge", "Frames shown a second", fps)
    yield from _family("mien_session_latency_seconds", "gauge", "Capture to emit, of the last frames", latency)
    yield from _family("mien_session_dropped_frames_total", "counter", "Frames that a newer one replaced", dropped)
    yield from _family("mien_session_level", "gauge", "1 at the present level", level)


def _one(value: float) -> list[Sample]:
    return [({}, float(value))]


def _family(name: str, kind: str, about: str, samples: Sequence[Sample]) -> Iterator[str]:
    yield f"# HELP {name} {about}.\n# TYPE {name} {kind}\n"
    for labels, value in samples:
        told = ",".join(f'{key}="{text}"' for key, text in labels.items())
        yield f"{name}{{{told}}} {value:g}\n" if told else f"{name} {value:g}\n"
