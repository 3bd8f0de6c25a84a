"""Frames of a face video are segmented, made anew by a stand-in that paints their maps, and laid where the head is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.face import classes
from mien.face.crop import crop_matrix
from mien.face.face import Face
from mien.face.pose import fit_pose
from mien.paint.face_video import CROWN, TOP, FaceVideo, crowned
from mien.paint.synthesis import Synthesis
from mien.parsing.opening import open_segmenter
from mien.parsing.segmenter import Segmenter
from mien.parsing.showing import PALETTE
from mien.plane import placed
from mien.portrait.portrait import Portrait

Pixels = NDArray[np.uint8]
SIZE = 128


class Painted:
    """In place of networks: a picture is its map in the classes' colours."""

    side, fine_side = 128, 256

    def __init__(self) -> None:
        self.codes: list[Pixels] = []

    def code(self, crop: Pixels, labels: Pixels) -> NDArray[np.float32]:
        assert crop.shape == (128, 128, 3)
        assert labels.shape == (256, 256)
        self.codes.append(crop)
        return np.zeros((1, 4), np.float32)

    def __call__(self, labels: Pixels, code: NDArray[np.float32]) -> Pixels:
        return np.asarray(PALETTE[labels[::2, ::2]])


@pytest.fixture(scope="module")
def segmenter() -> Iterator[Segmenter]:
    with open_segmenter(1) as (opened, _):
        yield opened


def face_of(portrait: Portrait, shot: int = 0) -> Face:
    return Face(portrait.landmarks, portrait.size, shot=shot)


def test_a_head_is_made_where_it_is_before_one_colour(portrait: Portrait, segmenter: Segmenter) -> None:
    painted = Painted()
    video = FaceVideo(segmenter, cast(Synthesis, painted), SIZE)
    made = video(face_of(portrait), portrait.pixels)
    assert made.shape == (SIZE, SIZE, 3)
    assert len(painted.codes) == 1
    assert video.style is not None
    assert (made[:6, :6] == video.style.behind).all()
    points = placed(portrait.landmarks, crop_matrix(fit_pose(portrait.landmarks), SIZE))
    x, y = np.rint(points[4, :2]).astype(int)
    assert np.abs(made[y, x].astype(int) - PALETTE[classes.NOSE]).max() < 12
    x, y = np.rint(points[152, :2] + [0, 8]).astype(int)
    assert np.abs(made[y, x].astype(int) - PALETTE[classes.NECK]).max() < 12


def test_a_frame_without_a_face_shows_the_last_picture(portrait: Portrait, segmenter: Segmenter) -> None:
    video = FaceVideo(segmenter, cast(Synthesis, Painted()), SIZE)
    assert (video(None, portrait.pixels) == 255).all()
    made = video(face_of(portrait), portrait.pixels)
    np.testing.assert_array_equal(video(None, portrait.pixels), made)


def test_the_view_stands_still_until_a_cut(portrait: Portrait, segmenter: Segmenter) -> None:
    moved = np.roll(portrait.pixels, 24, axis=1)
    other = Face(portrait.landmarks + [24, 0, 0], portrait.size)
    video = FaceVideo(segmenter, cast(Synthesis, Painted()), SIZE)
    first = video(face_of(portrait), portrait.pixels)
    second = video(other, moved)
    scale = float(np.sqrt(abs(np.linalg.det(crop_matrix(fit_pose(portrait.landmarks), SIZE)[:, :2]))))
    apart = _middle(second) - _middle(first)
    assert abs(apart - 24 * scale) < 1.5
    cut = video(Face(other.landmarks, other.size, shot=1), moved)
    assert abs(_middle(cut) - _middle(first)) < 1.5


@pytest.mark.parametrize("cut", [4, 40])
def test_a_head_that_the_crop_cuts_is_closed_above_it(cut: int) -> None:
    behind = np.array([200, 180, 40], np.uint8)
    rows, columns = np.mgrid[: CROWN + 64, :128]
    whole = (rows - CROWN - 60 + cut) ** 2 + (columns - 64) ** 2 <= 60**2
    made = np.where(whole[CROWN:, :, None], np.uint8(10), behind)
    straight = made.copy()
    straight[:TOP] = made[TOP]
    closed = crowned(straight, (straight == 10).all(axis=2), behind)
    np.testing.assert_array_equal(closed[CROWN + TOP :], made[TOP:])
    wrong = np.abs((closed[..., 2] < 25) ^ whole)
    assert wrong.sum() < 0.02 * whole.sum()


def test_above_a_head_that_is_whole_all_is_background() -> None:
    behind = np.array([200, 180, 40], np.uint8)
    closed = crowned(np.full((64, 96, 3), 10, np.uint8), np.zeros((64, 96), bool), behind)
    assert (closed[:CROWN] == behind).all()


def _middle(made: Pixels) -> float:
    """The nose's mean column."""
    nose = np.abs(made.astype(int) - PALETTE[classes.NOSE]).max(axis=2) < 12
    return float(np.nonzero(nose)[1].mean())
