"""Scores of many answers as tables: a mean for each region and measure, and differences with their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien_bench.quality.bootstrap import Difference, by_identity, difference, mean_of
from mien_bench.quality.regions import REGIONS
from mien_bench.quality.scores import MEASURES, Scored
from mien_bench.results import Better, Fact, Row, Table

Array = NDArray[np.float64]

TAIL = 14
"""Characters of a model's name that are shown: of a bundle's path the end."""
UNITS: Final = {"l1": "grey levels", "psnr": "dB", "gradient": "", "ssim": "", "detail": "octaves"}
BETTER: Final[dict[str, Better]] = {
    "l1": "lower",
    "psnr": "higher",
    "gradient": "higher",
    "ssim": "higher",
    "detail": "neither",
}
HEADLINE: Final = {("l1", "inner_mouth"): "error inside the mouth, none shown", ("ssim", "face"): "SSIM of the face"}
"""Figures for the head of the page, of the condition in which no mouth is shown."""
INTERVALS: Final = "Differences with 95 % intervals, bootstrapped over identities; * where they exclude zero."


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
    values: tuple[Array, ...]
    """For each model (identities, 5, 6), of which `means` are the means."""


def summarise(scored: Sequence[Scored]) -> list[Summary]:
    """A summary for each condition, in the order in which conditions and models came."""
    conditions = dict.fromkeys(one.condition for one in scored)
    return [_summary(name, [one for one in scored if one.condition == name]) for name in conditions]


def table(summary: Summary, title: str) -> Table:
    """A summary for reading; `*` marks differences whose interval excludes zero."""
    rows: list[tuple[str, ...]] = []
    for place, measure in enumerate(MEASURES):
        for model, means in zip(summary.models, summary.means, strict=True):
            rows.append((f"{measure} {short(model)}", *(_number(value) for value in means[place])))
        for model, differences in zip(summary.models[1:], summary.differences, strict=True):
            rows.append((f"  {short(model)} less {short(summary.models[0])}", *map(_told, differences[place])))
            if measure == "l1":
                first = summary.means[0][place]
                shares = (_share(one, base) for one, base in zip(differences[place], first, strict=True))
                rows.append(("  per cent", *shares))
    about = f"mouth: {summary.condition}; {summary.identities} identities, {summary.answers} answers a model"
    return Table(f"{title}; {about}", ("", *REGIONS), tuple(rows), notes=(INTERVALS,))


def rows(summary: Summary, on: str) -> list[Row]:
    """A row for each model, measure and region, of identities that show it; `on` says which material it is."""
    out = []
    for model, values in zip(summary.models, summary.values, strict=True):
        condition: dict[str, Fact] = {"on": on, "model": short(model), "mouth": summary.condition}
        for m, measure in enumerate(MEASURES):
            for r, region in enumerate(REGIONS):
                seen = tuple(value for value in values[:, m, r].tolist() if np.isfinite(value))
                if seen:
                    head = HEADLINE.get((measure, region), "") if summary.condition == "none" else ""
                    name = f"{measure}, {region}"
                    out.append(Row(name, *_judged(measure, seen), condition, each="identity", headline=head))
    return out


def short(model: str) -> str:
    """A model's name; of a bundle's path the end."""
    return model[-TAIL:]


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
        tuple(stacks),
    )


def _differences(first: Array, second: Array) -> tuple[tuple[Difference, ...], ...]:
    """Of stacks (identities, 5, 6)."""
    return tuple(
        tuple(difference(first[:, m, r], second[:, m, r]) for r in range(len(REGIONS))) for m in range(len(MEASURES))
    )


def _judged(measure: str, values: tuple[float, ...]) -> tuple[str, tuple[float, ...], Better]:
    return UNITS[measure], values, BETTER[measure]


def _number(value: float) -> str:
    return f"{value:.3f}" if np.isfinite(value) else "-"


def _told(one: Difference) -> str:
    if not one.count:
        return "-"
    return f"{one.mean:+.3f}{'*' if one.sure else ''} [{one.low:+.3f}, {one.high:+.3f}]"


def _share(one: Difference, base: float) -> str:
    return f"{100 * one.mean / base:+.1f}" if base > 0 and one.count else "-"
