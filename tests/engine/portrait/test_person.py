from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.face.topology import canonical_face
from mien.portrait.person import one_person

EYES = 80.0
FACE = canonical_face().points * EYES + [250, 160, 0]


def _mask() -> NDArray[np.float32]:
    """A head on shoulders, with a soft edge."""
    ys, xs = np.mgrid[0:400, 0:500]
    head = 110 - np.hypot(xs - 250, ys - 180)
    body = np.minimum(ys - 280, 180 - np.abs(xs - 250))
    return np.asarray(np.clip(np.maximum(head, body) / 6 + 0.5, 0, 1), dtype=np.float32)


def test_a_person_in_one_piece_is_left_alone() -> None:
    mask = _mask()
    out = one_person(mask, FACE)
    assert np.abs(out - mask)[mask < 0.02].max() < 0.02
    np.testing.assert_array_equal(out[mask > 0.5], mask[mask > 0.5])


def test_another_person_goes() -> None:
    mask = _mask()
    mask[20:120, 10:60] = 1.0
    assert one_person(mask, FACE)[15:125, 5:65].max() < 0.02


@pytest.mark.parametrize(("half", "closes"), [(12, True), (60, False)])
def test_a_small_hole_closes_and_a_large_one_stays(half: int, closes: bool) -> None:
    mask = np.ones((400, 500), np.float32)
    mask[:20], mask[:, :20], mask[:, -20:] = 0.0, 0.0, 0.0
    mask[310 - half : 310 + half, 380 - half : 380 + half] = 0.0
    assert (one_person(mask, FACE)[310, 380] == 1.0) == closes


def test_a_hole_that_is_open_through_a_crevice_closes_too() -> None:
    mask = np.ones((400, 500), np.float32)
    mask[:20], mask[:, :20], mask[:, -20:] = 0.0, 0.0, 0.0
    mask[300:330, 380:410] = 0.0
    mask[312:318, 400:] = 0.0
    assert (one_person(mask, FACE)[306:324, 386:404] == 1.0).all()


def test_a_face_that_is_no_person_changes_nothing() -> None:
    mask = np.zeros((400, 500), np.float32)
    mask[:50, :50] = 1.0
    np.testing.assert_array_equal(one_person(mask, FACE), mask)


def test_large_pictures_keep_their_size() -> None:
    mask = _mask().repeat(3, axis=0).repeat(3, axis=1)[:-1]
    assert one_person(mask, FACE * 3).shape == mask.shape
