from __future__ import annotations

import numpy as np
import pytest

from mien.face.contacts import set_lip_gaps
from mien.face.measures import CHANNELS, channels_of, channels_over_time, proportions_of
from mien.face.pose import Angles, Similarity, rotation_of
from mien.face.topology import canonical_face

NEUTRAL = canonical_face().points
PLACE = np.array([200.0, 150.0, 0.0])


@pytest.mark.parametrize("angles", [Angles(0.0, 0.0, 0.0), Angles(20.0, -8.0, 5.0), Angles(-15.0, 12.0, -25.0)])
def test_angles_are_those_of_the_head(angles: Angles) -> None:
    measured = channels_of(Similarity(rotation_of(angles), PLACE, 90.0).apply(NEUTRAL))
    assert measured[2:] == pytest.approx([angles.yaw, angles.pitch, angles.roll], abs=1e-6)


@pytest.mark.parametrize("scale", [40.0, 300.0])
def test_mouth_opens_in_eye_distances_whatever_the_size(scale: float) -> None:
    def opening(gap: float) -> float:
        shape = set_lip_gaps(NEUTRAL, np.full(9, gap))
        return float(channels_of(Similarity(np.eye(3), PLACE, scale).apply(shape))[0])

    assert opening(0.2) - opening(0.05) == pytest.approx(0.15, abs=1e-6)


def test_proportions_know_width_but_neither_size_nor_turn() -> None:
    own = proportions_of(NEUTRAL)
    turned = Similarity(rotation_of(Angles(12.0, 5.0, 30.0)), PLACE, 77.0).apply(NEUTRAL)
    assert proportions_of(turned) == pytest.approx(own)
    longer = NEUTRAL.copy()
    longer[152, 1] += 0.1 * abs(longer[152, 1] - longer[10, 1])
    assert proportions_of(longer) / own == pytest.approx([1 / 1.1, 1.0, 1.0])


def test_a_frame_without_a_face_is_a_row_without_numbers() -> None:
    rows = channels_over_time([NEUTRAL, None])
    assert rows.shape == (2, len(CHANNELS))
    assert np.isfinite(rows[0]).all()
    assert np.isnan(rows[1]).all()
