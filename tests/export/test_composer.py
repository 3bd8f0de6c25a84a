"""The composer is ground truth elsewhere, so its own promises are held here."""

from __future__ import annotations

import numpy as np
import pytest

from mien.face import topology
from mien.face.pose import angles_of, fit_pose
from mien.face.topology import canonical_face
from mien_export.samples.basis import EXPRESSIONS, INDEX, expression_basis
from mien_export.samples.composer import Deed, Performer, compose, performer, reshaped

CENTRE, SIZE = (320.0, 200.0), 110.0


@pytest.fixture(scope="module")
def face() -> Performer:
    return performer(canonical_face().points)


def _alone(name: str, weight: float = 1.0) -> Deed:
    neutral = compose(0.2).deeds[0]
    weights = [0.0] * len(EXPRESSIONS)
    weights[INDEX[name]] = weight
    return Deed(0.0, neutral.turn, (0.0, 0.0), 1.0, tuple(weights))


def test_the_same_seed_gives_the_same_performance_and_another_seed_another() -> None:
    assert compose(3.0, seed=4) == compose(3.0, seed=4)
    assert compose(3.0, seed=4) != compose(3.0, seed=5)


def test_a_performance_begins_neutral_and_covers_the_promised_ranges() -> None:
    deeds = compose(8.0, seed=2).deeds
    assert len(deeds) == 200
    assert max(abs(w) for w in deeds[0].weights) < 0.02
    turns = np.array([(d.turn.yaw, d.turn.pitch, d.turn.roll) for d in deeds])
    for values, reach in zip(turns.T, (19, 8, 6), strict=True):
        assert max(values) > reach * 0.9
        assert min(values) < -reach * 0.9
    assert max(d.weights[INDEX["lid_left"]] for d in deeds) > 0.95
    assert max(d.weights[INDEX["jaw_open"]] for d in deeds) > 0.4


def test_motion_is_continuous_but_for_blinks_and_saccades() -> None:
    weights = np.array([d.weights for d in compose(8.0, seed=2).deeds])
    slow = [k for name, k in INDEX.items() if not name.startswith(("lid", "gaze"))]
    assert np.abs(np.diff(weights[:, slow], axis=0)).max() < 0.45


def test_lids_close_and_lips_part(face: Performer) -> None:
    closed = face.shape(_alone("lid_left"))
    upper, lower = list(topology.LEFT_EYE[1:8]), list(topology.LEFT_EYE[:8:-1])
    assert np.abs(closed[upper] - closed[lower]).max() < 1e-9
    opened = face.shape(_alone("jaw_open"))
    assert opened[14, 1] - opened[13, 1] > 0.15
    assert np.abs(opened[list(topology.LEFT_EYE)] - face.neutral[list(topology.LEFT_EYE)]).max() < 1e-9


def test_expressions_are_mirror_images_of_themselves_or_of_each_other() -> None:
    canonical = canonical_face()
    basis = expression_basis(canonical.points)
    mirrored = basis[:, canonical.mirror] * [-1, 1, 1]
    partner = list(range(len(EXPRESSIONS)))
    partner[INDEX["lid_left"]], partner[INDEX["lid_right"]] = INDEX["lid_right"], INDEX["lid_left"]
    mirrored[INDEX["gaze_x"]] *= -1
    np.testing.assert_allclose(mirrored[partner], basis, atol=2e-2)


def test_landmarks_have_the_pose_that_was_composed(face: Performer) -> None:
    for deed in compose(8.0, seed=3).deeds[::20]:
        pose = fit_pose(face.landmarks(deed, CENTRE, SIZE), face.neutral)
        found = angles_of(pose.rotation)
        np.testing.assert_allclose(
            [found.yaw, found.pitch, found.roll], [deed.turn.yaw, deed.turn.pitch, deed.turn.roll], atol=1.5
        )


def test_other_faces_do_the_same_in_their_own_sizes(face: Performer) -> None:
    wide = performer(reshaped(face.neutral, width=1.25, height=0.9, eyes=1.2, mouth=0.85))
    deed = _alone("jaw_open", 0.7)
    for one in (face, wide):
        moved = one.shape(deed) - one.neutral
        lower_face = abs(one.neutral[152, 1] - one.neutral[2, 1])
        assert moved[14, 1] / lower_face == pytest.approx(0.7 * 0.37, rel=0.02)
