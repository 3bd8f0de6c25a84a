"""Scores of many answers: means over identities with paired bootstrap intervals, tables, the generator's promises."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.config import WARP
from mien_bench.quality.regions import REGIONS
from mien_bench.quality.self_reenactment import MEASURES, Scored
from mien_bench.results import Better, Check, Fact, Row, Table

Array = NDArray[np.float64]

ROUNDS = 2000
SURE = 95.0
"""Per cent that an interval holds."""
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
CONDITION: Final = "none"
MOUTH: Final = 15.0
"""Per cent by which the mean absolute difference inside the mouth shall be below `warp`'s, at least."""
ENOUGH: Final = 5
"""People from which on an interval over them says something of others."""
BELOW: Final = ("eyes", "uncovered")
"""Regions in which it shall be below at all."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Of two means over the same identities, second less first."""

    mean: float
    low: float
    high: float
    """The interval: percentiles of the mean over identities drawn with replacement."""
    count: int
    """Identities that show both."""

    @property
    def sure(self) -> bool:
        """Whether the interval excludes zero; of a single identity there is none to speak of."""
        return self.count > 1 and (self.low > 0 or self.high < 0)


def by_identity(identities: Sequence[str], values: Array) -> dict[str, Array]:
    """For each identity the mean of its rows of `values` (N, ...), over those that are not NaN."""
    rows: dict[str, list[Array]] = {}
    for identity, value in zip(identities, values, strict=True):
        rows.setdefault(identity, []).append(value)
    return {identity: mean_of(np.array(several)) for identity, several in rows.items()}


def mean_of(values: Array) -> Array:
    """The mean over the first axis of what is not NaN; NaN where nothing is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a column of NaN has the mean NaN
        return np.asarray(np.nanmean(values, axis=0))


def difference(first: Array, second: Array, seed: int = 0) -> Difference:
    """The difference of two models over the same identities: `first` and `second` (N,), NaN where one has no value."""
    change = second - first
    change = change[np.isfinite(change)]
    if not len(change):
        return Difference(float("nan"), float("nan"), float("nan"), 0)
    drawn = np.random.default_rng(seed).integers(0, len(change), (ROUNDS, len(change)))
    low, high = np.percentile(change[drawn].mean(axis=1), [50 - SURE / 2, 50 + SURE / 2])
    return Difference(float(change.mean()), float(low), float(high), len(change))


def mean_interval(values: Sequence[float], form: str = "{:.2f}") -> str:
    """The mean of the finite values with its bootstrapped interval, for reading; "-" without any."""
    return _with_interval(values, lambda drawn: drawn.mean(axis=-1), form)


def median_interval(values: Sequence[float], form: str = "{:.2f}") -> str:
    """The same of the median."""
    return _with_interval(values, lambda drawn: np.asarray(np.median(drawn, axis=-1)), form)


def _with_interval(values: Sequence[float], statistic: Callable[[Array], Array], form: str) -> str:
    given = np.array([value for value in values if np.isfinite(value)])
    if not len(given):
        return "-"
    said = form.format(float(statistic(given)))
    if len(given) == 1:
        return said
    drawn = given[np.random.default_rng(0).integers(0, len(given), (ROUNDS, len(given)))]
    low, high = np.percentile(statistic(drawn), [50 - SURE / 2, 50 + SURE / 2])
    return f"{said} [{form.format(float(low))}, {form.format(float(high))}]"


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
            rows.append((f"  {short(model)} less {short(summary.models[0])}", *map(_cell, differences[place])))
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


def _cell(one: Difference) -> str:
    if not one.count:
        return "-"
    return f"{one.mean:+.3f}{'*' if one.sure else ''} [{one.low:+.3f}, {one.high:+.3f}]"


def _share(one: Difference, base: float) -> str:
    return f"{100 * one.mean / base:+.1f}" if base > 0 and one.count else "-"


def promises(summary: Summary, on: str) -> Iterator[Check]:
    """Whether each model keeps what is promised; nothing where `warp` is not what they are compared with.

    Args:
        on: the material, for names.
    """
    if not _asked(summary) or summary.identities < ENOUGH:
        return
    for number, model in enumerate(summary.models[1:], 1):
        named = f"{on}, {short(model)}, mouth: none"
        l1, ssim = MEASURES.index("l1"), MEASURES.index("ssim")
        differences = summary.differences[number - 1]
        for region in ("inner_mouth", *BELOW):
            place = REGIONS.index(region)
            least = MOUTH if region == "inner_mouth" else 0.0
            yield _below(f"{named}: L1, {region}", differences[l1][place], float(summary.means[0][l1, place]), least)
        yield _no_worse(f"{named}: SSIM, everywhere", differences[ssim])


def too_few(summary: Summary, on: str) -> str | None:
    """Why nothing is judged that would be with more people, in one line."""
    if not _asked(summary) or summary.identities >= ENOUGH:
        return None
    return f"{on}: promises are not judged, {summary.identities} people say too little of others ({ENOUGH} are needed)"


def _asked(summary: Summary) -> bool:
    return summary.condition == CONDITION and summary.models[0] == WARP


def _below(name: str, found: Difference, base: float, least: float) -> Check:
    wanted = f"{least:g} % below warp's, surely below" if least else "surely below warp's"
    if not found.count or not base > 0:
        return Check(name, wanted, "nobody shows it", kept=False)
    share, low, high = (100 * value / base for value in (found.mean, found.low, found.high))
    got = f"{share:+.1f} % [{low:+.1f}, {high:+.1f}] of {found.count}"
    return Check(name, wanted, got, kept=share <= -least and high < 0)


def _no_worse(name: str, found: tuple[Difference, ...]) -> Check:
    """Worse is what the whole interval says to be worse."""
    worse = [
        f"{region} {one.mean:+.4f} [{one.low:+.4f}, {one.high:+.4f}]"
        for region, one in zip(REGIONS, found, strict=True)
        if one.count and one.high < 0
    ]
    return Check(name, "nowhere surely worse", ", ".join(worse) or "nowhere surely worse", kept=not worse)
