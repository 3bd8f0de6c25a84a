"""A portrait under a driver in every style, in every way that styles are drawn, frame by frame.

The head's motion, and so the geometry, is that of one run; the styles share it, as they would if each were asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.chain import ReenactChain, open_chain
from mien.config import ReenactSettings
from mien.machine.processor import usable_threads
from mien.portrait.portrait import Portrait
from mien.posed import Painting
from mien.smooth.smooth import Smooth
from mien.style.frames import KEPT, FrameStyler, into_canvas
from mien.style.opening import MODEL, open_styler
from mien.style.readable import face_outline
from mien.style.style import Style
from mien.style.styler import Styler
from mien.style.wish import StyleWish
from mien_bench.face_video.exact_flow import Geometry, Tracer, Way
from mien_bench.fidelity.drivers import Driver
from mien_bench.quality.clips import CALM_UNITS
from mien_kernels import ops

Floats = NDArray[np.float32]
Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]

PHOTO: Final = "the photograph itself"
ONCE: Final = "--style"
EACH: Final = "each frame by itself"
ONE_LOOK: Final = "frames with the portrait's look"
MEAN: Final = "mien style (mean, optical flow)"
EXACT: Final = "mean along the exact flow"
PLAIN_EACH: Final = "no temporal loss: by itself"
PLAIN_MEAN: Final = "no temporal loss: mien style"
WAYS: Final = (ONCE, EACH, ONE_LOOK, MEAN, EXACT, PLAIN_EACH, PLAIN_MEAN)
"""Of drawing a style, in the order of the tables' rows."""
FAINT: Final = 5
"""Opacity, 0..255, up to which a painting is not seen."""
LEAD: Final = 3
"""Frames at the beginning that are drawn and not measured: smoothing and hair begin at rest there."""


@dataclass(frozen=True, slots=True, eq=False)
class StyledFrame:
    """One frame of a run, in pixels of the portrait's picture."""

    geometry: Geometry
    landmarks: NDArray[np.float64]
    """(478, 3): the shape that was aimed at."""
    photo: Pixels
    """(H, W, 3): without a style."""
    painted: NDArray[np.bool_]
    """(h, w), on the grid of the geometry: what the network painted anew in this frame."""
    drawn: Mapping[tuple[str, str], Pixels]
    """(H, W, 3) by way and style."""


class StyleRun:
    """Callable (number of a driver's frame) -> that frame; numbers follow each other."""

    def __init__(
        self,
        chain: ReenactChain,
        driver: Driver,
        portrait: Portrait,
        styler: Styler,
        plain: Styler | None,
        smooth: float,
    ) -> None:
        """`plain`: styles that were trained without the temporal loss; None: there are none."""
        self.tracer = Tracer(portrait)
        self.styles = styler.names
        self._chain, self._driver = chain, driver
        self._stages = {name: Style((portrait,), styler, StyleWish(((name, 1.0),))) for name in styler.names}
        self._smooth = {name: Smooth(smooth) for name in styler.names}
        self._whole = {name: WholeFrames(styler, name, portrait) for name in styler.names}
        common = () if plain is None else [name for name in styler.names if name in plain.names]
        self._plain = {name: WholeFrames(plain, name, portrait) for name in common if plain is not None}
        self._before: tuple[Geometry, Pixels] | None = None

    def __call__(self, number: int) -> StyledFrame:
        seconds = self._driver.seconds[number]
        posed = self._chain.reenact(self._driver.motions[number], seconds)
        paintings = None if self._chain.paint is None else self._chain.paint(posed)
        drawn = {}
        for name, stage in self._stages.items():
            styled, painted = stage(posed, paintings)
            drawn[ONCE, name] = self._smooth[name](self._chain.fuse(styled, painted), styled)
        photo = self._chain.smooth(self._chain.fuse(posed, paintings), posed)
        geometry = self.tracer(posed[0])
        way = self._way(geometry, self.tracer.reduced(photo))
        face = face_outline(posed[0].landmarks)
        for name, whole in self._whole.items():
            drawn[EACH, name] = each = whole.by_itself(photo, face)
            drawn[ONE_LOOK, name] = whole.with_one_look(photo, face)
            drawn[MEAN, name] = whole.along_its_own(each, photo)
            drawn[EXACT, name] = whole.along(each, way, self.tracer)
        for name, whole in self._plain.items():
            drawn[PLAIN_EACH, name] = each = whole.by_itself(photo, face)
            drawn[PLAIN_MEAN, name] = whole.along_its_own(each, photo)
        places = painted_places(None if paintings is None else paintings[0], self.tracer, posed[0].portrait.size)
        return StyledFrame(geometry, posed[0].landmarks, photo, places, drawn)

    def _way(self, geometry: Geometry, seen: Pixels) -> Way | None:
        before, self._before = self._before, (geometry, seen)
        return None if before is None else self.tracer.between(geometry, before[0], seen, before[1])


