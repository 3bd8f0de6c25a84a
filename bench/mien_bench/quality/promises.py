"""What the generator promises beside `warp`, of which no picture of the driver's mouth is shown to either."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mien.config import WARP
from mien_bench.quality.bootstrap import Difference
from mien_bench.quality.regions import REGIONS
from mien_bench.quality.scores import MEASURES
from mien_bench.quality.summary import Summary, short
from mien_bench.results import Check

CONDITION: Final = "none"
MOUTH: Final = 15.0
"""Per cent by which the mean absolute difference inside the mouth shall be below `warp`'s, at least."""
ENOUGH: Final = 5
"""People from which on an interval over them says something of others."""
BELOW: Final = ("eyes", "uncovered")
"""Regions in which it shall be below at all."""


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
