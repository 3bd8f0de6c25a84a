"""The rooms plugged together for a live run: one driver, whose portrait can be exchanged."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from fractions import Fraction
from typing import Any

from mien.backdrop import background_of
from mien.config import Gains, ReenactSettings
from mien.face.motion import Motion
from mien.frame import Frame
from mien.fuse.fuse import Fuse
from mien.motion.retarget import Retarget
from mien.paint.opening import open_painter
from mien.parse.parser import Parser
from mien.pipeline.chain import Chain
from mien.pipeline.controller import FULL, LEVELS
from mien.pipeline.governor import Paint
from mien.portrait.portrait import Portrait
from mien.reenact.reenact import Reenact
from mien.runtime.sharing import SharedGraphs
from mien.shots import KEPT_LIVE, ShotLog
from mien.smooth.smooth import Smooth
from mien.synthesis import Synthesis

WARP = LEVELS.index("warp")


class Driver:
    """Who moves the portrait: `parse`, `motion`, and what can be asked of them between two frames."""

    def __init__(self, parser: Parser, settings: ReenactSettings) -> None:
        self.parse = parser
        self.motion = Retarget(settings.motion)

    def rezero(self) -> None:
        """Take how the driver looks now as neutral."""
        self.motion.rezero()

    def set_gains(self, gains: Gains) -> None:
        self.motion.settings = replace(self.motion.settings, gains=gains)


@contextlib.contextmanager
def open_driver(settings: ReenactSettings) -> Iterator[Driver]:
    """The parser started, its neutral unknown; closed on leaving."""
    with Parser(face=settings.face, hints=settings.mouth == "driver", shots=ShotLog(KEPT_LIVE)) as parser:
        yield Driver(parser, settings)


def open_chain(
    portraits: tuple[Portrait, ...],
    settings: ReenactSettings,
    threads: int,
    *later: tuple[str, Any],
    graphs: SharedGraphs | None = None,
) -> Chain:
    """What makes pictures of `portraits` (of one person and size).

    Everything that takes time happens here, on the calling thread, also a first picture, so that the chain can be
    swapped in without a stall. Its owner closes it.

    Args:
        later: named callables (pixels) -> pixels that follow.
        graphs: whose weights it takes; None: it loads its own.

    Raises:
        SettingError, FaceError: a background that cannot be read, or that the portrait cannot be shown before.
        ModelError, BackendError: as `open_painter`.
    """
    with ExitStack() as stack:
        painter, about = stack.enter_context(open_painter(settings, threads, graphs))
        reenact = Reenact(portraits, threads, painter)

        def synthesise(motion: Motion | None, frame: Frame, paint: Paint) -> tuple[Synthesis, ...]:
            return reenact(motion, frame.seconds, paint)

        synthesis = (
            ("reenact", synthesise),
            ("fuse", Fuse(settings.mouth, threads, background_of(settings.background))),
            ("smooth", Smooth(settings.smooth, threads)),
            *later,
        )
        _warm(synthesis, portraits[0])
        best, notes = (WARP, ()) if painter is None else (FULL, painter.notes)
        return Chain(synthesis, best, stack.pop_all().close, about, notes)


def _warm(synthesis: tuple[tuple[str, Any], ...], portrait: Portrait) -> None:
    (_, first), *others = synthesis
    paints: tuple[Paint, ...] = ("full", "carry")
    for paint in paints:
        value = first(None, Frame(portrait.pixels, 0, Fraction(1)), paint)
        for _, call in others:
            value = call(value)