def painted_places(painting: Painting | None, tracer: Tracer, size: tuple[int, int]) -> NDArray[np.bool_]:
    """(h, w): where a painting is seen in a picture of `size` (width, height)."""
    if painting is None:
        return np.zeros(tracer.shape, np.bool_)
    share = np.rint(255 * (1 - painting.mask)).astype(np.uint8)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    placed = np.asarray(cv2.warpAffine(share, painting.matrix, size, flags=flags), dtype=np.uint8)
    return tracer.reduced(placed) > FAINT


class WholeFrames:
    """One style on whole frames of one video, in several ways."""

    def __init__(self, styler: Styler, name: str, portrait: Portrait) -> None:
        """`portrait`: whose look `with_one_look` gives to all frames."""
        wish = StyleWish(((name, 1.0),))
        self._styler, self._mix, self._strength = styler, wish.mix(styler.names), wish.strength
        self._into = into_canvas(portrait.pixels, styler.room)
        self._look = styler.whole(portrait.pixels, self._into, self._mix, self._strength)[1]
        self._moving = FrameStyler(styler, self._mix, self._strength)
        self._before: Pixels | None = None

    def by_itself(self, pixels: Pixels, face: Array) -> Pixels:
        """The frame (H, W, 3) as if it were a picture; of the portrait's size. `face` is its outline (N, 2)."""
        return self._styler.whole(pixels, self._into, self._mix, self._strength, faces=(face,))[0]

    def with_one_look(self, pixels: Pixels, face: Array) -> Pixels:
        """The same with strokes of one weight in all frames."""
        return self._styler.whole(pixels, self._into, self._mix, self._strength, self._look, (face,))[0]

    def along_its_own(self, drawn: Pixels, pixels: Pixels) -> Pixels:
        """What was `drawn` of a frame (H, W, 3), with the answer before mixed in as `mien style` does it."""
        return self._moving.steadied(pixels, drawn.copy())

    def along(self, drawn: Pixels, way: Way | None, tracer: Tracer) -> Pixels:
        """The same along the exact flow."""
        out = drawn.copy()
        if way is not None and self._before is not None:
            weight = np.asarray(cv2.blur(way.sure.astype(np.float32), (3, 3)), dtype=np.float32)
            ops.temporal_blend(out, self._before, tracer.enlarged(way.flow), out, KEPT, 1e9, weight=weight)
        self._before = out
        return out


@contextmanager
def open_run(
    portrait: Portrait,
    driver: Driver,
    model: str,
    styles: str = MODEL,
    plain: str | None = None,
    threads: int | None = None,
) -> Iterator[StyleRun]:
    """A portrait under a driver, in the styles of the bundle `styles`; closed on leaving.

    Raises:
        FaceError: the portrait has no layers.
        ModelError, BackendError: a bundle is missing or broken, or no runtime is installed.
    """
    count = threads or usable_threads()
    settings = ReenactSettings(model=model, mark=False, threads=threads)
    with ExitStack() as stack:
        styler = stack.enter_context(open_styler(count, styles))
        other = None if plain is None else stack.enter_context(open_styler(count, plain))
        chain = stack.enter_context(closing(open_chain((portrait,), settings, count, warm=False)))
        yield StyleRun(chain, driver, portrait, styler, other, settings.smooth)


def liveliest(driver: Driver, count: int) -> Sequence[int]:
    """Numbers of `count` successive frames with a face in which it moves most; none where there are not so many."""
    change = np.abs(np.diff(driver.channels, axis=0)) / CALM_UNITS
    steps = np.concatenate([[0.0], np.asarray(change.sum(axis=1))])
    sums = [float(steps[first + 1 : first + count].sum()) for first in range(len(steps) - count + 1)]
    known = [first for first, moved in enumerate(sums) if np.isfinite(moved)]
    best = max(known, key=sums.__getitem__, default=None)
    return () if best is None else range(best, best + count)
