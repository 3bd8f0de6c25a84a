"""The chain: all stages from motion to pixels for one portrait.

Offline, live and served runs call the same chain. It names its stages and reports the end of each to a stopwatch.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final, cast, get_args

import numpy as np
from numpy.typing import NDArray

from mien.capture import image
from mien.capture.source import need_file
from mien.config import WARP, ReenactSettings
from mien.errors import ModelError, SettingError, SourceError
from mien.face.motion import Motion
from mien.frame import Frame
from mien.fuse.background import COLOURS, Background, Kind, colour_of, plain
from mien.fuse.fuse import Fuse
from mien.manifest import Family
from mien.paint.opening import open_painter
from mien.paint.painter import Paint
from mien.pipeline.controller import FULL, LEVELS
from mien.portrait.portrait import Portrait
from mien.posed import Painting, PaintLevel
from mien.reenact.reenact import Reenact
from mien.runtime.sharing import SharedGraphs
from mien.smooth.smooth import Smooth
from mien.stats import UNTIMED, Laps
from mien.style.opening import model_with, open_styler
from mien.style.style import Style
from mien.style.wish import read_wish

Pixels = NDArray[np.uint8]
Later = tuple[str, Callable[[Pixels], Pixels]]
"""A further stage on finished pictures, with its name."""

STAGES: Final[Mapping[str, tuple[str, ...]]] = {"paint": ("reenact", "paint", "fuse", "smooth")}
"""By the stage that runs a family's graphs: all stages of a frame's way."""
_NAMED = tuple(kind for kind in get_args(Kind) if kind != "picture")


def chain_of(family: Family | None) -> tuple[str, ...]:
    """Names of the stages that a frame goes through, in order, for models of a family; None: no network.

    Raises:
        ModelError: a stage that is not here would run the family's graphs.
    """
    if family is None:
        return ("reenact", "fuse", "smooth")
    if family.stage not in STAGES:
        raise ModelError(
            f"family {family.name}: expected graphs of the stages {', '.join(STAGES)}, got {family.stage!r}; "
            "take a model that paints portraits (mien models)"
        )
    return STAGES[family.stage]


def _nothing() -> None:
    pass


def _wanted() -> None:
    """Nothing ends the work."""


@dataclass(slots=True)
class Adjustments:
    """Settings of the portrait's look that may change during a run, from any thread; chains read them each frame."""

    relax: float
    """0..1, see `ReenactSettings.relax`."""
    wrinkles: float
    """0..2, see `ReenactSettings.wrinkles`."""


@dataclass(frozen=True, slots=True, eq=False)
class ReenactChain:
    """Callable (motion, frame, paint level, laps) -> pixels; see `mien.pipeline.chain.Chain`."""

    reenact: Reenact
    paint: Paint | None
    """None: no network paints, as with the model `warp`."""
    fuse: Fuse
    smooth: Smooth
    style: Style | None = None
    """None: the portrait stays a photograph."""
    later: tuple[Later, ...] = ()
    about: str = WARP
    """Description of the model and its runtime."""
    notes: tuple[str, ...] = ()
    """Notes for the user, such as missing runtimes."""
    close: Callable[[], None] = _nothing
    """Frees its resources; called once, when no frame is in it."""
    adjustments: Adjustments | None = None
    """None: its stages stay as they were made."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of its stages, in the order of processing."""
        stages = chain_of(None if self.paint is None else self.paint.family)
        if self.style is not None:
            place = stages.index("fuse")
            stages = (*stages[:place], "style", *stages[place:])
        return (*stages, *(name for name, _ in self.later))

    @property
    def best(self) -> int:
        """Its best level, as an index of `mien.pipeline.controller.LEVELS`."""
        return LEVELS.index("warp") if self.paint is None else FULL

    def __call__(self, motion: Motion | None, frame: Frame, level: PaintLevel, laps: Laps) -> Pixels:
        """(H, W, 3 or 4), C-contiguous, not written to again. Without motion, the portrait at rest."""
        laps.begin()
        if self.adjustments is not None:
            self.reenact.relax, self.fuse.wrinkles = self.adjustments.relax, self.adjustments.wrinkles
        posed = self.reenact(motion, frame.seconds)
        laps.lap("reenact")
        paintings: tuple[Painting | None, ...] | None = None
        if self.paint is not None:
            paintings = self.paint(posed, level)
            if level != "off":
                laps.lap("paint")
        if self.style is not None:
            posed, paintings = self.style(posed, paintings)
            laps.lap("style")
        pixels = self.fuse(posed, paintings)
        laps.lap("fuse")
        pixels = self.smooth(pixels, posed)
        laps.lap("smooth")
        for name, stage in self.later:
            pixels = stage(pixels)
            laps.lap(name)
        return pixels


