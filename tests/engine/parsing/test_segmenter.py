"""Label maps in the picture's own pixels, by a network that tells classes by colour."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.face.classes import CLASSES, CLOTH, HAIR, NAMES
from mien.face.crop import SIDE
from mien.face.pose import Angles, Similarity, rotation_of
from mien.face.topology import canonical_face
from mien.parsing.segmenter import Segmenter
from mien.parsing.showing import PALETTE, coloured, overlaid
from mien.runtime.session import Buffers

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]


class ByColour:
    """A session whose logits say how near a pixel's colour is to that of each class."""

    backend, precision, threads = "none", "fp32", 1

    def __init__(self) -> None:
        self.inputs: Buffers = {"picture": np.zeros((1, 3, SIDE, SIDE), np.float32)}
        self.outputs: Buffers = {"labels": np.zeros((1, len(CLASSES), SIDE // 2, SIDE // 2), np.float32)}
        self.looks = 0
        self.closed = False

    def run(self) -> None:
        self.looks += 1
        picture = self.inputs["picture"][0] * 127.5 + 127.5
        picture = picture.reshape(3, SIDE // 2, 2, SIDE // 2, 2).mean(axis=(2, 4))
        for kind, colour in enumerate(PALETTE):
            away = picture - colour.astype(np.float32)[:, None, None]
            self.outputs["labels"][0, kind] = -np.abs(away).sum(axis=0) / 10

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def session() -> ByColour:
    return ByColour()


def _face(x: float, y: float, eyes: float, roll: float = 0.0) -> Array:
    """(478, 3): landmarks of a face there, its outer eye corners so many pixels apart."""
    return Similarity(rotation_of(Angles(0, 0, roll)), np.array([x, y, 0.0]), eyes).apply(canonical_face().points)


def _quarters(width: int, height: int) -> tuple[Pixels, Pixels]:
    """Labels of four kinds in the corners, and the picture in their colours."""
    labels = np.full((height, width), HAIR, np.uint8)
    labels[height // 2 :] = CLOTH
    labels[:, width // 2 :] += np.uint8(1)
    labels[labels >= len(CLASSES)] = 0
    return labels, coloured(labels)


@pytest.mark.parametrize("roll", [0.0, 20.0, -35.0])
@pytest.mark.parametrize("size", [(200, 240), (640, 500)])
def test_labels_lie_where_the_picture_shows_them(session: ByColour, size: tuple[int, int], roll: float) -> None:
    labels, picture = _quarters(*size)
    face = _face(size[0] * 0.45, size[1] * 0.45, eyes=90.0, roll=roll)
    found = Segmenter(session)(picture, face)
    assert found.shape == labels.shape
    assert found.dtype == np.uint8
    wrong = found != labels
    near_border = np.zeros_like(wrong)
    reach = 4
    near_border[size[1] // 2 - reach : size[1] // 2 + reach] = True
    near_border[:, size[0] // 2 - reach : size[0] // 2 + reach] = True
    assert not wrong[~near_border].any()
    assert wrong[near_border].mean() < 0.4


def test_a_large_picture_is_looked_at_from_farther_away_too(session: ByColour) -> None:
    _, picture = _quarters(200, 200)
    segmenter = Segmenter(session)
    segmenter(picture, _face(100, 100, eyes=90))
    assert session.looks == 1
    _, picture = _quarters(800, 800)
    segmenter(picture, _face(300, 300, eyes=90))
    assert session.looks == 3


def test_shares_add_up_to_one_and_agree_with_the_labels(session: ByColour) -> None:
    _, picture = _quarters(300, 260)
    segmenter, face = Segmenter(session, threads=2), _face(150, 120, eyes=80)
    shares = segmenter.shares(picture, face)
    assert shares.shape == (len(CLASSES), 260, 300)
    assert np.allclose(shares.sum(axis=0), 1, atol=1e-5)
    assert shares.min() >= 0
    assert (shares.argmax(axis=0) == segmenter(picture, face)).all()


def test_a_face_at_the_edge_or_far_outside_is_no_error(session: ByColour) -> None:
    _, picture = _quarters(320, 240)
    for x, y in ((0.0, 0.0), (319.0, 239.0), (-400.0, 100.0)):
        assert Segmenter(session)(picture, _face(x, y, eyes=40)).shape == (240, 320)


def test_closing_closes_the_session(session: ByColour) -> None:
    Segmenter(session).close()
    assert session.closed


def test_colours_of_classes_differ() -> None:
    assert len({found.colour for found in CLASSES}) == len(CLASSES) == len(set(NAMES)) == 19


def test_an_overlay_keeps_the_background_and_never_overflows() -> None:
    picture = np.full((2, 19, 3), 255, np.uint8)
    labels = np.tile(np.arange(19, dtype=np.uint8), (2, 1))
    shown = overlaid(labels, picture)
    assert (shown[:, 0] == 255).all()
    half = (255 + PALETTE.astype(np.float64)) / 2
    assert np.abs(shown[0, 1:].astype(np.float64) - half[1:]).max() <= 1
