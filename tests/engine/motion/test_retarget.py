from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.config import Gains, MotionSettings, OneEuro
from mien.face.face import Face
from mien.face.motion import Motion
from mien.face.topology import canonical_face
from mien.motion.filters import EASE_OUT, HOLD
from mien.motion.retarget import Retarget
from mien.portrait.portrait import Portrait
from mien.reenact.target import target_of
from mien_export.samples.basis import INDEX
from mien_export.samples.composer import Performance, reshaped

Array = NDArray[np.float64]
Clip = Callable[[Array], list[Face]]
SHAPE = canonical_face().points
OPEN_LAW = OneEuro(min_cutoff=1e3, beta=0.0)
UNFILTERED = MotionSettings(pose=OPEN_LAW, expression=OPEN_LAW, eyes=OPEN_LAW, scale=OPEN_LAW)


def moved(faces: list[Face | None], performance: Performance, settings: MotionSettings) -> list[Motion]:
    stage = Retarget.from_samples(settings, [face for face in faces[::2] if face is not None])
    return [stage(face, deed.seconds) for face, deed in zip(faces, performance.deeds, strict=False)]


def same(a: Motion, b: Motion) -> bool:
    return a.turn == b.turn and all(
        np.array_equal(getattr(a, name), getattr(b, name))
        for name in ("translation", "scale", "expression", "lids", "gaze", "lips")
    )


def slope(found: list[float], wanted: list[float]) -> float:
    return float(np.polyfit(wanted, found, 1)[0])


def track(performance: Performance, name: str) -> list[float]:
    return [deed.weights[INDEX[name]] for deed in performance.deeds]


@pytest.mark.parametrize("settings", [MotionSettings(), UNFILTERED], ids=["filtered", "unfiltered"])
def test_composed_turns_arrive_as_composed(
    settings: MotionSettings, faces: list[Face], performance: Performance
) -> None:
    motions = moved([*faces], performance, settings)
    for axis, tolerance in (("yaw", 0.03), ("pitch", 0.05), ("roll", 0.03)):
        found = [getattr(motion.turn, axis) for motion in motions]
        wanted = [getattr(deed.turn, axis) for deed in performance.deeds]
        assert slope(found, wanted) == pytest.approx(1.0, abs=tolerance)
        assert np.corrcoef(found, wanted)[0, 1] > 0.99


@pytest.mark.parametrize("settings", [MotionSettings(), UNFILTERED], ids=["filtered", "unfiltered"])
def test_composed_blinks_and_speech_arrive_as_composed(
    settings: MotionSettings, faces: list[Face], performance: Performance, portrait: Portrait
) -> None:
    motions = moved([*faces], performance, settings)
    shut = [1 - float(motion.lids[0]) for motion in motions]
    closing = track(performance, "lid_left")
    blinks = [i for i, weight in enumerate(closing) if weight == 0.0 or weight > 0.95]
    assert np.corrcoef([shut[i] for i in blinks], [closing[i] for i in blinks])[0, 1] > 0.9
    assert slope([shut[i] for i in blinks], [closing[i] for i in blinks]) == pytest.approx(1.0, abs=0.25)
    jaw = track(performance, "jaw_open")
    gap = [float(motion.lips[4]) / 0.37 for motion in motions]
    assert np.corrcoef(gap, jaw)[0, 1] > 0.93
    assert slope(gap, jaw) == pytest.approx(1.0, abs=0.25)


def test_the_portraits_mouth_opens_as_far_as_the_drivers(
    faces: list[Face], performance: Performance, portrait: Portrait
) -> None:
    motions = moved([*faces], performance, UNFILTERED)
    lower = abs(portrait.rest[152, 1] - portrait.rest[2, 1])
    found = []
    for motion in motions:
        shape = target_of(portrait, motion).shape
        found.append(float(shape[14, 1] - shape[13, 1]) / lower)
    drivers = [float(motion.lips[4]) for motion in motions]
    np.testing.assert_allclose(found, drivers, atol=1e-9)


def test_the_first_second_of_a_performance_is_the_portrait_at_rest(
    faces: list[Face], performance: Performance, portrait: Portrait
) -> None:
    motion = moved([*faces], performance, UNFILTERED)[5]
    target = target_of(portrait, motion)
    off = np.abs(target.landmarks - portrait.landmarks)[:, :2].max()
    assert off < 0.02 * portrait.pose.scale


WIDE, NARROW = reshaped(SHAPE, width=1.1, height=0.96), reshaped(SHAPE, width=0.9, height=1.04)


def test_the_shape_of_the_drivers_face_does_not_leak(
    performed: Clip, performance: Performance, portrait: Portrait
) -> None:
    """Un-posed target shapes, in face widths, and how the head is held."""
    wide, narrow = (moved([*performed(shape)], performance, MotionSettings()) for shape in (WIDE, NARROW))
    width = abs(portrait.rest[454, 0] - portrait.rest[234, 0])
    apart = []
    for a, b in zip(wide, narrow, strict=True):
        shapes = [target_of(portrait, motion).shape for motion in (a, b)]
        apart.append(np.linalg.norm((shapes[0] - shapes[1])[:, :2], axis=1) / width)
        for axis in ("yaw", "pitch", "roll"):
            assert getattr(a.turn, axis) == pytest.approx(getattr(b.turn, axis), abs=0.1)
        assert a.scale == pytest.approx(b.scale, abs=0.005)
    assert np.max(apart) < 0.01
    assert np.sqrt(np.mean(np.square(apart))) < 0.0015


