"""`mien bench mark`: how well the invisible mark is found after what happens to videos, and how little it is seen."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.commands.options import count, positive, whole
from mien.marking.pattern import KEY, STRENGTH, grid_of, levels_of
from mien.marking.payload import Payload
from mien.marking.reading import Reader, Search, mean_luma
from mien.verification import SURE
from mien_bench.control import Control
from mien_bench.marks.changes import CHANGES, LEAST, REPORTED, USUAL
from mien_bench.marks.material import driven, pieces, unmarked
from mien_bench.material import clips_of, portraits_of
from mien_bench.quality.temporal import correspondences, difference
from mien_bench.results import Check, Result, Row, Table
from mien_kernels import ops

Pixels = NDArray[np.uint8]

QUIET: Final = 42.0
"""Decibels that the mark's PSNR must have at least."""
STEADY: Final = 0.02
"""Share by which the temporal error may differ."""
SIDE: Final = 256
"""Of the pictures of which that is measured, and how many of them there are."""
FEW: Final = 40
_SESSION: Final = 0x5A3C9_17E42


@dataclass
class Found:
    """What was measured of all pieces."""

    hits: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in CHANGES})
    """By change: 1 for a piece in which the mark was found, else 0."""
    mended: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in CHANGES})
    """Bits of the code word that were mended, of those."""
    psnr: list[float] = field(default_factory=list)
    temporal: list[float] = field(default_factory=list)
    """Ratio of the temporal error with the mark to that without."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """See `mien_bench.command.Bench`."""
    parser.add_argument("--clips", nargs="+", type=Path, metavar="CLIP", help="videos to be marked, or folders")
    parser.add_argument("--portraits", nargs="+", type=Path, metavar="PATH", help="pictures that the driver moves")
    parser.add_argument("--driven", type=whole, default=1, metavar="N", help="so many portraits are driven (1)")
    parser.add_argument("--pieces", type=count, default=100, metavar="N", help="at most so many in all (100)")
    parser.add_argument("--seconds", type=positive, default=10.0, metavar="S", help="length of each (10)")
    parser.add_argument("--size", type=count, default=512, metavar="N", help="side of the pictures (512)")
    parser.add_argument("--unmarked", type=whole, default=10_000, metavar="N", help="pictures without a mark (10000)")
    parser.add_argument("--whole", type=whole, default=50, metavar="N", help="of them searched at all scales, too (50)")


def run(options: argparse.Namespace, control: Control) -> Result:
    """See `mien_bench.command.Bench`; nothing is timed."""
    clips, portraits = clips_of(options.clips), portraits_of(options.portraits)[: options.driven]
    found, reader = Found(), Reader()
    material = chain(
        driven(portraits, clips[0], options.size, options.seconds), pieces(clips, options.size, options.seconds)
    )
    for number, (name, frames) in enumerate(material):
        if number == options.pieces:
            break
        control()
        _measure(found, reader, frames)
        print(f"{name}: {', '.join(f'{change} {hits[-1]:.0f}' for change, hits in found.hits.items())}", flush=True)
    control()
    alarms, looks = false_alarms(unmarked(clips, options.unmarked, options.size), options.whole)
    return _result(found, alarms, looks, options)


def _measure(found: Found, reader: Reader, frames: Sequence[Pixels]) -> None:
    marked = with_mark(frames)
    found.psnr.append(psnr(frames, marked))
    found.temporal.append(temporal(marked, frames) / max(temporal(frames, frames), 1e-12))
    for name, change in CHANGES.items():
        seen = reader(change(iter(marked)))
        right = seen is not None and seen.payload.session == _SESSION and seen.false_alarm <= SURE
        found.hits[name].append(float(right))
        if seen is not None and right:
            found.mended[name].append(float(seen.wrong))


def with_mark(frames: Sequence[Pixels]) -> list[Pixels]:
    """Frames as a sink marks them."""
    height, width = frames[0].shape[:2]
    levels = levels_of(Payload(_SESSION), width, height)
    out = [np.empty_like(frame) for frame in frames]
    for frame, marked in zip(frames, out, strict=True):
        ops.add_levels(frame, levels, marked)
    return out


def psnr(frames: Sequence[Pixels], marked: Sequence[Pixels]) -> float:
    """Decibels, over all values of all frames."""
    squares = [
        float(np.mean(np.square(a.astype(np.float32) - b.astype(np.float32))))
        for a, b in zip(frames, marked, strict=True)
    ]
    return float(10 * np.log10(255**2 / max(float(np.mean(squares)), 1e-12)))


def temporal(frames: Sequence[Pixels], true: Sequence[Pixels]) -> float:
    """Mean temporal warping error of the first frames by the flow of `true`, see `mien_bench.quality.temporal`."""
    small, plain = (
        [np.asarray(cv2.resize(one, (SIDE, SIDE), interpolation=cv2.INTER_AREA)) for one in several[:FEW]]
        for several in (frames, true)
    )
    flows = [flow for flow in correspondences(plain) if flow.now - flow.then == 1]
    return float(np.mean([difference(small, flow) for flow in flows]))


def false_alarms(pictures: Iterator[Pixels], most_whole: int) -> tuple[int, int]:
    """Marks that were found in pictures without one, and how many pictures were looked at."""
    grid, reader, alarms, looks = grid_of(KEY), Reader(), 0, 0
    for picture in pictures:
        looks += 1
        if looks <= most_whole:
            seen = reader([picture])
        else:
            mean = mean_luma([picture])
            assert mean is not None
            seen = Search(grid, mean)((1.0,))
        alarms += seen is not None and seen.false_alarm <= SURE
    return alarms, looks


def _result(found: Found, alarms: int, looks: int, options: argparse.Namespace) -> Result:
    condition = {"size": options.size, "seconds": options.seconds, "strength": STRENGTH}
    rows = [
        Row("invisible mark found", "of 1", tuple(hits), "higher", {**condition, "after": name}, each="piece")
        for name, hits in found.hits.items()
    ]
    rows.append(Row("PSNR of the mark", "dB", tuple(found.psnr), "higher", condition, each="piece"))
    rows.append(Row("temporal error, marked to unmarked", "of 1", tuple(found.temporal), "lower", condition, "piece"))
    rows.append(Row("false alarms", "", (float(alarms),), "lower", {"pictures": looks, "size": options.size}))
    checks = [
        Check(f"found after {name}", f">= {LEAST.get(name, USUAL):.0%}", f"{np.mean(hits):.0%}", _enough(name, hits))
        for name, hits in found.hits.items()
        if name not in REPORTED
    ]
    worst, apart = min(found.psnr), max(abs(ratio - 1) for ratio in found.temporal)
    checks.append(Check("not seen", f">= {QUIET:g} dB", f"{worst:.1f} dB", worst >= QUIET))
    checks.append(Check("no flicker", f"<= {STEADY:.0%}", f"{apart:.1%}", apart <= STEADY))
    checks.append(Check("no false alarm", "0", f"{alarms} of {looks}", alarms == 0))
    about = "how often the invisible mark is found, and how little it is seen"
    return Result("mark", about, tuple(rows), tuple(checks), tables=(_table(found),))


def _enough(name: str, hits: Sequence[float]) -> bool:
    return float(np.mean(hits)) >= LEAST.get(name, USUAL)


def _table(found: Found) -> Table:
    rows = []
    for name, hits in found.hits.items():
        mended = found.mended[name]
        bits = f"{np.median(mended):.0f} ({max(mended):.0f})" if mended else "-"
        wanted = "-" if name in REPORTED else f"{LEAST.get(name, USUAL):.0%}"
        rows.append((name, f"{sum(hits):.0f} of {len(hits)}", bits, wanted))
    columns = ("after", "found", "bits mended, median (most)", "wanted")
    return Table("The invisible mark, piece by piece", columns, tuple(rows))
