"""Sink wrappers that show the driver beside the result: in every frame, or on a contact sheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from mien.credentials.signing import Credentials
from mien.emit.images import ENDINGS, StillSink
from mien.emit.mark import Marked
from mien.emit.sink import Sink, SinkSettings, Wrapping
from mien.errors import SinkError
from mien.frame import Frame
from mien.machine.outputs import is_special, need_file_place

Pixels = NDArray[np.uint8]
COLUMNS, ROWS = 6, 2
CELL = 256
"""Pixels of a cell's side; pictures are fitted into it."""
FOOT = 96
"""Pixels of an empty strip below the moments, where the mark hides none of them."""
_STILL_RATE = Fraction(25)
GROUND = 24
"""Grey around a picture that is not square."""


def beside_settings(settings: SinkSettings, driver: tuple[int, int]) -> SinkSettings:
    """The settings of the sink that takes the joined pictures.

    Args:
        driver: (width, height) of the driver's frames.
    """
    return replace(settings, width=_driver_width(driver, settings.height) + settings.width)


class CompareSink(Wrapping):
    """Puts the frame that each frame answers on its left, at equal height, and hands both on as one picture."""

    def __init__(self, inner: Sink, settings: SinkSettings, driver: tuple[int, int], *, keeps: bool = False) -> None:
        """Prepare the picture that both go into.

        Args:
            settings: of the frames that come; `inner` was opened with `beside_settings` of them.
            keeps: `inner` holds on to its frames, so each needs an array of its own.
        """
        super().__init__(inner)
        self._split = _driver_width(driver, settings.height)
        self._shape = settings.height, self._split + settings.width, 3
        self._keeps = keeps
        self._joined = np.zeros(self._shape, np.uint8)
        self._reformatter = VideoReformatter()

    def write(self, frame: Frame) -> None:
        """Join and hand on; a frame that answers none has black on its left."""
        if self._keeps:
            self._joined = np.zeros(self._shape, np.uint8)
        left, right = self._joined[:, : self._split], self._joined[:, self._split :]
        left[...] = 0 if frame.answers is None else self._scaled(frame.answers.pixels[:, :, :3])
        right[...] = frame.pixels[:, :, :3]
        self._inner.write(replace(frame, pixels=self._joined, layout="rgb24"))

    def _scaled(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        height = self._shape[0]
        method = Interpolation.AREA if height < pixels.shape[0] else Interpolation.BICUBIC
        picture = VideoFrame.from_numpy_buffer(np.ascontiguousarray(pixels), format="rgb24")
        scaled = self._reformatter.reformat(
            picture, width=self._split, height=height, interpolation=method, threads=1
        ).to_ndarray()
        return np.asarray(scaled, np.uint8)


def _driver_width(driver: tuple[int, int], height: int) -> int:
    """Width of the driver at a height, even, so that the seam falls between two pixels of a subsampled colour."""
    width, own_height = driver
    return max(2, 2 * round(width * height / own_height / 2))


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """What driver and answer show at one time, both (CELL, CELL, 3)."""

    driver: Pixels
    answer: Pixels


class Spread:
    """Keeps moments spread evenly over a run of unknown length, in constant memory.

    Every `stride`-th frame is kept; when twice as many as wanted are held, every other one goes and the stride doubles.
    """

    def __init__(self, wanted: int) -> None:
        self._wanted = wanted
        self._held: list[Moment] = []
        self._stride = 1
        self._seen = 0

    def see(self, frame: Frame) -> None:
        if self._seen % self._stride == 0:
            driver = frame.answers or frame
            self._held.append(Moment(fit(driver.pixels), fit(frame.pixels)))
            if len(self._held) == 2 * self._wanted:
                self._held = self._held[::2]
                self._stride *= 2
        self._seen += 1

    def moments(self) -> list[Moment]:
        """At most as many as wanted, in order of time, the first and the last held among them."""
        places = np.linspace(0, len(self._held) - 1, min(self._wanted, len(self._held)))
        return [self._held[round(place)] for place in places]


class SheetSink(Wrapping):
    """Passes everything on to another sink, and writes the sheet when that one has finished."""

    def __init__(
        self,
        path: Path,
        inner: Sink,
        metadata: Mapping[str, str],
        *,
        mark: bool = True,
        credentials: Credentials | None = None,
    ) -> None:
        """
        Args:
            path: a .png or .jpg picture.
            metadata: of the sheet, as of every output.
            mark: draw the visible mark on the sheet.
            credentials: of the sheet, too.

        Raises:
            SinkError: the sheet is no picture, or cannot be made there.
        """
        need_sheet_place(path)
        self._path = path
        super().__init__(inner)
        self._metadata, self._credentials = dict(metadata), credentials
        self._mark = mark
        self._spread = Spread(COLUMNS * ROWS)

    def write(self, frame: Frame) -> None:
        self._spread.see(frame)
        self._inner.write(frame)

    def finish(self) -> None:
        """
        Raises:
            SinkError: the sheet, or what the inner sink makes, cannot be written.
        """
        self._inner.finish()
        pixels = tile(self._spread.moments())
        settings = SinkSettings(
            pixels.shape[1],
            pixels.shape[0],
            _STILL_RATE,
            1 / _STILL_RATE,
            metadata=self._metadata,
            credentials=self._credentials,
        )
        still: Sink = StillSink(self._path, settings)
        with Marked(still) if self._mark else still as sheet:
            sheet.write(Frame(pixels, pts=0, time_base=settings.time_base))


def need_sheet_place(path: Path) -> None:
    """Refuse a path that no contact sheet can be put at.

    Raises:
        SinkError: it is no picture's, or no file can be made there.
    """
    if path.suffix.lower() not in ENDINGS and not is_special(path):
        raise SinkError(f"{path}: expected a contact sheet to end in {', '.join(ENDINGS)}, got {path.suffix!r}")
    need_file_place(path, str(path))


def fit(pixels: Pixels) -> Pixels:
    """`pixels` (H, W, 3 or 4) scaled into (CELL, CELL, 3), its shape kept, grey around it."""
    height, width = pixels.shape[:2]
    share = CELL / max(height, width)
    size = max(round(width * share), 1), max(round(height * share), 1)
    picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels[..., :3]), format="rgb24")
    small = picture.reformat(*size, interpolation=Interpolation.AREA).to_ndarray()
    cell = np.full((CELL, CELL, 3), GROUND, np.uint8)
    x, y = (CELL - size[0]) // 2, (CELL - size[1]) // 2
    cell[y : y + size[1], x : x + size[0]] = small
    return cell


def tile(moments: Sequence[Moment]) -> Pixels:
    """The sheet of at least one moment: rows of drivers, each above the row of its answers, and the foot."""
    columns = min(COLUMNS, len(moments))
    rows = -(-len(moments) // columns)
    sheet = np.full((2 * rows * CELL + FOOT, columns * CELL, 3), GROUND, np.uint8)
    for number, moment in enumerate(moments):
        row, column = divmod(number, columns)
        pair = np.concatenate([moment.driver, moment.answer])
        sheet[2 * row * CELL : 2 * (row + 1) * CELL, column * CELL : (column + 1) * CELL] = pair
    return sheet
