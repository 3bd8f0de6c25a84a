"""What is drawn onto a warped portrait: the painting, or eyes and mouth without a network; lids, detail, tone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.config import Mouth
from mien.draw.eyes import Eyes
from mien.draw.mouth import LipLine, OwnMouth, draw_driver_mouth, draw_plain_mouth
from mien.fuse.finish import Detail, Tone
from mien.fuse.lashes import Lashes
from mien.fuse.lids import Lids
from mien.plane import Box, from_box
from mien.portrait.portrait import Portrait
from mien.posed import Painting, Posed
from mien_kernels import ops

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]

EDGE = 1 / 16
"""Fraction of a painting's height over which it fades in from its border."""


class Features:
    """Callable for one portrait: draws onto what is warped of it in one frame, in place."""

    def __init__(self, portrait: Portrait, pixels: Pixels, corner: Array) -> None:
        """
        Args:
            portrait: whose features they are.
            pixels: (h, w, 3 or 4): what is warped of it; `lashes` write to it while it is.
            corner: (2,): the position of its first pixel in the picture.
        """
        self._own = OwnMouth.of(portrait.pixels, portrait.landmarks)
        self._line = LipLine(self._own)
        source = portrait.landmarks[:, :2] - corner
        self._eyes, self.lashes = Eyes(pixels, source), Lashes(pixels, source)
        self._lids = Lids(source, self.lashes.widths)
        self._detail = Detail(portrait)
        self._tone = Tone.of(portrait)

    def __call__(
        self, inner: Pixels, posed: Posed, painting: Painting | None, window: Box, mouth: Mouth, threads: int
    ) -> None:
        """Draw onto `inner` (h, w, 3), which shows the part `window` of the picture."""
        if painting is not None:
            self._lay(painting, posed.landmarks, inner, window, threads)
        else:
            self._draw(posed, mouth, inner, window)
        self._line(posed.landmarks[:, :2] - window.corner, inner)
        if self._tone is not None:
            self._tone(inner)

    def _draw(self, posed: Posed, mouth: Mouth, inner: Pixels, window: Box) -> None:
        """Eyes and mouth without a network."""
        target, own = posed.landmarks[:, :2] - window.corner, self._own
        self._eyes(target, inner)
        self.lashes.draw(target, inner)
        if mouth == "driver" and posed.hint is not None:
            draw_driver_mouth(posed.hint, own.lip_colour, target, inner, own.skin_colour)
        else:
            draw_plain_mouth(own.hint, own.lip_colour, target, inner)

    def _lay(self, painting: Painting, landmarks: Array, inner: Pixels, window: Box, threads: int) -> None:
        """warped * mask + generated * (1 - mask), eq. 3.16, in the crop's place; shut lids are not paint."""
        matrix = from_box(painting.matrix, window)
        target = landmarks[:, :2] - window.corner
        self._eyes(target, inner)
        self.lashes.draw(target, inner)
        lids = self._lids(target, inner)
        edge = EDGE * len(painting.mask)
        ops.paste(inner, painting.generated, matrix.astype(np.float32), edge, mask=1 - painting.mask, threads=threads)
        self._detail(inner, painting, matrix, target)
        for lid in lids:
            lid.lay(inner)
