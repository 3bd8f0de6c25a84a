"""Frames of two fields -> frames of one moment; others pass untouched."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from fractions import Fraction

import av
from av.filter import Graph
from av.filter.context import FilterContext
from av.video.frame import VideoFrame

_FILTER = "bwdif", "mode=send_frame:deint=interlaced"
"""One frame for each; it looks at the frame before and at the one after."""
_ALONE = "estdif", "mode=frame:deint=interlaced"
"""Looks at one frame."""
_SMALLEST = 16
"""Pixels a side below which nothing is filtered."""
_Facts = tuple[int, int, str]


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
    """A frame without its neighbours: the lines of its second field are made from those of its first."""
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
