from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.face.contacts import lid_gaps
from mien.face.face import Face
from mien.face.topology import canonical_face
from mien.motion.neutral import MEMORY, Neutral, RunningNeutral, estimate, mix, sight
from mien_export.samples.composer import Performance, reshaped

Array = NDArray[np.float64]
SHAPE = canonical_face().points


def error(neutral: Neutral, wanted: Array) -> float:
    """RMS distance to `wanted` (478, 3) in the plane, in face widths, both brought to one size and place."""
    width = abs(SHAPE[454, 0] - SHAPE[234, 0])
    true = sight(wanted * 100 + [320, 240, 0]).shape
    return float(np.sqrt(((neutral.shape - true)[:468, :2] ** 2).sum(axis=1).mean()) / width)


def restless(faces: list[Face], performance: Performance) -> list[Face]:
    """The clip from where the mouth is open and the head turned."""
    busy = [abs(d.turn.yaw) > 8 and d.weights[0] > 0.2 for d in performance.deeds]
    start = busy.index(True)
    return faces[start:]


def test_a_composed_clip_gives_its_neutral(faces: list[Face]) -> None:
    neutral = estimate([sight(face.landmarks) for face in faces[::2]])
    assert error(neutral, SHAPE) < 0.004
    assert abs(neutral.angles.yaw) < 2
    assert abs(neutral.angles.pitch) < 2
    assert neutral.scale == pytest.approx(110.0, rel=0.01)


def test_it_does_not_depend_on_the_first_frame(faces: list[Face], performance: Performance) -> None:
    clip = restless(faces, performance)
    neutral = estimate([sight(face.landmarks) for face in clip[::2]])
    assert error(neutral, SHAPE) < 0.008
    assert lid_gaps(neutral.shape).mean() == pytest.approx(lid_gaps(SHAPE).mean(), rel=0.1)


def test_the_order_of_frames_does_not_matter(faces: list[Face]) -> None:
    sightings = [sight(face.landmarks) for face in faces[::4]]
    shuffled = [sightings[i] for i in np.random.default_rng(0).permutation(len(sightings))]
    np.testing.assert_allclose(estimate(shuffled).shape, estimate(sightings).shape, atol=2e-3)


def test_a_fifth_of_wild_frames_does_not_spoil_it(faces: list[Face]) -> None:
    rng = np.random.default_rng(1)
    landmarks = [face.landmarks.copy() for face in faces[::2]]
    for i in rng.choice(len(landmarks), len(landmarks) // 5, replace=False):
        landmarks[i] += rng.normal(0, 12, (478, 3)) + rng.normal(0, 60, 3)
    neutral = estimate([sight(one) for one in landmarks])
    assert error(neutral, SHAPE) < 0.008
    np.testing.assert_allclose(neutral.translation, [320, 240], atol=6)


@pytest.mark.parametrize("width", [0.9, 1.15])
def test_the_drivers_own_shape_is_found(width: float) -> None:
    own = reshaped(SHAPE, width=width, eyes=1.1)
    neutral = estimate([sight(own * 100 + [320, 240, 0])] * 6)
    assert error(neutral, own) < 1e-3


def test_one_face_is_enough_and_its_mouth_is_closed(faces: list[Face], performance: Performance) -> None:
    wide_open = max(range(len(faces)), key=lambda i: performance.deeds[i].weights[0])
    neutral = estimate([sight(faces[wide_open].landmarks)])
    assert error(neutral, SHAPE) < 0.05
    assert (neutral.lips >= 0).all()


def test_a_running_estimate_approaches_the_true_neutral(faces: list[Face], performance: Performance) -> None:
    running = RunningNeutral()
    errors = []
    for face in restless(faces, performance) + faces:
        running = running.seen(face.landmarks)
        assert running.neutral is not None
        errors.append(error(running.neutral, SHAPE))
    assert errors[-1] < 0.01
    assert errors[-1] < errors[0]
    assert len(running.sightings) <= MEMORY


def test_once_settled_it_moves_in_small_steps(faces: list[Face]) -> None:
    running = RunningNeutral()
    before: Neutral | None = None
    for i, face in enumerate(faces):
        running = running.seen(face.landmarks)
        assert running.neutral is not None
        if before is not None and i > 40:
            assert np.abs(running.neutral.shape - before.shape).max() < 0.02
        before = running.neutral


def test_rezero_takes_the_present(faces: list[Face]) -> None:
    running = RunningNeutral()
    for face in faces[:60]:
        running = running.seen(face.landmarks)
    shifted = faces[0].landmarks + [50.0, -20.0, 0.0]
    for _ in range(8):
        running = running.seen(shifted)
    again = running.rezero()
    assert again.neutral is not None
    np.testing.assert_allclose(again.neutral.translation, sight(shifted).translation, atol=1e-6)
    assert RunningNeutral().rezero().neutral is None


def test_mixing_moves_by_the_share(faces: list[Face]) -> None:
    a, b = (estimate([sight(face.landmarks)]) for face in (faces[0], faces[90]))
    half = mix(a, b, 0.5)
    np.testing.assert_allclose(half.shape, (a.shape + b.shape) / 2)
    assert half.angles.yaw == pytest.approx((a.angles.yaw + b.angles.yaw) / 2)
    np.testing.assert_allclose(mix(a, b, 0.0).lips, a.lips)
