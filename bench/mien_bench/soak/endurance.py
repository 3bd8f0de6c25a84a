"""Sessions of a server for long, looked at again and again; with sessions that come and go, if wanted."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from mien_bench.latency.passage import NotHere
from mien_bench.latency.server import Server
from mien_bench.load.crowd import Crowd, Told
from mien_bench.load.usage import Usage, usage


@dataclass(frozen=True, slots=True)
class Plan:
    """How long, and with whom."""

    seconds: float
    every: float
    """Seconds between two looks."""
    sessions: int
    """That stay from the beginning to the end."""
    renewed: float | None = None
    """Seconds after which one more session is ended and begun again; None: there is none that comes and goes."""


@dataclass(slots=True)
class Course:
    """What was seen."""

    at: list[float] = field(default_factory=list)
    """Of each look, in seconds of the clock that stamps frames."""
    uses: list[Usage] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    """Of the sessions that stayed."""
    renewals: int = 0
    """Sessions that came and went beside."""
    refused: int = 0
    """Of those, that found no room."""


def endure(
    server: Server,
    plan: Plan,
    options: Sequence[str],
    said: Callable[[str], None],
    between: Callable[[], None] = lambda: None,
) -> Course:
    """Run to the end of the plan.

    Args:
        options: of the peers.
        said: is told how far it is, in a line.
        between: is called at every look.

    Raises:
        NotHere: a server of somebody else's, or a full one.
        MienError: a peer fails.
    """
    url, pid = server.url, server.pid
    if pid is None:
        raise NotHere("soak: expected a server of its own to measure, got an address")
    course = Course()
    with TemporaryDirectory(prefix="mien-bench-") as folder, Crowd(url, Path(folder), options) as crowd:
        for _ in range(plan.sessions):
            if crowd.join().refused:
                raise NotHere(f"soak: expected room for {plan.sessions} sessions, got a full server")
        staying = list(crowd.members)
        begin = time.perf_counter()
        renewed_at = begin
        while (now := time.perf_counter()) < begin + plan.seconds:
            if plan.renewed is not None and now >= renewed_at + plan.renewed:
                _renew(crowd, len(staying), course)
                renewed_at = now
            time.sleep(min(plan.every, max(begin + plan.seconds - now, 0.1)))
            course.at.append(time.perf_counter())
            course.uses.append(usage(pid))
            said(_line(course, begin, crowd.p95(course.at[-1] - plan.every)))
            between()
        for member in crowd.members[len(staying) :]:
            crowd.leave(member)
        course.told = [crowd.leave(member) for member in staying]
    return course


def _renew(crowd: Crowd, staying: int, course: Course) -> None:
    """End the session that came last, and begin another one."""
    for member in crowd.members[staying:]:
        crowd.leave(member)
        crowd.left.clear()
    refused = crowd.join().refused
    course.refused += refused
    course.renewals += not refused


def _line(course: Course, begin: float, p95: float) -> str:
    used = course.uses[-1]
    return (
        f"{course.at[-1] - begin:8.0f} s {used.megabytes:8.1f} MB {used.descriptors:4} descriptors "
        f"{used.threads:4} threads, p95 about {p95:.0f} ms"
    )
