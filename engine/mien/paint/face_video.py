"""Face video by segmentation: each frame's head is segmented, its map cleaned, and a picture made of the map.

A face is segmented and made in the networks' crop, which follows the head; the result is laid into a square view that
stands still as the camera did. Before that, the made picture is segmented, too: what is background there is one colour.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.face import classes
from mien.face.crop import SIDE, crop_matrix
from mien.face.face import Face, turned_pixels
from mien.face.pose import fit_pose
from mien.paint.synthesis import Synthesis
from mien.parsing.cleaning import Steady, cleaned, with_plain_background
from mien.parsing.maps import draw_parts, without_parts
from mien.parsing.segmenter import Segmenter
from mien.plane import Affine, coarser, inverse, placed
from mien_kernels import ops

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

RIM: Final = 4
"""Pixels at the border of what was made that are not shown: convolutions see nothing beyond it, and go astray."""
CROWN: Final = 56
"""Rows above a crop in which a head that it cuts is closed: a view shows them once the head goes down."""
TOP: Final = 12
"""Rows of a crop in which the sides of such a head go straight up, as in no head: it is closed from there on."""
LOOKED_AT: Final = 12
"""Rows below the cut over which it is seen how fast the head gets narrower."""
_WHITE: Final = np.full(3, 255, np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class VideoStyle:
    """What a picture gives to a video: its code, and the colour of its background."""

    code: Floats
    behind: Pixels
    """(3,)."""


class FaceVideo:
    """Callable (face, picture) -> (N, N, 3): the frame made anew; for frames in their order, by one thread."""

    def __init__(self, segmenter: Segmenter, synthesis: Synthesis, size: int, clean: bool = True) -> None:
        """The caller closes segmenter and synthesis.

        Args:
            size: N, the side of the view.
            clean: whether maps are cleaned, in space and in time; without it, to compare.
        """
        self._segmenter, self._synthesis, self._size, self._clean = segmenter, synthesis, size, clean
        self._steady, self._steady_made = Steady(), Steady()
        """Of the maps of frames, and of what was made of them."""
        self._view: Affine | None = None
        """(2, 3): from pixels of the video to those of a crop, where the view stands."""
        self._shot = 0
        self._shown = np.broadcast_to(_WHITE, (size, size, 3)).copy()
        self.style: VideoStyle | None = None
        """The style; None: that of the first face."""

    def style_of(self, pixels: Pixels, landmarks: Array) -> VideoStyle:
        """Of an upright picture (H, W, 3) and its landmarks (478, 3)."""
        crop, points = _crop(pixels, landmarks)
        labels = self._labels(crop, points)
        behind = crop[labels == classes.BACKGROUND]
        colour = behind.mean(axis=0) if len(behind) else _WHITE
        side = self._synthesis.side
        own = np.asarray(cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
        return VideoStyle(self._synthesis.code(own, self._fine(labels, points)), np.rint(colour).astype(np.uint8))

    def __call__(self, face: Face | None, pixels: Pixels) -> Pixels:
        """Without a face, the last picture; an array of its own.

        Args:
            face: in `pixels` (H, W, 3).
        """
        if face is None:
            self._begin_anew()
            return self._shown.copy()
        upright, landmarks = turned_pixels(pixels, face.turn), face.upright
        if self.style is None:
            self.style = self.style_of(upright, landmarks)
        matrix = crop_matrix(fit_pose(landmarks), SIDE)
        if self._view is None or face.shot != self._shot:
            self._view, self._shot = matrix, face.shot
            self._begin_anew()
        crop, points = _crop(upright, landmarks)
        labels = self._labels(crop, points)
        if self._clean:
            labels = self._steady(labels)
        made = self._cleaned(self._synthesis(self._fine(labels, points), self.style.code), points, self.style)
        self._shown = _laid(made, matrix, self._view, self._size)
        return self._shown.copy()

    def _begin_anew(self) -> None:
        self._steady.forget()
        self._steady_made.forget()

    def _labels(self, crop: Pixels, points: Array) -> Pixels:
        """(256, 256): without the parts of the face."""
        found = self._segmenter(crop, points)
        return without_parts(cleaned(found) if self._clean else found)

    def _fine(self, labels: Pixels, points: Array) -> Pixels:
        """Labels as the synthesis takes them, with the parts of the face drawn in."""
        side = self._synthesis.fine_side
        fine = np.asarray(cv2.resize(labels, (side, side), interpolation=cv2.INTER_NEAREST), np.uint8)
        draw_parts(fine, points, coarser(_SAME, SIDE / side))
        return fine

    def _cleaned(self, made: Pixels, points: Array, style: VideoStyle) -> Pixels:
        """(56 + 256, 256, 3): what was made, before one colour, below the closed head."""
        large = np.asarray(cv2.resize(made, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC), np.uint8)
        labels = self._labels(large, points)
        if self._clean:
            labels = self._steady_made(labels)
            large = with_plain_background(large, labels, style.behind)
        return crowned(_rimmed(large), labels != classes.BACKGROUND, style.behind)


_SAME: Final = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])


def _crop(pixels: Pixels, landmarks: Array) -> tuple[Pixels, Array]:
    """(256, 256, 3): the networks' crop, and the landmarks in it."""
    matrix = crop_matrix(fit_pose(landmarks), SIDE)
    back = inverse(matrix).astype(np.float32)
    planes = ops.to_tensor(pixels, back, scale=1.0, layout="nhwc", size=(SIDE, SIDE))
    return ops.to_image(planes, scale=1.0, layout="nhwc"), placed(landmarks, matrix)