def open_chain(
    portraits: tuple[Portrait, ...],
    settings: ReenactSettings,
    threads: int,
    *later: Later,
    graphs: SharedGraphs | None = None,
    warm: bool = True,
    adjustments: Adjustments | None = None,
) -> ReenactChain:
    """The chain for `portraits` (pictures of one person and size). The caller closes it.

    Args:
        later: stages that follow.
        graphs: whose weights it takes; None: it loads its own.
        warm: whether first pictures are made on the calling thread, so that it can be swapped in without a stall.
        adjustments: read for each frame, in place of what `settings` say of them; None: `settings` decide.

    Raises:
        SettingError, FaceError: a background that cannot be read, or that the portrait cannot be shown before.
        ModelError, BackendError: as `open_painter`.
        Stopped: `graphs` was stopped meanwhile.
    """
    need_wanted = _wanted if graphs is None else graphs.need_wanted
    with ExitStack() as stack:
        painter, about = stack.enter_context(open_painter(settings, threads, graphs))
        need_wanted()
        chain_of(None if painter is None else painter.family)
        style = None
        if settings.style is not None:
            style = stack.enter_context(_open_style(settings.style, settings.style_picture, portraits, threads, graphs))
        need_wanted()
        chain = ReenactChain(
            Reenact(portraits, threads, settings.relax),
            None if painter is None else Paint(portraits, painter),
            Fuse(settings.mouth, threads, background_of(settings.background), settings.wrinkles),
            Smooth(settings.smooth, threads),
            style,
            later,
            about,
            () if painter is None else painter.notes,
            stack.pop_all().close,
            adjustments,
        )
        stack.callback(chain.close)
        if warm:
            _warm(chain, portraits[0], need_wanted)
        stack.pop_all()
        return chain


@contextlib.contextmanager
def _open_style(
    wish: str, picture: str | None, portraits: tuple[Portrait, ...], threads: int, graphs: SharedGraphs | None
) -> Iterator[Style]:
    asked = read_wish(wish)
    with open_styler(threads, model_with(asked), graphs) as styler:
        yield Style(portraits, styler, asked, None if picture is None else image.read(picture))


def background_picture(setting: str) -> str | None:
    """The path of a picture that a background is; None for a word or a colour."""
    return None if setting in _NAMED or colour_of(setting) is not None else setting


def background_of(setting: str) -> Background:
    """What `keep`, `blur`, `alpha`, a colour (`#rrggbb` or a name) or the path of a picture stands for.

    Raises:
        SettingError: it is none of the words, no colour, and no picture can be read there.
    """
    if setting in _NAMED:
        return Background(cast(Kind, setting))
    colour = colour_of(setting)
    if colour is not None:
        return plain(colour)
    try:
        return Background("picture", image.read(setting))
    except SourceError as error:
        raise _no_background(error) from error


def need_background(setting: str) -> None:
    """Refuse a background that is none of the words, no colour and no file, before a portrait is prepared for it.

    Raises:
        SettingError: it is none of these.
    """
    picture = background_picture(setting)
    if picture is None:
        return
    try:
        need_file(Path(picture), picture)
    except SourceError as error:
        raise _no_background(error) from error


def _no_background(error: SourceError) -> SettingError:
    words = ", ".join((*_NAMED, *COLOURS))
    return SettingError(f"background must be one of {words}, a colour as #rrggbb, or a picture; {error}")


def _warm(chain: ReenactChain, portrait: Portrait, need_wanted: Callable[[], None]) -> None:
    levels: tuple[PaintLevel, ...] = ("full", "carry")
    for level in levels:
        need_wanted()
        chain(None, Frame(portrait.pixels, 0, Fraction(1)), level, UNTIMED)
