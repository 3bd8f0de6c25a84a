"""Conversion of decoded frames of any pixel format to upright 8-bit RGB, and deinterlacing."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from enum import IntFlag
from fractions import Fraction
from typing import cast

import av
import numpy as np
from av.filter import Graph
from av.filter.context import FilterContext
from av.sidedata.sidedata import SideData, SideDataContainer
from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace, Interpolation, VideoReformatter
from numpy.typing import NDArray

from mien.capture.grading import FORMAT, ColourEncoding, Grading, encoding_of, is_hdr
from mien.errors import SourceError
from mien.frame import Layout

_UNSPECIFIED = 2
"""Code of an unspecified colour matrix."""
_READ_MATRICES = frozenset({0, 1, 4, 5, 6, 7, 9})
_LIKE_BT2020 = frozenset({10, 13})
"""With constant luminance, which libswscale does not know: for small differences of colour the same."""
_UNREAD_MATRICES = {8: "YCgCo", 11: "SMPTE 2085", 14: "ICtCp", 15: "IPT-C2", 16: "YCgCo-Re", 17: "YCgCo-Ro"}
_TALLEST_SD = 576
_ONE_THREAD = 1 << 20
"""Pixels up to which sharing the conversion costs more than it saves."""
_FILTER = "bwdif", "mode=send_frame:deint=interlaced"
"""Filter with one output frame per input frame; uses the previous and the next frame."""
_ALONE = "estdif", "mode=frame:deint=interlaced"
"""Looks at one frame."""
_SMALLEST = 16
"""Pixels a side below which nothing is filtered."""
_Facts = tuple[int, int, str]


class Turn(IntFlag):
    """How stored pixels are made upright: transposed first, then mirrored."""

    NONE = 0
    MIRROR_X = 1
    MIRROR_Y = 2
    TRANSPOSE = 4


_QUARTERS = (
    Turn.NONE,
    Turn.TRANSPOSE | Turn.MIRROR_Y,
    Turn.MIRROR_X | Turn.MIRROR_Y,
    Turn.TRANSPOSE | Turn.MIRROR_X,
)
"""Turns by quarters counterclockwise."""


def turn_of(frame: VideoFrame) -> Turn:
    """What the display matrix of a frame asks for, to the nearest quarter turn."""
    try:
        # not frame.side_data: that the frame keeps, in a cycle which only the garbage collector frees
        matrix = cast("SideData | None", SideDataContainer(frame).get("DISPLAYMATRIX"))  # type: ignore[call-arg]
    except ValueError:  # PyAV stumbles over kinds of side data that it does not know
        return _QUARTERS[round(frame.rotation / 90) % 4]
    if matrix is None:
        return Turn.NONE
    a, b, _, c, d, *_ = np.frombuffer(memoryview(matrix), np.int32).tolist()
    # a pixel at (p, q) is shown at (a p + c q, b p + d q)
    transposed = abs(a) + abs(d) < abs(b) + abs(c)
    to_x, to_y = (c, b) if transposed else (a, d)
    turn = Turn.TRANSPOSE if transposed else Turn.NONE
    if to_x < 0:
        turn |= Turn.MIRROR_X
    if to_y < 0:
        turn |= Turn.MIRROR_Y
    return turn


def upright(pixels: NDArray[np.uint8], turn: Turn) -> NDArray[np.uint8]:
    """Stored (H, W, C) pixels as they are to be seen; C-contiguous, the same array where nothing is to be done."""
    if Turn.TRANSPOSE in turn:
        pixels = pixels.transpose(1, 0, 2)
    if Turn.MIRROR_X in turn:
        pixels = pixels[:, ::-1]
    if Turn.MIRROR_Y in turn:
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def has_alpha(format: VideoFormat) -> bool:
    """Whether pixels of this format may be transparent."""
    return format.has_palette or any(component.is_alpha for component in format.components)


def over_black(rgba: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Straight-alpha (H, W, 4) uint8 -> (H, W, 3) uint8 as seen on black."""
    colour, alpha = rgba[:, :, :3], rgba[:, :, 3:]
    if alpha.min(initial=255) == 255:
        return np.ascontiguousarray(colour)
    product = np.multiply(colour, alpha, dtype=np.uint16)
    product += 127
    product //= 255
    return product.astype(np.uint8)


