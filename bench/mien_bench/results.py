"""The result of a bench: rows of figures, checks, charts, tables and picture strips.

A figure is never one number: a row keeps the value of each repetition, and says under which condition it was taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from statistics import median, quantiles
from typing import Final, Literal

SCHEMA: Final = 1
"""Of the JSON form; a file of another one is refused."""

Fact = str | int | float | bool
Better = Literal["lower", "higher", "neither"]
Drawn = Literal["line", "steps", "points", "fit", "stack"]


@dataclass(frozen=True, slots=True)
class Row:
    """A quantity under a condition. `name` and `condition` together are unique within a bench, and the same from run
    to run: they are what `mien bench compare` finds a row again by, so nothing measured stands in them."""

    name: str
    """Such as "frame p95"."""
    unit: str
    """Such as "ms"; "" for counts."""
    values: tuple[float, ...]
    """One for each of `each`, at least one, finite, in the order in which they were taken."""
    better: Better
    """Which direction is better; "neither" for rows that are not judged."""
    condition: Mapping[str, Fact] = field(default_factory=dict)
    """What was measured under: model, size, threads, path, and any stage that was switched off."""
    each: str = "repetition"
    """What each value belongs to: "repetition", or "identity", "clip" and so on."""
    note: str = ""
    """A remark on this row alone."""
    headline: str = ""
    """Title under which the row is published at the head of the page and in the table of figures; "" if it is not."""

    def __post_init__(self) -> None:
        if not self.values:
            raise ValueError(f"row {self.name!r} must have at least one value")
        if not all(map(isfinite, self.values)):
            raise ValueError(f"row {self.name!r} must have finite values, got {self.values}")

    @property
    def median(self) -> float:
        return median(self.values)

    @property
    def spread(self) -> tuple[float, float]:
        """First and third quartile; both the value itself where there is one."""
        if len(self.values) < 2:
            return self.values[0], self.values[0]
        low, _, high = quantiles(self.values, n=4, method="inclusive")
        return low, high

    @property
    def key(self) -> str:
        """Identifies the row from run to run."""
        return " ".join([self.name, *(f"{name}={value}" for name, value in sorted(self.condition.items()))])


@dataclass(frozen=True, slots=True)
class Check:
    """A requirement, and whether it was met."""

    name: str
    wanted: str
    got: str
    kept: bool


@dataclass(frozen=True, slots=True)
class Line:
    """Points of one kind. "fit" is drawn thin and dashed, "steps" holds a value until the next; "stack" lines are parts
    of horizontal bars: y numbers the bar, x is how long the part is, the label is the bar's name."""

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    drawn: Drawn = "line"
    labels: tuple[str, ...] = ()
    """A name for each point, or none."""

    def __post_init__(self) -> None:
        if len(self.x) != len(self.y) or len(self.labels) not in (0, len(self.x)):
            raise ValueError(f"line {self.name!r} must have equal lengths, got {len(self.x)}, {len(self.y)}")


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of the x axis, coloured behind the lines: a level, a load, a fault."""

    name: str
    begin: float
    end: float


@dataclass(frozen=True, slots=True)
class Chart:
    """A plot. `mien_bench.charts` makes the usual ones."""

    title: str
    x: str
    """What the axis shows, with its unit."""
    y: str
    lines: tuple[Line, ...]
    bands: tuple[Band, ...] = ()
    marks: tuple[float, ...] = ()
    """Positions on the x axis at which something was lost."""
    limit: float | None = None
    """The target value of y (of x in a distribution)."""
    logarithmic: tuple[bool, bool] = (False, False)
    """The axes x and y."""
    about: str = ""
    """How to read it, in a sentence."""


@dataclass(frozen=True, slots=True)
class Table:
    """Cells in the form of somebody's paper, to stand beside its figures."""

    title: str
    columns: tuple[str, ...]
    """The first is over the names of the rows."""
    rows: tuple[tuple[str, ...], ...]
    quoted: tuple[int, ...] = ()
    """Numbers of the rows that are the paper's figures, not ours."""
    notes: tuple[str, ...] = ()
    """What differs from the paper."""


@dataclass(frozen=True, slots=True)
class Strip:
    """Pictures side by side, as one JPEG. Only of nobody, where it is published."""

    title: str
    labels: tuple[str, ...]
    """Over each picture, from the left."""
    jpeg: bytes
    about: str = ""


@dataclass(frozen=True, slots=True)
class Steadiness:
    """How steady the machine was: times of a control workload between repetitions."""

    copy_ms: tuple[float, ...] = ()
    """Copies of the same bytes."""
    compute_ms: tuple[float, ...] = ()
    """The same arithmetic within the cache."""
    others: float = 0.0
    """Fraction of the processors, 0..1, that other processes used."""
    noisy: bool = False
    """Whether the timings are unreliable because of that."""
    words: str = ""
    """All of it in a sentence."""


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one bench."""

    bench: str
    """As in `mien bench NAME`."""
    about: str
    """What was measured, in a sentence."""
    rows: tuple[Row, ...]
    checks: tuple[Check, ...] = ()
    charts: tuple[Chart, ...] = ()
    tables: tuple[Table, ...] = ()
    strips: tuple[Strip, ...] = ()
    notes: tuple[str, ...] = ()
    """What could not be measured and why, what was switched off, the cost of the harness."""
    steadiness: Steadiness = Steadiness()
    """Filled in by the command."""
    seconds: float = 0.0
    """Duration; filled in by the command."""
