"""Things before a face, and edits between its lips."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.draw.outlines import outline_mask
from mien.face import topology
from mien_export.data.occluders import KINDS, occlude
from mien_export.data.open_mouth import edit_inner_mouth

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_what_is_not_hidden_stays_and_what_is_hidden_changes(picture: Pixels, landmarks: Array, kind: str) -> None:
    face = outline_mask(landmarks[list(topology.OVAL), :2], (256, 256)) > 0.5
    hidden = []
    for seed in range(8):
        out, mask = occlude(picture, landmarks, np.random.default_rng(seed), kind)
        assert mask.min() >= 0
        assert mask.max() <= 1.0001
        np.testing.assert_array_equal(out[mask == 0], picture[mask == 0])
        hidden.append(mask[face].mean())
    assert 0.005 < np.mean(hidden) < 0.5


def test_occlusion_is_drawn_from_the_generator_alone(picture: Pixels, landmarks: Array) -> None:
    one, two = (occlude(picture, landmarks, np.random.default_rng(4))[0] for _ in range(2))
    np.testing.assert_array_equal(one, two)


def test_a_face_at_the_border_can_be_hidden_too(picture: Pixels, landmarks: Array) -> None:
    for kind in KINDS:
        out, mask = occlude(picture, landmarks + [150.0, 150.0, 0.0], np.random.default_rng(1), kind)
        assert out.shape == picture.shape
        assert mask.shape == picture.shape[:2]


def test_edits_stay_between_the_lips_and_are_mild(picture: Pixels, landmarks: Array) -> None:
    wide = landmarks.copy()
    wide[list(topology.INNER_LIPS[11:]), 1] += 14
    inside = outline_mask(wide[list(topology.INNER_LIPS), :2], (256, 256))
    mouth = picture.copy()
    mouth[inside > 0.5] = (40, 25, 25)
    outside = inside == 0
    shares = []
    for seed in range(12):
        out = edit_inner_mouth(mouth, wide, np.random.default_rng(seed))
        far = outside & (np.abs(out.astype(int) - mouth).max(axis=2) > 40)
        assert not far.any()
        shares.append(out[inside > 0.99].mean() / mouth[inside > 0.99].mean())
    assert 0.3 < min(shares) < max(shares) < 1.2
    assert max(shares) - min(shares) > 0.2