class PixelReader:
    """Turns decoded frames into upright pixels, all of the size of the first one.

    Colour matrix and range are honoured; a stream that names no matrix is taken as BT.709 above 576 lines, as BT.601
    else. Wide gamuts and high dynamic range become sRGB, without their alpha. Pixels that are not square are stretched
    to be.
    """

    def __init__(
        self, *, alpha: bool = False, max_side: int | None = None, threads: int = 1, still: bool = False
    ) -> None:
        """Set what all pictures share.

        Args:
            alpha: give (H, W, 4) instead of flattening over black.
            max_side: shrink to this longer side.
            threads: of the conversion of large pictures.
            still: these are no video frames: BT.601 where no matrix is named, whatever the size.
        """
        self.layout: Layout = "rgba" if alpha else "rgb24"
        self._alpha = alpha
        self._max_side = max_side
        self._threads = threads
        self._still = still
        self._reformatter = VideoReformatter()
        self._to_grade = VideoReformatter()
        self._size: tuple[int, int] | None = None
        self._turns: dict[float, Turn] = {}
        self._grading: tuple[ColourEncoding, Grading] | None = None

    def read(
        self,
        frame: VideoFrame,
        sample_aspect: float = 1.0,
        *,
        oriented: bool = True,
        size: tuple[int, int] | None = None,
    ) -> NDArray[np.uint8]:
        """(H, W, 3) or, with `alpha`, (H, W, 4); uint8, C-contiguous; the caller owns it.

        Args:
            sample_aspect: width of a stored pixel divided by its height.
            oriented: whether to follow the frame's display matrix.
            size: (width, height) instead of the first frame's.
        """
        turn = self._turn(frame) if oriented else Turn.NONE
        width, height = size or self._stored_size(frame, turn, sample_aspect)
        # the curves of standard range differ by less than displays do, and players leave them alone
        encoding = encoding_of(frame.color_primaries, frame.color_trc if is_hdr(frame.color_trc) else _UNSPECIFIED)
        through_alpha = self._alpha or has_alpha(frame.format)
        layout = "rgba" if through_alpha else "rgb24"
        if encoding is not None:
            frame = self._graded(self._scaled(frame, width, height, FORMAT), encoding)
        pixels = cast(NDArray[np.uint8], self._scaled(frame, width, height, layout).to_ndarray())
        return upright(over_black(pixels) if through_alpha and not self._alpha else pixels, turn)

    def _scaled(self, frame: VideoFrame, width: int, height: int, format: str) -> VideoFrame:
        reformatter = self._reformatter if format != FORMAT else self._to_grade
        return reformatter.reformat(
            frame,
            width=width,
            height=height,
            format=format,
            src_colorspace=_matrix(frame, self._still),
            interpolation=_interpolation(frame, width, height),
            threads=self._threads if width * height > _ONE_THREAD else 1,
        )

    def _graded(self, frame: VideoFrame, encoding: ColourEncoding) -> VideoFrame:
        if self._grading is None or self._grading[0] != encoding:
            self._grading = encoding, Grading(encoding)
        return self._grading[1].apply(frame)

    def _turn(self, frame: VideoFrame) -> Turn:
        """`turn_of`, asked once for each rotation: PyAV 18 never frees the side data that it hands out."""
        if frame.rotation not in self._turns:
            self._turns[frame.rotation] = turn_of(frame)
        return self._turns[frame.rotation]

    def _stored_size(self, frame: VideoFrame, turn: Turn, sample_aspect: float) -> tuple[int, int]:
        if self._size is None:
            size = fitted(max(1, round(frame.width * sample_aspect)), frame.height, self._max_side)
            self._size = size[::-1] if Turn.TRANSPOSE in turn else size
        return self._size[::-1] if Turn.TRANSPOSE in turn else self._size


def fitted(width: int, height: int, max_side: int | None) -> tuple[int, int]:
    """(width, height) shrunk, where needed, so that the longer side is `max_side`."""
    longer = max(width, height)
    if max_side is None or longer <= max_side:
        return width, height
    return max(1, round(width * max_side / longer)), max(1, round(height * max_side / longer))


