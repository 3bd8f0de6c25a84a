"""Temporal error of styles on reenacted portraits, as tables 1 and 2 of the face-video paper have it.

Mean of (x - w)^2 over colours in 0..1 and over the places that may be compared: x is a frame, w an earlier one that is
carried to it. The paper divides by all pixels and estimates its flow; here the flow is exact, and what is not compared
is not counted.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien_bench.face_video.exact_flow import SIDE, Geometry, errors
from mien_bench.face_video.stylings import EACH, LEAD, MEAN, ONCE, PHOTO, WAYS, StyledFrame, StyleRun
from mien_bench.quality.summary import mean_interval, mean_of
from mien_bench.quality.temporal import PAPER
from mien_bench.results import Better, Check, Fact, Row, Table

Pixels = NDArray[np.uint8]
Key = tuple[str, str]
"""A way of drawing and a style; of the photograph, and of all styles together, the style is ""."""

GAPS: Final = (1, 5)
"""Frames between two that are compared: the paper's short and long term."""
REGIONS: Final = ("face", "whole frame", "face beside what is painted")
TABLED: Final = REGIONS[:2]
"""Those with tables of their own."""
BESIDE: Final = 2
STYLES: Final = ("scream", "wave", "starry-night", "udnie", "shipwreck")
PAPER_STYLES: Final = dict(zip(STYLES, PAPER, strict=True))
"""The paper's name for each; `starry-night` is in the place of its Rain princess."""
UNIT: Final = 1e5
MOST_OF_FLOOR: Final = 5.0
"""How many times the photograph's error that of a portrait drawn once may be, in the face, one frame apart."""
MOST_OF_EACH: Final = 0.5
"""And that of `mien style` as a share of that of frames drawn each by itself."""
NOTES: Final = (
    (
        "In 1e-5 of squared colours in 0..1; means over pairs of portrait and driver with 95 % intervals. Pictures are "
        f"drawn at 512 pixels and compared at {SIDE}. --style draws the portrait once, the rows below it whole frames."
    ),
    (
        "Flow is exact: the head's mesh rasterised at both frames, the body's way, a background that stands still. "
        "Compared is where flow there and back agree (0.5 pixels and 5 % of the way), 3 pixels away from the edges of "
        "layers, where the frames without a style agree within 0.1."
    ),
)
NOT_ALIKE: Final = (
    "The paper's are whole frames of real video with a moving background, before and after its segmentation maps are "
    "cleaned, by an estimated flow, divided by all pixels; its Rain princess stands under starry-night."
)


@dataclass(frozen=True, slots=True, eq=False)
class Stability:
    """Errors of one portrait under one driver."""

    pair: str
    model: str
    values: Mapping[Key, NDArray[np.float64]]
    """(gaps, regions): mean over frames."""
    share: float
    """Of a frame that is compared with the one before."""


def measure(
    pair: str, model: str, run: StyleRun, numbers: Sequence[int], watch: Callable[[StyledFrame], None] | None = None
) -> Stability:
    """Errors over a driver's frames, of which the first `LEAD` are only drawn; `watch` is given each of the others.

    `pair` and `model` name what runs, for rows.
    """
    found: dict[Key, list[NDArray[np.float64]]] = defaultdict(list)
    shares: list[float] = []
    before: deque[tuple[Geometry, dict[Key, Pixels]]] = deque(maxlen=max(GAPS))
    for number in numbers[:LEAD]:
        run(number)
    for number in numbers[LEAD:]:
        frame = run(number)
        pictures = _reduced(run, frame)
        for key, own in _against(run, frame, pictures, before, shares).items():
            found[key].append(own)
        before.append((frame.geometry, pictures))
        if watch is not None:
            watch(frame)
    values = {key: mean_of(np.array(several)) for key, several in found.items()}
    return Stability(pair, model, values, float(np.mean(shares)))


def _reduced(run: StyleRun, frame: StyledFrame) -> dict[Key, Pixels]:
    pictures = {(PHOTO, ""): run.tracer.reduced(frame.photo)}
    return pictures | {key: run.tracer.reduced(drawn) for key, drawn in frame.drawn.items()}


def _against(
    run: StyleRun,
    frame: StyledFrame,
    pictures: Mapping[Key, Pixels],
    before: Sequence[tuple[Geometry, dict[Key, Pixels]]],
    shares: list[float],
) -> dict[Key, NDArray[np.float64]]:
    """(gaps, regions) for each: NaN for gaps that begin before the run."""
    out = {key: np.full((len(GAPS), len(REGIONS)), np.nan) for key in pictures}
    for place, gap in enumerate(GAPS):
        if gap > len(before):
            continue
        then, earlier = before[-gap]
        way = run.tracer.between(frame.geometry, then, pictures[PHOTO, ""], earlier[PHOTO, ""])
        if gap == 1:
            shares.append(float(way.sure.mean()))
        for key, picture in pictures.items():
            out[key][place] = errors(picture, earlier[key], way, frame.painted)
    return out


def rows(found: Sequence[Stability]) -> Iterator[Row]:
    """A row for each way, style, gap and region, with a value of each pair."""
    for drawn, style in _keys(found):
        for place, gap in enumerate(GAPS):
            for number, region in enumerate(REGIONS):
                values = _values(found, (drawn, style), place, number)
                condition: dict[str, Fact] = {
                    "on": "face-video",
                    "model": found[0].model,
                    "drawn": drawn,
                    "style": style,
                    "frames apart": gap,
                }
                judged: Better = "neither" if drawn == PHOTO else "lower"
                if values:
                    yield Row(f"temporal error, {region}", "1e-5", tuple(values), judged, condition, each="pair")


