"""Pictures in a style: strokes by a network that sees a small picture, colours in full size.

A picture x in 0..1 becomes sigmoid(4 (A x + t + 0.7 strokes - 0.5)); the network gives the strokes on a coarse grid,
and the colour transfer A, t. The look is what the network normalises a picture by. It is found once for the portrait;
with it, a patch of a frame gets the strokes that it would have in the portrait.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.manifest import Bundle
from mien.plane import Affine, inverse
from mien.posed import Posed
from mien.runtime.session import GraphSession
from mien.style.readable import face_outline, weaken
from mien.style.steady import SteadyStrokes
from mien_kernels import ops

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

WHOLE, PATCH = "whole", "patch"
BORDER: Final = 32
"""Pixels of the canvas around a whole picture, filled with its mirror image: where zeros lie near, frames are drawn."""
CELL: Final = 2
"""Pixels of the network's picture along each side of a cell of strokes."""
GAIN: Final = 4.0
STROKES: Final = 0.7
"""As in `mien_export.families.style.network`."""
_STEPS: Final = 640
"""Of the table of the sigmoid, for colours 1 apart: half a grey level each where it is steepest."""
_SIGMOID: Final = (255 / (1 + np.exp(-GAIN * (np.arange(3 * _STEPS) / _STEPS - 1.5))) + 0.5).astype(np.uint8)
"""Grey levels of colours from -1 to 2."""


@dataclass(frozen=True, slots=True, eq=False)
class StyleLook:
    """A style as it is on one picture."""

    vector: Floats
    """(1, L): scales and shifts of the network's features."""
    transfer: Floats
    """(3, 4): A and t, for colours in 0..1."""
    scale: float
    """Pixels of the network's picture per pixel of the picture."""
    strength: float
    """How much of the answer is style, 0..1."""


class Styler:
    """Runs the graphs of a bundle of the family `style`. For one thread at a time."""

    def __init__(
        self, bundle: Bundle, whole: GraphSession, patch: GraphSession, threads: int = 1, about: str = ""
    ) -> None:
        """`whole` and `patch` run the graphs of these names; `close` closes them. `about` says what runs them."""
        self.about = about
        self.names = bundle.attributes
        """Of its styles."""
        self.bundle = bundle
        self._whole, self._patch, self._threads = whole, patch, threads
        self.room = bundle.side - 2 * BORDER
        """Pixels of the canvas along each side that a picture may take."""
        height, width = patch.inputs["picture"].shape[2:]
        self.patch_size = width, height

    def whole(
        self,
        picture: Pixels,
        into: Affine,
        mix: Floats,
        strength: float,
        like: StyleLook | None = None,
        faces: Sequence[Array] = (),
    ) -> tuple[Pixels, StyleLook]:
        """A picture in a style, and the look it has.

        Args:
            picture: (H, W, 3).
            into: from the picture to the canvas; of one scale, without rotation.
            mix: (K,), the share of each style.
            strength: how much of the answer is style, 0..1.
            like: a look that it is to have; None: its own.
            faces: (N, 2) each, outlines of faces that are to stay readable.
        """
        scale = float(into[0, 0])
        canvas = cv2.warpAffine(
            _soft(picture, scale),
            into,
            (self.bundle.side, self.bundle.side),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT_101,
        )
        self._whole.inputs["picture"][0] = canvas.transpose(2, 0, 1) / np.float32(127.5) - np.float32(1)
        self._whole.inputs["mix"][0] = mix
        self._whole.inputs["fixed"][...] = like is not None
        if like is not None:
            self._whole.inputs["given"][...] = like.vector
        self._whole.run()
        outputs = self._whole.outputs
        transfer = np.array(outputs["transfer"][0], np.float32)
        matrix = np.column_stack([transfer[:9].reshape(3, 3), transfer[9:]])
        look = StyleLook(np.array(outputs["look"], np.float32), matrix, scale, strength)
        strokes = np.ascontiguousarray(outputs["strokes"][0].transpose(1, 2, 0))
        for face in faces:
            weaken(strokes, face, into_cells(into))
        return _drawn(picture, strokes, into, look), look

    def patch(self, picture: Pixels, matrix: Affine, look: StyleLook, posed: Posed, steady: SteadyStrokes) -> Pixels:
        """A painted patch in the style that the portrait has.

        Args:
            picture: (h, w, 3).
            matrix: from pixels of the portrait to those of the patch.
            look: the portrait's.
            posed: the frame that it belongs to.
            steady: keeps the portrait's strokes from frame to frame.
        """
        into = self._into_patch(picture, matrix, look.scale)
        inputs = self._patch.inputs
        ops.to_tensor(
            picture, inverse(into).astype(np.float32), inputs["picture"][0], 1 / 127.5, -1.0, threads=self._threads
        )
        inputs["look"][...] = look.vector
        self._patch.run()
        cells = into_cells(into)
        cells = np.column_stack([cells[:, :2] @ matrix[:, :2], cells[:, :2] @ matrix[:, 2] + cells[:, 2]])
        strokes = steady(self._patch.outputs["strokes"][0], inputs["picture"][0], cells, posed).copy()
        weaken(strokes, face_outline(posed.landmarks), cells)
        return _drawn(picture, strokes, into, look)

    def close(self) -> None:
        """Give the sessions back."""
        self._whole.close()
        self._patch.close()

    def _into_patch(self, picture: Pixels, matrix: Affine, scale: float) -> Affine:
        """From the painting's pixels to the network's, whose middles coincide; as large as in the portrait."""
        share = scale / float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
        height, width = picture.shape[:2]
        x, y = ((size - 1) / 2 for size in self.patch_size)
        return np.array([[share, 0, x - share * (width - 1) / 2], [0, share, y - share * (height - 1) / 2]])


def into_cells(into: Affine) -> Affine:
    """To cells of strokes, from where `into` leads to the network's pixels."""
    cells = into / CELL
    cells[:, 2] -= (CELL - 1) / (2 * CELL)  # positions are those of middles
    return cells


def _soft(picture: Pixels, scale: float) -> Pixels:
    """The picture without what a smaller one cannot show."""
    if scale >= 0.75:
        return picture
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.4 / scale), dtype=np.uint8)


def _drawn(picture: Pixels, strokes: Floats, into: Affine, look: StyleLook) -> Pixels:
    """Colours and strokes (h, w, 3) laid on a picture (H, W, 3), where `into` leads to the network's pixels."""
    cells = into_cells(into)
    height, width = picture.shape[:2]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    drawn = cv2.warpAffine(strokes, cells, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    colours = cv2.transform(picture.astype(np.float32), look.transfer * np.array([[1 / 255] * 3 + [1]], np.float32))
    drawn *= np.float32(STROKES * _STEPS)
    colours *= np.float32(_STEPS)
    colours += np.float32(_STEPS + 0.5)
    drawn += colours
    np.clip(drawn, 0, len(_SIGMOID) - 1, out=drawn)
    answer: Pixels = _SIGMOID.take(drawn.astype(np.uint16))
    if look.strength < 1:
        return np.asarray(cv2.addWeighted(answer, look.strength, picture, 1 - look.strength, 0), dtype=np.uint8)
    return answer
