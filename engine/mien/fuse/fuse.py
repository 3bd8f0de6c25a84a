"""Stage `fuse`: composites the warped portrait, the painting, eyes and mouth over the background."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.config import Mouth
from mien.fuse.background import Background, cut
from mien.fuse.features import Features
from mien.fuse.layered import LayeredCanvas
from mien.fuse.wrinkles import Wrinkles
from mien.plane import Box
from mien.portrait.portrait import Portrait
from mien.posed import Painting, Posed
from mien_kernels import ops

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]

KEEP = Background()


class Fuse:
    """Callable (posed portraits of one frame, whose weights sum to 1, and what is painted of each) -> the fused frame.

    Pixels are (H, W, 3 or 4) in an array of their own.

    Raises FaceError if another background is set and no person was found in a portrait.
    """

    def __init__(
        self, mouth: Mouth = "driver", threads: int = 1, background: Background = KEEP, wrinkles: float = 0.0
    ) -> None:
        """`wrinkles` is the strength of expression wrinkles, 0 (none) to 2; it may be set between two frames."""
        self._mouth: Mouth = mouth
        self._threads = threads
        self._background = background
        self.wrinkles = wrinkles
        self._canvases: dict[str, _Canvas | LayeredCanvas] = {}

    def __call__(self, posed: tuple[Posed, ...], paintings: tuple[Painting | None, ...] | None = None) -> Pixels:
        """Without `paintings` nothing is painted."""
        painted = paintings or (None,) * len(posed)
        pixels, total = self._drawn(posed[0], painted[0]), posed[0].weight
        for one, painting in zip(posed[1:], painted[1:], strict=True):
            total += one.weight
            over = self._drawn(one, painting)
            share = np.full(pixels.shape[:2], one.weight / total, np.float32)
            ops.blend(pixels, over, share, pixels, threads=self._threads)
        return pixels

    def emptied(self) -> Fuse:
        """Another one with these settings, for other portraits."""
        return Fuse(self._mouth, self._threads, self._background, self.wrinkles)

    def prepare(self, posed: tuple[Posed, ...]) -> None:
        """Make what the first frame of each portrait would make, on whatever thread calls."""
        for one in posed:
            canvas = self._canvas_of(one)
            if self.wrinkles:
                canvas.make_wrinkles()

    def _drawn(self, posed: Posed, painting: Painting | None) -> Pixels:
        return self._canvas_of(posed).draw(posed, painting, self._mouth, self._threads, self.wrinkles)

    def _canvas_of(self, posed: Posed) -> _Canvas | LayeredCanvas:
        key = posed.portrait.digest
        if key not in self._canvases:
            self._canvases[key] = self._canvas(posed)
        return self._canvases[key]

    def _canvas(self, posed: Posed) -> _Canvas | LayeredCanvas:
        portrait = posed.portrait
        if portrait.layers is not None:
            return LayeredCanvas(portrait, portrait.layers, self._background)
        return _Canvas(portrait, posed.window, self._background)


class _Canvas:
    """A portrait without layers within its window, and buffers for its frames."""

    def __init__(self, portrait: Portrait, window: Box, background: Background) -> None:
        self.window = window
        self.area = window.area
        person = portrait.pixels[self.area]
        self.behind: Pixels | None = None
        self.cut = None if background.kind == "keep" else cut(portrait, background)
        if self.cut is not None:
            person = self.cut.person[self.area]
            self.behind = None if self.cut.behind is None else np.ascontiguousarray(self.cut.behind[self.area])
        elif portrait.matte is not None and portrait.background is not None:
            self.behind = np.ascontiguousarray(portrait.background[self.area])
            person = np.dstack([person, portrait.matte[self.area]])
        self.person = np.array(person, order="C")  # its own: wrinkles are drawn into it
        self.wrinkles = Wrinkles(portrait, self.person, window.corner)
        self.warped = np.empty_like(self.person)
        self.inner = np.empty(self.person.shape[:2] + (3,), np.uint8)
        self.features = Features(portrait, self.person, window.corner)
        self.whole = window.size == portrait.size
        self.picture = _at_rest(portrait) if self.cut is None else self.cut.at_rest

    def make_wrinkles(self) -> None:
        """See `Wrinkles.make`."""
        self.wrinkles.make()

    def draw(self, posed: Posed, painting: Painting | None, mouth: Mouth, threads: int, wrinkles: float) -> Pixels:
        out = np.empty_like(self.picture) if self.whole else self.picture.copy()
        self.wrinkles(posed, wrinkles)
        if self.cut is not None:
            out[self.area] = self._before_another(posed, painting, mouth, threads)
            return out
        inner = out if self.whole else self.inner
        self._skin(posed, inner, threads)
        self.features(inner, posed, painting, self.window, mouth, threads)
        if not self.whole:
            out[self.area] = inner
        return out

    def _before_another(self, posed: Posed, painting: Painting | None, mouth: Mouth, threads: int) -> Pixels:
        """(h, w, 3 or 4): the person by itself, painted before it is laid over what is behind, so that paint ends
        where the person does."""
        with self.features.lashes.hidden(posed.landmarks):
            ops.flow_warp(self.person, posed.flow, self.warped, threads=threads)
        np.copyto(self.inner, self.warped[..., :3])
        self.features(self.inner, posed, painting, self.window, mouth, threads)
        self.warped[..., :3] = self.inner
        return self.warped if self.behind is None else ops.blend(self.behind, self.warped, threads=threads)

    def _skin(self, posed: Posed, out: Pixels, threads: int) -> None:
        warped = out if self.behind is None else self.warped
        with self.features.lashes.hidden(posed.landmarks):
            ops.flow_warp(self.person, posed.flow, warped, threads=threads)
        if self.behind is not None:
            ops.blend(self.behind, self.warped, None, out, threads=threads)


def _at_rest(portrait: Portrait) -> Pixels:
    """The picture as the layers show it where nothing moves, so that the window has no seam."""
    if portrait.matte is None or portrait.background is None:
        return portrait.pixels
    return ops.blend(portrait.background, portrait.pixels, portrait.matte)
