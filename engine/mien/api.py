"""The Python API: animate a prepared portrait; and `mien reenact` as one call."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from pathlib import Path

from mien import capture, emit
from mien.capture.source import Source, SourceInfo
from mien.chain import need_background
from mien.clock import MonotonicClock
from mien.config import ALPHA, ReenactSettings
from mien.credentials.claim import Claim, claim_of
from mien.credentials.opening import open_credentials
from mien.credentials.signing import Credentials
from mien.emit.compare import SheetSink, need_sheet_place
from mien.emit.opening import need_place
from mien.emit.sink import Sink, SinkSettings
from mien.errors import SettingError
from mien.frame import Frame
from mien.machine.processor import usable_threads
from mien.morphing.pictures import need_one_picture, open_morph
from mien.pipeline import Progress, render, stream
from mien.places import need_apart
from mien.portrait.portrait import Portrait
from mien.portrait.prepare import prepare
from mien.provenance import Provenance, all_pictures, own_version, record
from mien.stages import open_stages
from mien.stats import Statistics
from mien.style.opening import need_style


def animate(
    portrait: Portrait | Sequence[Portrait], source: Source, settings: ReenactSettings | None = None
) -> Generator[Frame, None, None]:
    """The moving portrait: one frame for each frame of `source`, with its time and, in `answers`, the frame itself.

    Worker threads run ahead by a few frames. The source is closed at the end, and when the generator is: by `close`,
    when nothing refers to it any more, or when the program ends.

    Args:
        portrait: what `mien.prepare` gave.
        source: what `mien.capture.open` gave, or any other `Source`.
        settings: how to move; `size` is decided by `prepare` and ignored, as are `mark`, and `morph` and `degree`, for
            which there is `mien.morph`.

    Raises:
        SourceError: the source has no frame that decodes.
        FaceError: the source shows no face.
        SettingError: no portrait, or something that is no source; when it is called, not with the first frame.
    """
    portraits = _several(portrait)
    if not portraits:
        raise SettingError("portrait: expected at least one, got none; see mien.prepare")
    if not hasattr(source, "info"):
        raise SettingError(f"source: expected what mien.capture.open gives, got {_kind(source)}; open it first")
    frames = _animated(portraits, source, settings or ReenactSettings())
    _close_at_exit(frames)
    return frames


def _animated(
    portraits: tuple[Portrait, ...], source: Source, settings: ReenactSettings
) -> Generator[Frame, None, None]:
    clock = MonotonicClock()
    with source, open_stages(portraits, source, settings) as stages:
        items = stream(source, stages, Statistics(clock), clock)
        with closing(items):
            yield from (item for item in items if isinstance(item, Frame))


def _close_at_exit(frames: Generator[Frame, None, None]) -> None:
    """Close `frames` when the interpreter exits, if they are still open.

    Worker threads in native code during interpreter shutdown would hang or abort the program.
    """
    left = weakref.ref(frames)

    def close() -> None:
        open_still = left()
        if open_still is not None:
            with suppress(ValueError):  # some thread is waiting for its next frame
                open_still.close()

    weakref.finalize(frames, close)


def render_file(
    pictures: Sequence[str | os.PathLike[str]],
    driver: str | os.PathLike[str],
    output: str | os.PathLike[str],
    settings: ReenactSettings | None = None,
    *,
    start: float = 0.0,
    duration: float | None = None,
    compare: bool = False,
    sheet: Path | None = None,
    begun: Callable[[int | None, str], None] | None = None,
    progress: Progress | None = None,
) -> Statistics:
    """All of `mien reenact`: from files to a file, which is written atomically and replaces an existing one.

    Args:
        pictures: of one person; see `mien.prepare`.
        driver: see `mien.capture.open`, also for `start` and `duration` in seconds.
        output: see `mien.emit.open`.
        compare: show the driver on the left.
        sheet: where a contact sheet goes, too.
        begun: called before the first frame with the number of frames to come (None if unknown) and a description of
            the model.
        progress: called with the statistics after each frame.

    Raises:
        MienError: anything that the user can fix, in one line.
    """
    settings = settings or ReenactSettings()
    need_apart([] if sheet is None else [sheet], [*pictures, driver], sink=output, settings=settings)
    if settings.morph is not None:
        need_one_picture(len(pictures))
    need_place(os.fspath(output))
    need_background(settings.background)
    need_style(settings.style, settings.style_picture)
    if sheet is not None:
        need_sheet_place(sheet)
    clock, threads, notes = MonotonicClock(), settings.threads or usable_threads(), list[str]()
    with ExitStack() as stack:
        source = stack.enter_context(capture.open(driver, start=start, duration=duration, threads=max(threads // 2, 1)))
        portraits = prepare(*pictures, size=settings.size)
        if settings.morph is not None:
            portraits = (open_morph(portraits, settings.morph)(settings.degree),)
        provenance = record(all_pictures(pictures, settings), settings, own_version())
        credentials = reenacted(provenance, settings, pictures, driver, os.fspath(output), notes.append)
        made = sink_settings(portraits[0].size, source.info, provenance)
        made = replace(made, alpha=settings.background == ALPHA, credentials=credentials)
        beside = (source.info.width, source.info.height) if compare else None
        sink: Sink = emit.open(output, made, mark=settings.mark, beside=beside, threads=threads, waits=True)
        if sheet is not None:
            sink = SheetSink(sheet, sink, made.metadata, mark=settings.mark, credentials=credentials)
        stack.enter_context(sink)
        stages = stack.enter_context(open_stages(portraits, source, settings))
        if begun is not None:
            begun(source.info.frame_count, stages.chain.about)
        statistics = Statistics(clock)
        render(source, stages, sink, statistics, clock, progress)
        statistics.warnings = (*stages.chain.notes, *statistics.warnings)
    return statistics.warned(notes)  # the file is signed when its sink is left


def reenacted(
    provenance: Provenance,
    settings: ReenactSettings,
    pictures: Sequence[str | os.PathLike[str]],
    driver: object,
    output: str | None,
    told: Callable[[str], None],
    how: str = "reenact",
) -> Credentials | None:
    """Content credentials of a portrait that a driver moves; see `open_credentials`.

    Args:
        driver: hashed where it is a file's name.
    """

    def claim() -> Claim:
        named = [*(("portrait", picture) for picture in all_pictures(pictures, settings)), ("driver", driver)]
        return claim_of(provenance, how, settings.credentials, named, marked=settings.mark)

    return open_credentials(settings.credentials, claim, output, told)


def sink_settings(size: tuple[int, int], info: SourceInfo, provenance: Provenance) -> SinkSettings:
    """Sink settings for frames of `size` (width, height) made from a source's frames."""
    width, height = size
    said, payload = provenance.as_metadata(), provenance.payload
    return SinkSettings(width, height, info.rate, info.time_base, info.sound, said, payload)


def _several(portrait: Portrait | Sequence[Portrait]) -> tuple[Portrait, ...]:
    return (portrait,) if isinstance(portrait, Portrait) else tuple(portrait)


def _kind(value: object) -> str:
    """The type's name for messages; `None` comes from readers that report failure by returning it."""
    return "None" if value is None else type(value).__name__