def _matrix(frame: VideoFrame, still: bool) -> int | None:
    matrix = int(frame.colorspace)
    if matrix in _UNREAD_MATRICES:
        raise SourceError(
            f"picture: expected colours by BT.601, BT.709 or BT.2020, got {_UNREAD_MATRICES[matrix]}; convert it to one"
        )
    if matrix in _READ_MATRICES or frame.format.is_rgb:
        return None
    if matrix in _LIKE_BT2020 or is_hdr(frame.color_trc):
        return int(Colorspace.BT2020)
    return int(Colorspace.ITU709 if frame.height > _TALLEST_SD and not still else Colorspace.ITU601)


def _interpolation(frame: VideoFrame, width: int, height: int) -> Interpolation:
    if (width, height) == (frame.width, frame.height):
        return Interpolation.BILINEAR
    return Interpolation.AREA if width < frame.width else Interpolation.BICUBIC


def describe(error: av.FFmpegError | OSError) -> str:
    """libav's own words for an error, without its number and file name."""
    return (error.strerror or type(error).__name__).lower()


class Deinterlacer:
    """Filters a stream from its first interlaced frame on; what comes then is one frame late."""

    def __init__(self) -> None:
        self._facts: _Facts | None = None
        self._ends: tuple[Graph, FilterContext, FilterContext] | None = None
        self._held: deque[tuple[int | None, Fraction | None, int]] = deque()
        """Times of the frames that are in the filter."""

    def read(self, pictures: Sequence[VideoFrame]) -> Iterator[VideoFrame]:
        """What these frames complete, with the times that they came with."""
        for picture in pictures:
            facts = picture.width, picture.height, picture.format.name
            if self._ends is not None and facts != self._facts:
                yield from self.rest()
            if self._ends is None and (not picture.interlaced_frame or min(facts[:2]) < _SMALLEST):
                yield picture
                continue
            yield from self._filtered(picture, facts)

    def rest(self) -> Iterator[VideoFrame]:
        """What is still in the filter; the stream may go on after it."""
        if self._ends is not None:
            _, source, sink = self._ends
            source.push(None)
            yield from self._pulled(sink)
        self._ends = None
        self._held.clear()

    def _filtered(self, picture: VideoFrame, facts: _Facts) -> Iterator[VideoFrame]:
        if self._ends is None:
            self._ends, self._facts = _graph(_FILTER, picture), facts
        _, source, sink = self._ends
        self._held.append((picture.pts, picture.time_base, picture.duration))
        source.push(picture)
        yield from self._pulled(sink)

    def _pulled(self, sink: FilterContext) -> Iterator[VideoFrame]:
        for picture in _waiting(sink):
            pts, base, duration = self._held.popleft()
            if base is not None:
                picture.time_base = base
            picture.pts, picture.duration = pts, duration
            yield picture


def alone(picture: VideoFrame) -> VideoFrame:
    """Deinterlace one frame alone, by interpolating its second field from its first."""
    if not picture.interlaced_frame or min(picture.width, picture.height) < _SMALLEST:
        return picture
    _, source, sink = _graph(_ALONE, picture)
    source.push(picture)
    source.push(None)
    return next(_waiting(sink), picture)


def _graph(filter: tuple[str, str], picture: VideoFrame) -> tuple[Graph, FilterContext, FilterContext]:
    graph = Graph()
    graph.threads = 1
    base = picture.time_base or Fraction(1, 25)
    about = f"video_size={picture.width}x{picture.height}:pix_fmt={picture.format.name}:time_base={base}"
    if picture.colorspace != 2:
        about += f":colorspace={int(picture.colorspace)}"
    if picture.color_range:
        about += f":range={int(picture.color_range)}"
    source, sink = graph.add("buffer", about), graph.add("buffersink")
    graph.link_nodes(source, graph.add(*filter), sink).configure()
    return graph, source, sink


def _waiting(sink: FilterContext) -> Iterator[VideoFrame]:
    while True:
        try:
            picture = sink.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return
        assert isinstance(picture, VideoFrame)
        yield picture
