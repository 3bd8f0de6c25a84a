"""`mien bench follow`: whether every portrait follows every driver, judged by what is found again in the output."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.clock import Clock, MonotonicClock
from mien.commands.options import count
from mien.config import ReenactSettings
from mien.machine import outputs
from mien.portrait.portrait import Portrait
from mien.portrait.prepare import prepare
from mien_bench import report
from mien_bench.answer import answer, seen_at_rest
from mien_bench.control import Control
from mien_bench.material import clips_of, portraits_of
from mien_bench.pair import Pair, compare
from mien_bench.performance import Performance, perform
from mien_bench.results import Result

logger = logging.getLogger(__name__)


def add_options(parser: argparse.ArgumentParser) -> None:
    """See `mien_bench.bench.Bench`."""
    parser.add_argument("--clips", nargs="+", type=Path, metavar="PATH", help="drivers: video files or folders of them")
    parser.add_argument("--portraits", nargs="+", type=Path, metavar="PATH", help="pictures or folders of them")
    parser.add_argument("--size", type=count, default=512, metavar="N", help="longer side of the output (512)")
    parser.add_argument("--model", default=ReenactSettings().model, metavar="NAME", help="see `mien models`")
    parser.add_argument("--threads", type=count, metavar="N")
    parser.add_argument("--sheet", type=Path, metavar="FOLDER", help="keep a contact sheet of each pair there")
    parser.epilog = "Without paths: the samples, and what lies in $MIEN_DATA/clips."


def run(options: argparse.Namespace, control: Control) -> Result:
    """See `mien_bench.bench.Bench`; drives all portraits by all clips and prints a line for each pair."""
    clips, portraits = clips_of(options.clips), portraits_of(options.portraits)
    if options.sheet is not None:
        with outputs.told(str(options.sheet)):
            options.sheet.mkdir(parents=True, exist_ok=True)
        outputs.need_folder(options.sheet, str(options.sheet))
    settings = ReenactSettings(model=options.model, size=options.size, threads=options.threads)
    pairs = []
    print(report.header(), flush=True)
    for pair in follow(clips, portraits, settings, MonotonicClock(), options.sheet):
        pairs.append(pair)
        print(report.line(pair), flush=True)
    return report.result(pairs, {"model": options.model, "size": options.size})


def follow(
    clips: Sequence[Path],
    portraits: Sequence[Path],
    settings: ReenactSettings,
    clock: Clock,
    sheets: Path | None = None,
) -> Iterator[Pair]:
    """Measure every clip with every portrait, clip after clip; what goes wrong in a pair is told in it.

    Args:
        sheets: a folder in which a contact sheet of each pair is kept; otherwise no picture is.

    Raises:
        MienError: a portrait cannot be prepared.
    """
    people = [_person(path, settings) for path in portraits]
    for clip in clips:
        driver = _performed(clip, people[0].portrait, settings)
        for person in people:
            if isinstance(driver, str):
                yield Pair(clip.stem, person.name, trouble=driver)
            else:
                yield _measured(driver, person, settings, clock, sheets)


@dataclass(frozen=True, slots=True, eq=False)
class _Person:
    name: str
    portrait: Portrait
    rest: tuple[NDArray[np.float64], NDArray[np.float64] | None]
    """What `seen_at_rest` gave."""


def _person(path: Path, settings: ReenactSettings) -> _Person:
    (portrait,) = prepare(path, size=settings.size)
    return _Person(path.stem, portrait, seen_at_rest(portrait, settings))


def _performed(clip: Path, anyone: Portrait, settings: ReenactSettings) -> Performance | str:
    """The performance, or what stopped it."""
    try:
        return perform(clip, anyone, settings)
    except Exception as error:  # a crash is what is looked for
        logger.exception("%s", clip)
        return _told(error)


def _measured(
    performance: Performance, person: _Person, settings: ReenactSettings, clock: Clock, sheets: Path | None
) -> Pair:
    began = clock.now()
    sheet = None if sheets is None else sheets / f"{performance.name}--{person.name}.jpg"
    try:
        made = answer(performance, person.portrait, settings, sheet)
        return compare(performance, made, person.name, person.rest, clock.now() - began)
    except Exception as error:  # a crash is what is looked for
        logger.exception("%s x %s", performance.name, person.name)
        return Pair(performance.name, person.name, trouble=_told(error), seconds=clock.now() - began)


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
