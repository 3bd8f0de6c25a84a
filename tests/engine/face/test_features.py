from __future__ import annotations

import numpy as np
import pytest

from mien.face.measures import REGIONS, landmark_sizes, region_sizes, region_weights
from mien.face.topology import canonical_face
from mien_export.samples.basis import INDEX, expression_basis
from mien_export.samples.composer import reshaped

SHAPE = canonical_face().points


def test_every_landmark_belongs_wholly_to_the_regions() -> None:
    weights = region_weights()
    assert weights.shape == (478, len(REGIONS))
    np.testing.assert_allclose(weights.sum(axis=1), 1.0, atol=1e-12)
    assert (weights >= 0).all()
    assert not weights.flags.writeable


@pytest.mark.parametrize(
    ("landmark", "region"), [(13, "lips"), (152, "lips"), (159, "eyes"), (473, "eyes"), (105, "brows"), (4, "face")]
)
def test_landmarks_lie_in_the_region_that_one_would_name(landmark: int, region: str) -> None:
    assert region_weights()[landmark, REGIONS.index(region)] > 0.9


def test_regions_are_symmetric() -> None:
    weights = region_weights()
    np.testing.assert_allclose(weights[canonical_face().mirror], weights, atol=0.02)


def test_the_canonical_face_has_sizes_of_one() -> None:
    np.testing.assert_allclose(landmark_sizes(SHAPE), 1.0, atol=1e-12)


def test_a_face_twice_as_large_has_twice_the_sizes() -> None:
    np.testing.assert_allclose(landmark_sizes(SHAPE * 2), 2.0, atol=1e-12)
    np.testing.assert_allclose(region_sizes(SHAPE * 2), 2 * region_sizes(SHAPE))


def test_a_jaw_that_falls_as_far_on_a_long_face_is_the_same_deed() -> None:
    long = reshaped(SHAPE, height=1.2)
    jaw = [expression_basis(shape)[INDEX["jaw_open"]] / landmark_sizes(shape) for shape in (SHAPE, long)]
    lips = region_weights()[:, REGIONS.index("lips")] > 0.99
    np.testing.assert_allclose(jaw[0][lips, :2], jaw[1][lips, :2], atol=2e-3)


def test_a_collapsed_face_has_no_size_of_zero() -> None:
    assert (landmark_sizes(np.zeros((478, 3))) > 0).all()
