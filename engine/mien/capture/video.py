"""Video files as a source: every container and codec that libav reads."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mien.capture.container import open_container
from mien.capture.decode import DecodingPass
from mien.capture.pixels import PixelReader
from mien.capture.source import SourceInfo, Span, past_the_end
from mien.capture.spread import frames_of, sample_file
from mien.errors import SourceError
from mien.frame import Frame
from mien.sound.sound import Sound

_ANIMATIONS = frozenset({"gif", "apng", "webp", "jpegxl_anim"})
_LOOK_BACK = (Fraction(1, 2), Fraction(5), Fraction(30))
"""Seconds before the wanted start to look for a key frame from which it can be decoded."""


@dataclass(frozen=True, slots=True)
class _Begun:
    """A decoding under way."""

    decoding: DecodingPass
    items: Generator[Frame | Sound, None, None]
    ahead: deque[Frame | Sound]
    """What came up to and with the first frame."""


class VideoSource:
    """A file's frames, upright and 8 bit, with its sound in step.

    Times are the container's own, in its time base, but count from where the container begins (or, with a start, from
    the first frame played), for frames and sound alike.
    """

    def __init__(
        self, path: Path, *, name: str, span: Span, alpha: bool = False, threads: int = 1, max_side: int | None = None
    ) -> None:
        """Open, seek and decode the first frame.

        Args:
            name: how the user called it, for messages.
            alpha: give `rgba` frames instead of flattening over black.
            threads: of decoding and of the conversion of large frames.
            max_side: shrink to this longer side.

        Raises:
            SourceError: not a video, no frame that decodes, or a start past the end.
        """
        self._path = path
        self._span = span
        self._name = name
        self._threads = threads
        self._alpha = alpha
        self._max_side = max_side
        self._opened = open_container(path, name, threads)
        try:
            self._begun = self._begin()
        except BaseException:
            self._opened.container.close()
            raise
        self._info = self._describe()

    @property
    def info(self) -> SourceInfo:
        return self._info

    @property
    def broken_frames(self) -> int:
        return self._begun.decoding.broken

    @property
    def warnings(self) -> tuple[str, ...]:
        return tuple(self._begun.decoding.warnings)

    def __iter__(self) -> Iterator[Frame | Sound]:
        while self._begun.ahead:
            yield self._begun.ahead.popleft()
        yield from self._begun.items

    def sample(self, count: int) -> Iterator[Frame]:
        begin = self._begun.decoding.origin or Fraction(0)
        return sample_file(self._path, self._name, begin, self._info, count, self._new_pixels(), self._threads)

    def close(self) -> None:
        self._begun.items.close()
        self._opened.container.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _new_pixels(self) -> PixelReader:
        return PixelReader(alpha=self._alpha, max_side=self._max_side, threads=self._threads)

    def _begin(self) -> _Begun:
        """Decode up to the first frame, from far enough back to have the one that the start asks for."""
        for back in _LOOK_BACK:
            if self._span.start <= back or not self._opened.seek(self._span.start - back):
                break
            begun = self._try()
            if begun.decoding.began_early:
                return self._checked(begun)
        if self._span.start > _LOOK_BACK[0]:
            self._opened.container.close()
            self._opened = open_container(self._path, self._name, self._threads)
        return self._checked(self._try())

    def _try(self) -> _Begun:
        decoding = DecodingPass(self._opened, self._name, self._span, self._new_pixels())
        begun = _Begun(decoding, decoding.items(), deque())
        for item in begun.items:
            begun.ahead.append(item)
            if isinstance(item, Frame):
                break
        return begun

    def _checked(self, begun: _Begun) -> _Begun:
        if not any(isinstance(item, Frame) for item in begun.ahead):
            raise self._refusal(begun.decoding)
        return begun

    def _refusal(self, decoding: DecodingPass) -> SourceError:
        if decoding.decoded:
            return past_the_end(self._name, decoding.last - self._opened.origin, self._span.start)
        return SourceError(
            f"{self._name}: expected a video or a picture, got none of its {decoding.broken} frames to decode; "
            "the file is damaged or of an unknown codec: convert it again"
        )

    def _describe(self) -> SourceInfo:
        opened = self._opened
        first = next(item for item in self._begun.ahead if isinstance(item, Frame))
        left = None if opened.duration is None else max(Fraction(0), opened.duration - self._span.start)
        if self._span.duration is not None:
            left = self._span.duration if left is None else min(left, self._span.duration)
        return SourceInfo(
            name=self._name,
            width=first.size[0],
            height=first.size[1],
            rate=opened.rate,
            time_base=opened.time_base,
            frame_count=self._span.count(opened.frame_count, opened.rate),
            duration=None if left is None else float(left),
            seekable=True,
            live=False,
            sound=self._begun.decoding.sound_format,
        )


def first_picture(path: Path, name: str, pixels: PixelReader) -> NDArray[np.uint8]:
    """The only picture of a container, or the first one of an animation, as `pixels` reads it.

    Raises:
        SourceError: a video where a picture is expected, or nothing that decodes.
    """
    opened = open_container(path, name, 1, one_by_one=True)
    with opened.container:
        if len(opened.container.streams.video) > 1:
            raise SourceError(f"{name}: expected one picture, got a file of several; save one of them as JPEG or PNG")
        pictures = [picture for _, picture in zip(range(2), frames_of(opened), strict=False)]
        if not pictures:
            raise SourceError(f"{name}: expected a picture, got none that decodes; save it again as JPEG or PNG")
        if len(pictures) > 1 and opened.container.format.name not in _ANIMATIONS:
            raise SourceError(f"{name}: expected a picture, got a video; save one of its frames as JPEG or PNG")
        return pixels.read(pictures[0], opened.sample_aspect)