def tables(found: Sequence[Stability]) -> Iterator[Table]:
    """For each gap and region, the ways by styles; then the face's as multiples of the photograph's."""
    styles = list(dict.fromkeys(style for _, style in _keys(found) if style))
    share = float(np.mean([one.share for one in found]))
    for place, gap in enumerate(GAPS):
        for number, region in enumerate(TABLED):
            ours = [_line(found, drawn, styles, place, number) for drawn in (PHOTO, *_drawn(found))]
            quoted = list(_paper(styles)) if (gap, region) == (1, "whole frame") else []
            title = f"Temporal error of styles, {region}, {gap} frame{'s' if gap > 1 else ''} apart"
            notes: tuple[str, ...] = (*NOTES, f"Compared: {share:.0%} of a frame.") if not place + number else ()
            notes += (NOT_ALIKE,) if quoted else ()
            places = tuple(range(len(ours), len(ours) + len(quoted)))
            yield Table(title, ("1e-5", *styles, "all"), (*ours, *quoted), places, notes)
    relative = [_relative(found, drawn, drawn, styles) for drawn in _drawn(found)]
    relative.insert(1, _relative(found, f"{ONCE}, {REGIONS[BESIDE].removeprefix('face ')}", ONCE, styles, BESIDE))
    title = "The face, one frame apart: how many times the photograph's own error"
    yield Table(title, ("", *styles), tuple(relative), notes=("Means over pairs with 95 % intervals.",))


def _relative(
    found: Sequence[Stability], name: str, drawn: str, styles: Sequence[str], region: int = 0
) -> tuple[str, ...]:
    return (name, *(mean_interval(ratios(found, drawn, PHOTO, style, region), "{:.1f}") for style in styles))


def targets(found: Sequence[Stability]) -> Iterator[Check]:
    """What each style shall keep in the face, one frame apart; the mean over pairs counts."""
    for style in dict.fromkeys(style for _, style in _keys(found) if style):
        for (drawn, base), (by, wanted, most) in _TARGETS.items():
            values = ratios(found, drawn, base, style)
            if values:
                got = f"{mean_interval(values)}, worst pair {max(values):.2f}"
                yield Check(f"face-video: {style} by {by}", wanted, got, float(np.mean(values)) <= most)


_TARGETS: Final = {
    (ONCE, PHOTO): ("--style", f"<= {MOST_OF_FLOOR:g} times the photograph's error", MOST_OF_FLOOR),
    (MEAN, EACH): ("mien style", f"<= {MOST_OF_EACH:g} times that of each frame by itself", MOST_OF_EACH),
}


def ratios(found: Sequence[Stability], drawn: str, base: str, style: str, region: int = 0) -> list[float]:
    """Of each pair: a region's error, the face's, one frame apart, as a multiple of that of another way."""
    out = []
    for one in found:
        over = one.values.get((drawn, style))
        under = one.values.get((base, "" if base == PHOTO else style))
        if over is not None and under is not None and under[0, region] > 0 and np.isfinite(over[0, region]):
            out.append(float(over[0, region] / under[0, region]))
    return out


def _keys(found: Sequence[Stability]) -> list[Key]:
    return list(dict.fromkeys(key for one in found for key in one.values))


def _drawn(found: Sequence[Stability]) -> list[str]:
    there = {drawn for drawn, _ in _keys(found)}
    return [drawn for drawn in WAYS if drawn in there]


def _values(found: Sequence[Stability], key: Key, gap: int, region: int) -> list[float]:
    """In `1 / UNIT`, of the pairs that have one."""
    values = [UNIT * float(one.values[key][gap, region]) for one in found if key in one.values]
    return [value for value in values if np.isfinite(value)]


def _line(found: Sequence[Stability], drawn: str, styles: Sequence[str], gap: int, region: int) -> tuple[str, ...]:
    if drawn == PHOTO:
        cell = _cell(_values(found, (PHOTO, ""), gap, region))
        return (drawn, *[cell] * len(styles), cell)
    cells = [_cell(_values(found, (drawn, style), gap, region)) for style in styles]
    there = [one for one in found if any((drawn, style) in one.values for style in styles)]
    together = [
        UNIT
        * float(np.nanmean([one.values[drawn, style][gap, region] for style in styles if (drawn, style) in one.values]))
        for one in there
    ]
    return (drawn, *cells, _cell(together))


def _cell(values: Sequence[float]) -> str:
    """With as many digits as say something."""
    large = bool(values) and float(np.mean(values)) >= 100
    return mean_interval(values, "{:.0f}" if large else "{:.1f}")


def _paper(styles: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for place, what in enumerate(("before cleaning", "after cleaning")):
        known = [PAPER[PAPER_STYLES[style]][place] if style in PAPER_STYLES else np.nan for style in styles]
        cells = [f"{UNIT * value:.0f}" if np.isfinite(value) else "-" for value in known]
        mean = f"{UNIT * float(np.nanmean(known)):.0f}" if np.isfinite(known).any() else "-"
        yield (f"paper, {what}", *cells, mean)
