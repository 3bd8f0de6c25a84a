"""The rooms plugged together: from a portrait, a source and settings to the stages that a pipeline runs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from mien.backdrop import background_of
from mien.capture.source import Source
from mien.config import ReenactSettings
from mien.errors import FaceError
from mien.face.face import Face
from mien.face.motion import Motion
from mien.frame import Frame
from mien.fuse.fuse import Fuse
from mien.machine.processor import usable_threads
from mien.motion.retarget import Retarget
from mien.paint.opening import open_painter
from mien.parse.parser import Parser
from mien.pipeline import Stages
from mien.portrait.portrait import Portrait
from mien.reenact.reenact import Reenact
from mien.smooth.smooth import Smooth
from mien.survey import Survey, survey
from mien.synthesis import Synthesis


@contextlib.contextmanager
def open_stages(
    portraits: tuple[Portrait, ...], source: Source, settings: ReenactSettings
) -> Iterator[Stages[Face, Motion]]:
    """The stages for `portraits` (pictures of one person, of one size) driven by `source`; closed on leaving.

    A seekable source is looked through before for its shots and the driver's neutral in each.

    Raises:
        FaceError: no frame had a face, once the stages were run; of another number than wished, where that is why.
    """
    threads = settings.threads or usable_threads()
    known = _survey(source, settings) if source.info.seekable else Survey()
    with (
        Parser(face=settings.face, hints=settings.mouth == "driver", cuts=known.cuts) as parser,
        open_painter(settings, threads) as (painter, about),
    ):
        reenact = Reenact(portraits, threads, painter)

        def synthesise(motion: Motion | None, frame: Frame) -> tuple[Synthesis, ...]:
            return reenact(motion, frame.seconds)

        stages = Stages(
            parse=parser,
            motion=Retarget(settings.motion, framings=known.framings),
            synthesis=(
                ("reenact", synthesise),
                ("fuse", Fuse(settings.mouth, threads, background_of(settings.background))),
                ("smooth", Smooth(settings.smooth, threads)),
            ),
            about=about,
            notes=painter.notes if painter is not None else (),
            shots=parser.shots,
        )
        try:
            yield stages
        except FaceError as error:
            if settings.face is None or not parser.most_seen:
                raise
            raise FaceError(
                f"{source.info.name}: expected a face number {settings.face}, counted from 0 in order of size, got at "
                f"most {parser.most_seen} at once; choose a smaller --face"
            ) from error


def _survey(source: Source, settings: ReenactSettings) -> Survey:
    def one_shot() -> Parser:
        return Parser(face=settings.face, hints=False, cuts=())

    return survey(source, one_shot, lambda: Parser(face=settings.face, hints=False))
