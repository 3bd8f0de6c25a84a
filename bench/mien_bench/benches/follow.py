"""`mien bench follow`: whether every portrait follows every driver, by landmarks detected in the output."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.clock import Clock, MonotonicClock
from mien.commands.options import count
from mien.config import ReenactSettings
from mien.face.measures import CHANNELS, PROPORTIONS
from mien.machine import outputs
from mien.portrait.portrait import Portrait
from mien.portrait.prepare import prepare
from mien_bench.control import Control
from mien_bench.material import clips_of, portraits_of
from mien_bench.results import Check, Fact, Result, Row
from mien_bench.roundtrip.follow_pairs import Pair, compare, judge, title
from mien_bench.roundtrip.reenacted import Performance, perform, reenact, seen_at_rest
from mien_bench.roundtrip.track_measures import Agreement, Leak

_NAME = 28
_CELL = 10
logger = logging.getLogger(__name__)


def header() -> str:
    """Names of the columns of `line`; a channel shows correlation and slope."""
    cells = "".join(f"{name:>{_CELL}}" for name in CHANNELS)
    return f"{'driver x portrait':<{_NAME}}{'frames':>10}{'sound ms':>9}{'lost':>5}{cells}{'leak %':>12}{'s':>6}"


def line(pair: Pair) -> str:
    """One pair; `leak` is the largest change of a proportion, in the target shape and as measured in the output."""
    name = f"{title(pair):<{_NAME}}"
    if pair.trouble is not None or pair.container is None:
        return f"{name}  {pair.trouble}"
    came, went = pair.container.frames
    sound = "-" if pair.container.sound is None else f"{pair.container.sound:.1f}"
    cells = "".join(_cell(pair.output.get(channel)) for channel in CHANNELS)
    leak = f"{_largest(pair.target_leak)}/{_largest(pair.output_leak)}"
    return f"{name}{f'{went}/{came}':>10}{sound:>9}{pair.lost:>5}{cells}{leak:>12}{pair.seconds:6.0f}"


def result(pairs: Sequence[Pair], condition: Mapping[str, Fact]) -> Result:
    """All pairs together: correlation, shape leakage, and whether both meet the requirements."""
    rows = [row for name in CHANNELS for row in _following(name, pairs, condition)]
    for name in PROPORTIONS:
        found = [100 * abs(pair.output_leak[name].median) for pair in pairs if pair.output_leak]
        if found:
            rows.append(Row(f"leak of {name}", "%", tuple(found), "lower", condition, each="pair"))
    checks = tuple(Check(one.name, one.wanted, f"{one.got} {one.worst}".strip(), one.passed) for one in judge(pairs))
    notes = tuple(f"{title(pair)}: {pair.trouble}" for pair in pairs if pair.trouble is not None)
    return Result("follow", "how portraits follow drivers, through H.264 and back", tuple(rows), checks, notes=notes)


def _following(name: str, pairs: Sequence[Pair], condition: Mapping[str, Fact]) -> list[Row]:
    found = [pair.output[name] for pair in pairs if name in pair.output]
    if not found:
        return []
    return [
        Row(
            f"{name}, correlation",
            "",
            tuple(one.correlation for one in found),
            "higher",
            condition,
            each="pair",
            headline=f"{name}: how the portrait follows (correlation)",
        ),
        Row(f"{name}, slope", "", tuple(one.slope for one in found), "neither", condition, each="pair"),
    ]


def _cell(found: Agreement | None) -> str:
    text = "-" if found is None else f"{found.correlation:.2f}/{found.slope:.2f}"
    return f"{text:>{_CELL}}"


def _largest(leaks: Mapping[str, Leak]) -> str:
    return f"{max(abs(leak.median) for leak in leaks.values()) * 100:.1f}" if leaks else "-"


def add_options(parser: argparse.ArgumentParser) -> None:
    """See `mien_bench.command.Bench`."""
    parser.add_argument("--clips", nargs="+", type=Path, metavar="PATH", help="drivers: video files or folders of them")
    parser.add_argument("--portraits", nargs="+", type=Path, metavar="PATH", help="pictures or folders of them")
    parser.add_argument("--size", type=count, default=512, metavar="N", help="longer side of the output (512)")
    parser.add_argument("--model", default=ReenactSettings().model, metavar="NAME", help="see `mien models`")
    parser.add_argument("--threads", type=count, metavar="N")
    parser.add_argument("--sheet", type=Path, metavar="FOLDER", help="keep a contact sheet of each pair there")
    parser.epilog = "Without paths: the samples, and what lies in $MIEN_DATA/clips."


def run(options: argparse.Namespace, control: Control) -> Result:
    """See `mien_bench.command.Bench`; drives all portraits by all clips and prints a line for each pair."""
    clips, portraits = clips_of(options.clips), portraits_of(options.portraits)
    if options.sheet is not None:
        with outputs.as_sink_errors(str(options.sheet)):
            options.sheet.mkdir(parents=True, exist_ok=True)
        outputs.need_folder(options.sheet, str(options.sheet))
    settings = ReenactSettings(model=options.model, size=options.size, threads=options.threads)
    pairs = []
    print(header(), flush=True)
    for pair in follow(clips, portraits, settings, MonotonicClock(), options.sheet):
        pairs.append(pair)
        print(line(pair), flush=True)
    return result(pairs, {"model": options.model, "size": options.size})


def follow(
    clips: Sequence[Path],
    portraits: Sequence[Path],
    settings: ReenactSettings,
    clock: Clock,
    sheets: Path | None = None,
) -> Iterator[Pair]:
    """Measure every clip with every portrait, clip by clip; a failure is recorded in its pair.

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
    """The performance, or the error that prevented it."""
    try:
        return perform(clip, anyone, settings)
    except Exception as error:  # a crash is what is looked for
        logger.exception("%s", clip)
        return _progress(error)


def _measured(
    performance: Performance, person: _Person, settings: ReenactSettings, clock: Clock, sheets: Path | None
) -> Pair:
    began = clock.now()
    sheet = None if sheets is None else sheets / f"{performance.name}--{person.name}.jpg"
    try:
        made = reenact(performance, person.portrait, settings, sheet)
        return compare(performance, made, person.name, person.rest, clock.now() - began)
    except Exception as error:  # a crash is what is looked for
        logger.exception("%s x %s", performance.name, person.name)
        return Pair(performance.name, person.name, trouble=_progress(error), seconds=clock.now() - began)


def _progress(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
