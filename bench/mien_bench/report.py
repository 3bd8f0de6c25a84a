"""The pairs of `mien bench follow`: a line for each, and all of them as a result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mien.face.measures import CHANNELS, PROPORTIONS
from mien_bench.agreement import Agreement
from mien_bench.leak import Leak
from mien_bench.pair import Pair
from mien_bench.results import Check, Fact, Result, Row
from mien_bench.verdict import judge, title

_NAME = 28
_CELL = 10


def header() -> str:
    """Names of the columns of `line`; a channel shows correlation and slope."""
    cells = "".join(f"{name:>{_CELL}}" for name in CHANNELS)
    return f"{'driver x portrait':<{_NAME}}{'frames':>10}{'sound ms':>9}{'lost':>5}{cells}{'leak %':>12}{'s':>6}"


def line(pair: Pair) -> str:
    """One pair; `leak` is the largest change of a proportion, of the target shape and as found again."""
    name = f"{title(pair):<{_NAME}}"
    if pair.trouble is not None or pair.container is None:
        return f"{name}  {pair.trouble}"
    came, went = pair.container.frames
    sound = "-" if pair.container.sound is None else f"{pair.container.sound:.1f}"
    cells = "".join(_cell(pair.found.get(channel)) for channel in CHANNELS)
    leak = f"{_largest(pair.target_leak)}/{_largest(pair.found_leak)}"
    return f"{name}{f'{went}/{came}':>10}{sound:>9}{pair.lost:>5}{cells}{leak:>12}{pair.seconds:6.0f}"


def result(pairs: Sequence[Pair], condition: Mapping[str, Fact]) -> Result:
    """All pairs together: how they follow, how they leak, and whether that is what is asked of them."""
    rows = [row for name in CHANNELS for row in _following(name, pairs, condition)]
    for name in PROPORTIONS:
        found = [100 * abs(pair.found_leak[name].median) for pair in pairs if pair.found_leak]
        if found:
            rows.append(Row(f"leak of {name}", "%", tuple(found), "lower", condition, each="pair"))
    checks = tuple(Check(one.name, one.wanted, f"{one.got} {one.worst}".strip(), one.passed) for one in judge(pairs))
    notes = tuple(f"{title(pair)}: {pair.trouble}" for pair in pairs if pair.trouble is not None)
    return Result("follow", "how portraits follow drivers, through H.264 and back", tuple(rows), checks, notes=notes)


def _following(name: str, pairs: Sequence[Pair], condition: Mapping[str, Fact]) -> list[Row]:
    found = [pair.found[name] for pair in pairs if name in pair.found]
    if not found:
        return []
    return [
        Row(
            f"{name}, correlation",
            "",
            tuple(one.correlation for one in found),
            "higher",
            condition,
            each="pair",
            headline=f"{name}: how the portrait follows (correlation)",
        ),
        Row(f"{name}, slope", "", tuple(one.slope for one in found), "neither", condition, each="pair"),
    ]


def _cell(found: Agreement | None) -> str:
    text = "-" if found is None else f"{found.correlation:.2f}/{found.slope:.2f}"
    return f"{text:>{_CELL}}"


def _largest(leaks: Mapping[str, Leak]) -> str:
    return f"{max(abs(leak.median) for leak in leaks.values()) * 100:.1f}" if leaks else "-"
