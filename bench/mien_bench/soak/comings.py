"""Sessions that come and go one after another: what is left of each in the server."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

from mien_bench.latency.passage import NotHere
from mien_bench.latency.server import Server
from mien_bench.load.crowd import Crowd
from mien_bench.load.usage import Usage, usage
from mien_bench.results import Chart, Check, Fact, Line, Row
from mien_bench.soak.drift import drift

LEAKED: Final = 0.05
"""Megabytes that a session may leave behind; what it takes while it runs is a hundred times as much."""
_EVERY: Final = 10
"""A line is said of every so many sessions."""


@dataclass(slots=True)
class Comings:
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


def come_and_go(
    server: Server,
    count: int,
    options: Sequence[str],
    said: Callable[[str], None],
    between: Callable[[], None] = lambda: None,
) -> Comings:
    """Each in a process of its own: it connects, sees its picture and ends in order before the next one comes.

    Args:
        count: of sessions.
        options: of the peers.
        said: is told how far it is, in a line.
        between: is called when a line was said.

    Raises:
        NotHere: a server of somebody else's, or one that refuses.
        MienError: a peer fails.
    """
    url, pid = server.url, server.pid
    if pid is None:
        raise NotHere("soak: expected a server of its own to measure, got an address")
    comings = Comings()
    with TemporaryDirectory(prefix="mien-bench-") as folder, Crowd(url, Path(folder), options) as crowd:
        for number in range(1, count + 1):
            member = crowd.join()
            if member.refused:
                raise NotHere(f"soak: expected room for session {number} of {count}, got a full server")
            comings.pictures += len(crowd.leave(member).sight.at)
            crowd.left.clear()
            member.file.unlink()
            comings.uses.append(usage(pid))
            if number % _EVERY == 0:
                said(_line(number, comings.uses[-1]))
                between()
    return comings


def rows_of(comings: Comings, condition: Mapping[str, Fact]) -> Iterator[Row]:
    """What the server held after each session."""
    for name, values in comings.series().items():
        unit = "MB" if name == "memory" else ""
        yield Row(f"server {name} after a session", unit, tuple(values), "neither", condition, each="session")


def checks_of(comings: Comings) -> Iterator[Check]:
    """Nothing may be left behind, once caches have filled; only memory scatters."""
    for name, values in comings.series().items():
        found = drift([float(number) for number in range(len(values))], values, shortest=0)
        if found is None:
            continue
        if name == "memory":
            kept = found.slope <= LEAKED or not found.told_apart
            yield Check("soak: left of a session", f"<= {LEAKED:g} MB", f"{found.slope:+.3f} MB", kept)
        else:
            more = found.last - found.first
            yield Check(f"soak: {name}, last sessions - first", "<= 0", f"{more:+.0f}", more <= 0)


def charts_of(comings: Comings) -> Iterator[Chart]:
    """Over the sessions."""
    at = tuple(range(1, len(comings.uses) + 1))
    series = comings.series()
    yield Chart("Memory after each session", "sessions", "memory (MB)", (Line("server", at, tuple(series["memory"])),))
    counts = tuple(Line(name, at, tuple(series[name]), "steps") for name in ("descriptors", "threads"))
    yield Chart("Descriptors and threads after each session", "sessions", "count", counts)


def told(comings: Comings) -> str:
    """In a sentence."""
    memory = comings.series()["memory"]
    tenth = max(len(memory) // 10, 1)
    first, last = median(memory[tenth : 2 * tenth] or memory), median(memory[-tenth:])
    return (
        f"{len(memory)} sessions came and went, {comings.pictures} pictures were seen; "
        f"memory {first:.0f} MB after the first fifth, {last:.0f} MB at the end"
    )


def _line(number: int, used: Usage) -> str:
    return f"{number:8} sessions {used.megabytes:8.1f} MB {used.descriptors:4} descriptors {used.threads:4} threads"
