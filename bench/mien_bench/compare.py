"""`mien bench compare A.json B.json`: a verdict on each row, from the values of its repetitions, in pairs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from mien.commands.options import Options, not_negative
from mien_bench.control import SPREAD
from mien_bench.formatting import condition_text, number
from mien_bench.report import Report, read
from mien_bench.results import Result, Row

Word = Literal["better", "same", "worse", "unsure", "gone", "new"]

TOLERANCE: Final = 0.05
"""Relative change of a figure that is not reported."""
FEWEST: Final = 3
"""Values of a row, in both files, below which no confidence interval is possible."""
STUDENT: Final = {1: 63.66, 2: 9.925, 3: 5.841, 4: 4.604, 5: 4.032, 6: 3.707, 7: 3.499, 8: 3.355, 10: 3.169}
STUDENT_MORE: Final = {15: 2.947, 20: 2.845, 30: 2.750, 60: 2.660, 120: 2.617}
"""Half widths of an interval of 99 % in standard errors, by degrees of freedom; the next smaller one is taken. 99, not
95: among two hundred rows, five would be called worse by chance."""
_ALIKE: Final = ("processor", "cores", "memory")


@dataclass(frozen=True, slots=True)
class Verdict:
    """One row in both files."""

    bench: str
    row: Row
    """Of the second file, or of the first where the second has none."""
    word: Word
    change: float | None = None
    """Relative change from the first to the second; None where it is not defined."""
    sure: tuple[float, float] | None = None
    """Its 99 % confidence interval."""
    why: str = ""


def main(arguments: list[str]) -> int:
    """Print a verdict for each row; 1 if one is worse or missing.

    Raises:
        SourceError: a file does not hold results.
    """
    parser = Options(prog="mien bench compare", description="Compare two files of results.")
    parser.add_argument("before", type=Path, metavar="A.json")
    parser.add_argument("after", type=Path, metavar="B.json")
    parser.add_argument("--tolerance", type=not_negative, default=TOLERANCE, metavar="SHARE", help=f"({TOLERANCE})")
    parser.add_argument("--all", action="store_true", help="also rows that are the same")
    options = parser.parse_args(arguments)
    before, after = read(options.before), read(options.after)
    print("\n".join(differing(before, after)))
    found = compare(before, after, options.tolerance)
    print("\n".join(_line(one) for one in found if options.all or one.word != "same"))
    counts = {
        word: sum(one.word == word for one in found) for word in ("better", "same", "worse", "unsure", "gone", "new")
    }
    print(", ".join(f"{count} {word}" for word, count in counts.items() if count) or "no rows")
    return int(counts["worse"] + counts["gone"] > 0)


def compare(before: Report, after: Report, tolerance: float = TOLERANCE) -> list[Verdict]:
    """The verdict on every row that is judged at all, bench after bench."""
    found: list[Verdict] = []
    benches = {result.bench: result for result in before.results}
    for result in after.results:
        earlier = benches.pop(result.bench, None)
        if earlier is not None:
            found += _of_bench(earlier, result, tolerance)
    return found + [
        _absent(name, row) for name, left in benches.items() for row in left.rows if row.better != "neither"
    ]


def differing(before: Report, after: Report) -> Iterator[str]:
    """Differences between the files that a reader must know: machine, versions, a machine that was not steady."""
    for name in _ALIKE:
        if before.machine.get(name) != after.machine.get(name):
            yield f"other {name}: {before.machine.get(name)}, then {after.machine.get(name)}"
    for name in sorted({*before.versions, *after.versions}):
        if before.versions.get(name) != after.versions.get(name):
            yield f"other {name}: {before.versions.get(name, '-')}, then {after.versions.get(name, '-')}"
    for when, report in (("first", before), ("second", after)):
        noisy = [result.bench for result in report.results if result.steadiness.noisy]
        if noisy:
            yield f"the machine was too noisy in the {when} run of: {', '.join(noisy)}"


def change_of(before: Sequence[float], after: Sequence[float]) -> tuple[float, tuple[float, float]] | None:
    """How much more the second is, as a fraction, and its interval of 99 %: in pairs where there are as many of both,
    each with the one taken at the same place. None where values are too few or not all of them positive.
    """
    if min(*before, *after) <= 0 or min(len(before), len(after)) < FEWEST:
        return None
    a, b = np.log(np.array(before)), np.log(np.array(after))
    middle, error, freedom = _paired(b - a) if len(a) == len(b) else _unpaired(a, b)
    reach = error * _student(freedom)
    return math.expm1(middle), (math.expm1(middle - reach), math.expm1(middle + reach))


def _of_bench(before: Result, after: Result, tolerance: float) -> Iterator[Verdict]:
    doubt = _doubt(before, after)
    earlier = {row.key: row for row in before.rows}
    for row in after.rows:
        old = earlier.pop(row.key, None)
        if row.better != "neither":
            yield Verdict(after.bench, row, "new") if old is None else _judged(after.bench, old, row, tolerance, doubt)
    yield from (_absent(after.bench, row) for row in earlier.values() if row.better != "neither")


def _absent(bench: str, row: Row) -> Verdict:
    return Verdict(bench, row, "gone")


def _judged(bench: str, before: Row, after: Row, tolerance: float, doubt: str) -> Verdict:
    if before.values == after.values:
        return Verdict(bench, after, "same", 0.0)
    found = change_of(before.values, after.values)
    if found is None:
        first = before.median
        fraction = (after.median - first) / abs(first) if first else None
        small = fraction is not None and abs(fraction) <= tolerance
        why = f"fewer than {FEWEST} values, or not all above 0"
        return Verdict(bench, after, "same" if small else "unsure", fraction, None, "" if small else why)
    change, sure = found
    if abs(change) <= tolerance or sure[0] <= 0 <= sure[1]:
        return Verdict(bench, after, "same", change, sure)
    if doubt:
        return Verdict(bench, after, "unsure", change, sure, doubt)
    return Verdict(bench, after, "worse" if (change > 0) == (after.better == "lower") else "better", change, sure)


def _doubt(before: Result, after: Result) -> str:
    """Why a change may be due to the machine; empty where the control workload was as fast both times."""
    if before.steadiness.noisy or after.steadiness.noisy:
        return "the machine was too noisy"
    for name, one, other in (
        ("copies", before.steadiness.copy_ms, after.steadiness.copy_ms),
        ("arithmetic", before.steadiness.compute_ms, after.steadiness.compute_ms),
    ):
        if one and other and abs(math.log(np.median(other) / np.median(one))) > math.log1p(SPREAD):
            return f"control {name} took {np.median(other) / np.median(one):.2f} times as long"
    return ""


def _paired(change: NDArray[np.float64]) -> tuple[float, float, int]:
    return float(change.mean()), float(change.std(ddof=1)) / math.sqrt(len(change)), len(change) - 1


def _unpaired(a: NDArray[np.float64], b: NDArray[np.float64]) -> tuple[float, float, int]:
    """Welch's interval with the smaller degrees of freedom, which is conservative."""
    error = math.sqrt(float(a.var(ddof=1)) / len(a) + float(b.var(ddof=1)) / len(b))
    return float(b.mean() - a.mean()), error, min(len(a), len(b)) - 1


def _student(freedom: int) -> float:
    table: Mapping[int, float] = STUDENT | STUDENT_MORE
    return table[max(place for place in table if place <= freedom)]


def _line(one: Verdict) -> str:
    change = "" if one.change is None else f"{one.change:+.1%}"
    sure = "" if one.sure is None else f"[{one.sure[0]:+.1%}, {one.sure[1]:+.1%}]"
    words = f"{one.word:<7}{change:>9} {sure:<20}{number(one.row.median):>9} {one.row.unit:<6}"
    why = f" ({one.why})" if one.why else ""
    return f"{words} {one.bench}: {one.row.name}; {condition_text(one.row.condition)}{why}"