def _rimmed(made: Pixels) -> Pixels:
    """The same with a border that goes on as what lies inside of it."""
    inside = made[RIM:-RIM, RIM:-RIM]
    return np.asarray(cv2.copyMakeBorder(inside, RIM, RIM, RIM, RIM, cv2.BORDER_REPLICATE), np.uint8)


def crowned(made: Pixels, person: NDArray[np.bool_], behind: Pixels) -> Pixels:
    """(56 + H, W, 3): a crop (H, W, 3) whose person (H, W) is closed by a part of a circle if the crop cuts its head.

    That part has the colours of the row below it; beside it all is `behind` (3,).
    """
    out = np.vstack([np.broadcast_to(behind, (CROWN, *made.shape[1:])), made])
    columns = np.flatnonzero(person[TOP])
    if not person[0].any() or not len(columns):
        return out
    rows = CROWN + TOP
    middle, half = (columns[0] + columns[-1]) / 2, (columns[-1] - columns[0] + 1) / 2
    below = _centre(half, np.count_nonzero(person[TOP + LOOKED_AT]) / 2)
    up, across = np.arange(rows, 0, -1)[:, None], np.arange(made.shape[1])[None] - middle
    inside = ((up + below) ** 2 + across**2 <= half**2 + below**2).astype(np.float32)
    share = cv2.GaussianBlur(inside, (0, 0), 1.0, borderType=cv2.BORDER_REPLICATE)
    beside = np.broadcast_to(behind, (rows, *made.shape[1:])).copy()
    out[:rows] = cv2.blendLinear(np.repeat(made[TOP : TOP + 1], rows, axis=0), beside, share, 1 - share)
    return out


def _centre(half: float, lower: float) -> float:
    """Rows from a cut of half width `half` down to the centre of a circle whose half width 12 rows below is `lower`.

    R^2 = half^2 + d^2 = lower^2 + (d - 12)^2. A head that gets no narrower ends in half a circle.
    """
    return max((lower**2 - half**2 + LOOKED_AT**2) / (2 * LOOKED_AT), 0.0)


def _laid(made: Pixels, matrix: Affine, view: Affine, size: int) -> Pixels:
    """(size, size, 3): a crop (56 + 256, 256, 3), cut by `matrix`, where it lies in the view; its border goes on."""
    whole = coarser(view, SIDE / size)
    between = np.vstack([matrix, [0, 0, 1]]) @ np.vstack([inverse(whole), [0, 0, 1]])
    between[1, 2] += CROWN
    how = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    laid = cv2.warpAffine(made, between[:2], (size, size), flags=how, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(laid, np.uint8)
