"""Soak runs: repeated measurements of sessions, sessions that come and go, drift of resources."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np

from mien_bench.latency.path_run import NotAvailable
from mien_bench.latency.programs import Server
from mien_bench.load.peer_processes import PeerGroup, PeerReport
from mien_bench.load.ramp import Usage, usage
from mien_bench.results import Chart, Check, Fact, Line, Row

WARM_UP: Final = 0.2
"""Fraction of a run in which caches may still fill."""
FEWEST: Final = 8
SHORTEST: Final = 180.0
"""Values, and seconds of them, below which no drift is given: a minute does not say what an hour would."""
LEAKED: Final = 0.05
"""Megabytes that a session may leave behind; what it takes while it runs is a hundred times as much."""
_EVERY: Final = 10
"""Sessions from one line of progress to the next."""


@dataclass(frozen=True, slots=True)
class Drift:
    """Of a series over time, after the warm-up."""

    slope: float
    """Of the line, for each second."""
    whole: float
    """What the line rises by from its first value to its last."""
    scatter: float
    """Root mean square distance of the values from the line: a rise that is smaller is none."""
    first: float
    """Median of the first quarter."""
    last: float
    """Median of the last quarter."""

    @property
    def an_hour(self) -> float:
        """What an hour adds."""
        return self.slope * 3600

    @property
    def significant(self) -> bool:
        """Whether it rises or falls by more than it scatters."""
        return abs(self.whole) > self.scatter


def drift(seconds: Sequence[float], values: Sequence[float], shortest: float = SHORTEST) -> Drift | None:
    """Of values at so many seconds of a run; None where it was shorter than `shortest`. NaN and infinity are left out.

    Anything else that counts on will do for the seconds: the slope is then for each of it.
    """
    if len(seconds) == 0:
        return None
    at, value = np.asarray(seconds, float), np.asarray(values, float)
    late = (at - at[0] >= WARM_UP * (at[-1] - at[0])) & np.isfinite(value)
    at, value = at[late], value[late]
    if len(at) < FEWEST or at[-1] - at[0] < shortest:
        return None
    slope, level = np.polyfit(at, value, 1)
    quarter = max(len(at) // 4, 1)
    return Drift(
        slope=float(slope),
        whole=float(slope * (at[-1] - at[0])),
        scatter=float(np.sqrt(np.mean((value - (slope * at + level)) ** 2))),
        first=float(np.median(value[:quarter])),
        last=float(np.median(value[-quarter:])),
    )


@dataclass(frozen=True, slots=True)
class SoakPlan:
    """The settings of a soak run."""

    seconds: float
    every: float
    """Seconds between two looks."""
    sessions: int
    """That stay from the beginning to the end."""
    renewed: float | None = None
    """Seconds after which one more session is ended and begun again; None: there is none that comes and goes."""


@dataclass(slots=True)
class SoakCourse:
    """The course of a soak run."""

    at: list[float] = field(default_factory=list)
    """Of each look, in seconds of the clock that stamps frames."""
    uses: list[Usage] = field(default_factory=list)
    reports: list[PeerReport] = field(default_factory=list)
    """Of the sessions that stayed."""
    renewals: int = 0
    """Sessions that came and went beside."""
    refused: int = 0
    """Of those, that found no room."""


def endure(
    server: Server,
    plan: SoakPlan,
    options: Sequence[str],
    said: Callable[[str], None],
    between: Callable[[], None] = lambda: None,
) -> SoakCourse:
    """Run to the end of the plan.

    Args:
        options: of the peers.
        said: called with a line on the progress.
        between: is called at every look.

    Raises:
        NotAvailable: a server of somebody else's, or a full one.
        MienError: a peer fails.
    """
    url, pid = server.url, server.pid
    if pid is None:
        raise NotAvailable("soak: expected a server of its own to measure, got an address")
    course = SoakCourse()
    with TemporaryDirectory(prefix="mien-bench-") as folder, PeerGroup(url, Path(folder), options) as group:
        for _ in range(plan.sessions):
            if group.join().refused:
                raise NotAvailable(f"soak: expected room for {plan.sessions} sessions, got a full server")
        staying = list(group.members)
        begin = time.perf_counter()
        renewed_at = begin
        while (now := time.perf_counter()) < begin + plan.seconds:
            if plan.renewed is not None and now >= renewed_at + plan.renewed:
                _renew(group, len(staying), course)
                renewed_at = now
            time.sleep(min(plan.every, max(begin + plan.seconds - now, 0.1)))
            course.at.append(time.perf_counter())
            course.uses.append(usage(pid))
            said(_soak_line(course, begin, group.p95(course.at[-1] - plan.every)))
            between()
        for member in group.members[len(staying) :]:
            group.leave(member)
        course.reports = [group.leave(member) for member in staying]
    return course


def _renew(group: PeerGroup, staying: int, course: SoakCourse) -> None:
    """End the session that came last, and begin another one."""
    for member in group.members[staying:]:
        group.leave(member)
        group.left.clear()
    refused = group.join().refused
    course.refused += refused
    course.renewals += not refused


def _soak_line(course: SoakCourse, begin: float, p95: float) -> str:
    used = course.uses[-1]
    return (
        f"{course.at[-1] - begin:8.0f} s {used.megabytes:8.1f} MB {used.descriptors:4} descriptors "
        f"{used.threads:4} threads, p95 about {p95:.0f} ms"
    )


@dataclass(slots=True)
class SessionCycles:
    """What was seen after each session had gone."""

    uses: list[Usage] = field(default_factory=list)
    pictures: int = 0
    """That all of them saw."""

    def series(self) -> dict[str, list[float]]:
        """By what it is of, in the unit of its row."""
        return {
            "memory": [use.megabytes for use in self.uses],
            "descriptors": [float(use.descriptors) for use in self.uses],
            "threads": [float(use.threads) for use in self.uses],
        }


def cycle_sessions(
    server: Server,
    count: int,
    options: Sequence[str],
    said: Callable[[str], None],
    between: Callable[[], None] = lambda: None,
) -> SessionCycles:
    """Each in a process of its own: it connects, sees its picture and ends in order before the next one comes.

    Args:
        count: of sessions.
        options: of the peers.
        said: called with a line on the progress.
        between: is called when a line was said.

    Raises:
        NotAvailable: a server of somebody else's, or one that refuses.
        MienError: a peer fails.
    """
    url, pid = server.url, server.pid
    if pid is None:
        raise NotAvailable("soak: expected a server of its own to measure, got an address")
    comings = SessionCycles()
    with TemporaryDirectory(prefix="mien-bench-") as folder, PeerGroup(url, Path(folder), options) as group:
        for number in range(1, count + 1):
            member = group.join()
            if member.refused:
                raise NotAvailable(f"soak: expected room for session {number} of {count}, got a full server")
            comings.pictures += len(group.leave(member).observed.at)
            group.left.clear()
            member.file.unlink()
            comings.uses.append(usage(pid))
            if number % _EVERY == 0:
                said(_cycle_line(number, comings.uses[-1]))
                between()
    return comings


def rows_of(comings: SessionCycles, condition: Mapping[str, Fact]) -> Iterator[Row]:
    """What the server held after each session."""
    for name, values in comings.series().items():
        unit = "MB" if name == "memory" else ""
        yield Row(f"server {name} after a session", unit, tuple(values), "neither", condition, each="session")


def checks_of(comings: SessionCycles) -> Iterator[Check]:
    """Checks that sessions leave nothing behind once caches are warm; only memory may scatter."""
    for name, values in comings.series().items():
        found = drift([float(number) for number in range(len(values))], values, shortest=0)
        if found is None:
            continue
        if name == "memory":
            kept = found.slope <= LEAKED or not found.significant
            yield Check("soak: left of a session", f"<= {LEAKED:g} MB", f"{found.slope:+.3f} MB", kept)
        else:
            more = found.last - found.first
            yield Check(f"soak: {name}, last sessions - first", "<= 0", f"{more:+.0f}", more <= 0)


def charts_of(comings: SessionCycles) -> Iterator[Chart]:
    """Over the sessions."""
    at = tuple(range(1, len(comings.uses) + 1))
    series = comings.series()
    yield Chart("Memory after each session", "sessions", "memory (MB)", (Line("server", at, tuple(series["memory"])),))
    counts = tuple(Line(name, at, tuple(series[name]), "steps") for name in ("descriptors", "threads"))
    yield Chart("Descriptors and threads after each session", "sessions", "count", counts)


def cycles_text(comings: SessionCycles) -> str:
    """The outcome in a sentence."""
    memory = comings.series()["memory"]
    tenth = max(len(memory) // 10, 1)
    first, last = median(memory[tenth : 2 * tenth] or memory), median(memory[-tenth:])
    return (
        f"{len(memory)} sessions came and went, {comings.pictures} pictures were seen; "
        f"memory {first:.0f} MB after the first fifth, {last:.0f} MB at the end"
    )


def _cycle_line(number: int, used: Usage) -> str:
    return f"{number:8} sessions {used.megabytes:8.1f} MB {used.descriptors:4} descriptors {used.threads:4} threads"
