"""What one trial showed."""

from __future__ import annotations

from dataclasses import dataclass, field

from mien_bench.results import Chart, Check, Row


@dataclass(frozen=True, slots=True)
class Found:
    """Promises, figures and drawings."""

    checks: list[Check]
    rows: list[Row] = field(default_factory=list)
    charts: list[Chart] = field(default_factory=list)