def test_target_landmarks_of_differently_shaped_drivers_lie_together(
    performed: Clip, performance: Performance, portrait: Portrait
) -> None:
    """In the picture, RMS over landmarks and time: with the way of a head in sizes of that head, which differ."""
    wide, narrow = (moved([*performed(shape)], performance, MotionSettings()) for shape in (WIDE, NARROW))
    width = np.linalg.norm(portrait.landmarks[454, :2] - portrait.landmarks[234, :2])
    apart = [
        (target_of(portrait, a).landmarks - target_of(portrait, b).landmarks)[:, :2] / width
        for a, b in zip(wide, narrow, strict=True)
    ]
    assert np.sqrt(np.mean(np.sum(np.square(apart), axis=-1))) < 0.012


@pytest.mark.parametrize("live", [False, True])
def test_a_clip_split_in_two_moves_as_the_whole(live: bool, faces: list[Face], performance: Performance) -> None:
    settings = MotionSettings()
    clip: list[Face | None] = [*faces[:60], *[None] * 30, *faces[90:130]]

    def begin() -> Retarget:
        return Retarget(settings) if live else Retarget.from_samples(settings, faces[::3])

    times = [deed.seconds for deed in performance.deeds]
    whole = begin()
    wanted = [whole(face, t) for face, t in zip(clip, times, strict=False)]
    first = begin()
    found = [first(face, t) for face, t in zip(clip[:75], times, strict=False)]
    second = Retarget(settings, first.state)
    found += [second(face, t) for face, t in zip(clip[75:], times[75:], strict=False)]
    assert all(same(a, b) for a, b in zip(found, wanted, strict=True))


def test_a_lost_face_holds_then_eases_to_rest_without_a_jump(faces: list[Face]) -> None:
    stage = Retarget.from_samples(MotionSettings(), faces[::3])
    times = np.arange(160) / 25
    motions = [stage(faces[80] if t < 2 or t > 5 else None, float(t)) for t in times]
    held = motions[int(2.3 * 25)]
    assert held.turn == motions[49].turn
    gone = motions[int((2 + HOLD + EASE_OUT) * 25) + 2]
    assert gone.turn.yaw == pytest.approx(0.0, abs=1e-9)
    np.testing.assert_allclose(gone.expression, 0.0, atol=1e-12)
    np.testing.assert_allclose(gone.lids, 1.0)
    yaws = [motion.turn.yaw for motion in motions]
    assert np.abs(np.diff(yaws)).max() < 0.3 * max(map(abs, yaws)) + 0.5
    assert yaws[-1] == pytest.approx(yaws[49], abs=0.5)


def test_before_any_face_the_portrait_rests() -> None:
    motion = Retarget(MotionSettings())(None, 0.0)
    np.testing.assert_array_equal(motion.expression, 0.0)
    assert motion.hint is None


def test_rezero_takes_the_present_pose_as_neutral(faces: list[Face], performance: Performance) -> None:
    stage = Retarget(MotionSettings())
    turned = max(range(150), key=lambda i: abs(performance.deeds[i].turn.yaw))
    for i in range(turned):
        stage(faces[i], i / 25)
    for i in range(40):
        before = stage(faces[turned], (turned + i) / 25)
    stage.rezero()
    for i in range(60):
        after = stage(faces[turned], (turned + 40 + i) / 25)
    assert abs(before.turn.yaw) > 5
    assert abs(after.turn.yaw) < 0.5


def test_rezero_leaves_a_files_neutral_alone(faces: list[Face]) -> None:
    stage = Retarget.from_samples(MotionSettings(), faces[::3])
    state = stage.state
    stage.rezero()
    assert stage.state is state


def test_gates_of_zero_keep_the_portrait_still(faces: list[Face], portrait: Portrait) -> None:
    shut = MotionSettings(gains=Gains(**dict.fromkeys(Gains.__slots__, 0.0)))
    stage = Retarget.from_samples(shut, faces[::3])
    for i in range(0, 150, 10):
        landmarks = target_of(portrait, stage(faces[i], i / 25)).landmarks
        np.testing.assert_allclose(landmarks, portrait.landmarks, atol=1e-6)


def test_absolute_motion_carries_the_landmarks_as_fractions_of_the_frame(faces: list[Face]) -> None:
    stage = Retarget.from_samples(MotionSettings(mode="absolute"), faces[::3])
    motion = stage(faces[70], 0.0)
    assert motion.landmarks is not None
    np.testing.assert_allclose(motion.landmarks * [640, 480, 640], faces[70].landmarks)


def test_a_single_frame_is_the_portrait_at_rest(faces: list[Face], portrait: Portrait) -> None:
    """The neutral is then that frame, so nothing moves but an open mouth."""
    motion = Retarget.from_samples(MotionSettings(), [faces[70]])(faces[70], 0.0)
    assert motion.turn.yaw == pytest.approx(0.0, abs=1e-6)
    np.testing.assert_allclose(motion.translation, 0.0, atol=1e-6)
