"""Builds the stages of a run from portraits, a driver and settings."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

from mien.capture.source import Source
from mien.chain import open_chain
from mien.config import Gains, ReenactSettings
from mien.errors import FaceError
from mien.face.face import Face
from mien.face.motion import Motion
from mien.machine.processor import usable_threads
from mien.motion.retarget import Retarget
from mien.parse.parser import Parser
from mien.parse.shots import Cut
from mien.pipeline.stages import Stages
from mien.portrait.portrait import Portrait
from mien.shots import KEPT_LIVE, ShotLog
from mien.survey import Survey, survey


@contextlib.contextmanager
def open_stages(
    portraits: tuple[Portrait, ...], source: Source, settings: ReenactSettings
) -> Iterator[Stages[Face, Motion]]:
    """The stages for `portraits` (pictures of one person, of one size) driven by `source`; closed on leaving.

    A seekable source is surveyed first, for its shots and the driver's neutral in each.

    Raises:
        FaceError: no frame had a face, once the stages were run; of another number than wished, where that is why.
    """
    threads = settings.threads or usable_threads()
    known = _survey(source, settings) if source.info.seekable else Survey()
    with (
        _parser(settings, hints=settings.mouth == "driver", cuts=known.cuts) as parser,
        contextlib.closing(open_chain(portraits, settings, threads, warm=False)) as chain,
    ):
        try:
            yield Stages(parser, Retarget(settings.motion, framings=known.framings), chain, parser.shots)
        except FaceError as error:
            if settings.face is None or not parser.most_seen:
                raise
            raise FaceError(
                f"{source.info.name}: expected a face number {settings.face}, counted from 0 in order of size, got at "
                f"most {parser.most_seen} at once; choose a smaller --face"
            ) from error


def _survey(source: Source, settings: ReenactSettings) -> Survey:
    def one_shot() -> Parser:
        return _parser(settings, cuts=())

    return survey(source, one_shot, lambda: _parser(settings))


def _parser(
    settings: ReenactSettings,
    *,
    hints: bool = False,
    cuts: Sequence[Cut] | None = None,
    shots: ShotLog | None = None,
) -> Parser:
    return Parser(face=settings.face, landmarks=settings.landmarks, hints=hints, cuts=cuts, shots=shots)


class Driver:
    """The driver of a live run: `parse` and `motion`, and requests to them between two frames."""

    def __init__(self, parser: Parser, settings: ReenactSettings) -> None:
        self.parse = parser
        self.motion = Retarget(settings.motion)

    def rezero(self) -> None:
        """Take the driver's present face as neutral."""
        self.motion.rezero()

    def set_gains(self, gains: Gains) -> None:
        self.motion.settings = replace(self.motion.settings, gains=gains)


@contextlib.contextmanager
def open_driver(settings: ReenactSettings) -> Iterator[Driver]:
    """The parser started, its neutral unknown; closed on leaving."""
    with _parser(settings, hints=settings.mouth == "driver", shots=ShotLog(KEPT_LIVE)) as parser:
        yield Driver(parser, settings)
