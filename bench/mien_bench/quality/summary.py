"""Scores of many answers as tables: a mean for each region and measure, and differences with their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien_bench.quality.bootstrap import Difference, by_identity, difference, mean_of
from mien_bench.quality.regions import REGIONS
from mien_bench.quality.scores import MEASURES, Scored

Array = NDArray[np.float64]

NAMES = 16
CELL = 10
TAIL = 14
"""Characters of a model's name that are shown: of a bundle's path the end."""


@dataclass(frozen=True, slots=True, eq=False)
class Summary:
    """One condition."""

    condition: str
    models: tuple[str, ...]
    """The first is what the others are compared with."""
    identities: int
    answers: int
    """Of each model."""
    means: Array
    """(models, 5, 6): `MEASURES` by `REGIONS`, over identities."""
    differences: tuple[tuple[tuple[Difference, ...], ...], ...]
    """For each model but the first, measure and region."""

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "condition": self.condition,
            "identities": self.identities,
            "answers": self.answers,
            "means": {model: _named(rows) for model, rows in zip(self.models, self.means.tolist(), strict=True)},
            "differences": {
                model: _named([[asdict(one) for one in row] for row in rows])
                for model, rows in zip(self.models[1:], self.differences, strict=True)
            },
        }


def summarise(scored: Sequence[Scored]) -> list[Summary]:
    """A summary for each condition, in the order in which conditions and models came."""
    conditions = dict.fromkeys(one.condition for one in scored)
    return [_summary(name, [one for one in scored if one.condition == name]) for name in conditions]


def printed(summary: Summary, title: str) -> str:
    """A summary for reading; `*` marks differences whose interval excludes zero."""
    lines = [
        "",
        f"{title}; mouth: {summary.condition}; {summary.identities} identities, {summary.answers} answers a model",
        _row("", [*REGIONS]),
    ]
    for place, measure in enumerate(MEASURES):
        for model, means in zip(summary.models, summary.means, strict=True):
            lines.append(_row(f"{measure} {model[-TAIL:]}", [f"{value:.3f}" for value in means[place]]))
        for rows in summary.differences:
            lines.append(_row("  difference", [_told(one) for one in rows[place]]))
            lines.append(_row("  95 % from", [f"{one.low:+.3f}" for one in rows[place]]))
            lines.append(_row("  95 % to", [f"{one.high:+.3f}" for one in rows[place]]))
            if measure == "l1":
                first = summary.means[0][place]
                lines.append(
                    _row("  per cent", [_share(one, base) for one, base in zip(rows[place], first, strict=True)])
                )
    return "\n".join(lines)


def _summary(condition: str, scored: Sequence[Scored]) -> Summary:
    models = tuple(dict.fromkeys(one.model for one in scored))
    tables = []
    for model in models:
        own = [one for one in scored if one.model == model]
        tables.append(by_identity([one.identity for one in own], np.array([one.values for one in own])))
    stacks = [np.array([table[identity] for identity in tables[0]]) for table in tables]
    return Summary(
        condition,
        models,
        len(tables[0]),
        len(scored) // len(models),
        np.array([mean_of(stack) for stack in stacks]),
        tuple(_differences(stacks[0], stack) for stack in stacks[1:]),
    )


def _differences(first: Array, second: Array) -> tuple[tuple[Difference, ...], ...]:
    """Of stacks (identities, 5, 6)."""
    return tuple(
        tuple(difference(first[:, m, r], second[:, m, r]) for r in range(len(REGIONS))) for m in range(len(MEASURES))
    )


def _row(name: str, cells: Sequence[str]) -> str:
    return f"{name:<{NAMES + 8}}" + "".join(f"{cell:>{CELL + 3}}" for cell in cells)


def _told(one: Difference) -> str:
    return f"{one.mean:+.3f}{'*' if one.sure else ' '}"


def _share(one: Difference, base: float) -> str:
    return f"{100 * one.mean / base:+.1f}" if base > 0 else "-"


def _named(rows: Sequence[Sequence[Any]]) -> dict[str, dict[str, Any]]:
    return {measure: dict(zip(REGIONS, row, strict=True)) for measure, row in zip(MEASURES, rows, strict=True)}
