"""Motion across the driver's shots: a neutral for each, and nothing filtered from one into the next."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.config import MotionSettings
from mien.face.face import Face, turned_points, turned_size
from mien.face.motion import Motion
from mien.motion.filters import EASE_IN
from mien.motion.retarget import KEPT, Retarget, framing_of

Array = NDArray[np.float64]
SETTINGS = MotionSettings()


def framed(face: Face, shot: int, zoom: float, shift: tuple[float, float]) -> Face:
    """The face as another camera sees it."""
    return replace(face, landmarks=face.landmarks * zoom + [*shift, 0.0], shot=shot)


def follow(stage: Retarget, faces: list[Face | None], begin: int = 0) -> list[Motion]:
    return [stage(face, (begin + number) / 25) for number, face in enumerate(faces)]


def assert_same(a: Motion, b: Motion) -> None:
    assert (a.turn.yaw, a.turn.pitch, a.turn.roll) == pytest.approx((b.turn.yaw, b.turn.pitch, b.turn.roll), abs=1e-6)
    for name in ("translation", "scale", "expression", "lids", "gaze", "lips"):
        np.testing.assert_allclose(getattr(a, name), getattr(b, name), atol=1e-9)


def test_a_known_shot_moves_as_if_it_were_the_whole_clip(faces: list[Face]) -> None:
    near = [framed(face, 1, 2.0, (-400.0, -250.0)) for face in faces[60:120]]
    framings = {0: framing_of(faces[:60]), 1: framing_of(near)}
    whole = Retarget(SETTINGS, framings={shot: framing for shot, framing in framings.items() if framing is not None})
    found = follow(whole, [*faces[:60], *near])
    alone = follow(Retarget.from_samples(SETTINGS, faces[60:120]), [*faces[60:120]], 60)
    for motion, expected in zip(found[60:], alone, strict=True):
        assert motion.shot == 1
        assert_same(motion, expected)


def test_the_neutral_of_both_shots_would_throw_the_portrait_about(faces: list[Face]) -> None:
    """What is mended: one neutral for two framings."""
    near = [framed(face, 0, 2.0, (-400.0, -250.0)) for face in faces[60:120]]
    motions = follow(Retarget.from_samples(SETTINGS, [*faces[:60], *near]), [*faces[:60], *near])
    assert max(abs(np.log(motion.scale)) for motion in motions) > 0.25


def test_an_unknown_shot_is_entered_gently_and_its_lips_at_once(faces: list[Face]) -> None:
    stage = Retarget(SETTINGS)
    yaws = [abs(motion.turn.yaw) for motion in follow(Retarget(SETTINGS), [*faces[:120]])]
    turned = max(range(20, 120), key=lambda number: yaws[number])
    before = follow(stage, [*faces[: turned + 1]])
    after = follow(stage, [framed(face, 1, 0.5, (30.0, 60.0)) for face in faces[turned : turned + 40]], turned + 1)
    assert abs(before[-1].turn.yaw) > 4
    assert after[0].turn.yaw == pytest.approx(before[-1].turn.yaw, abs=1e-6)
    np.testing.assert_allclose(after[0].translation, before[-1].translation, atol=1e-9)
    ways = np.array([[*m.translation, np.log(m.scale), np.radians(m.turn.yaw)] for m in (before[-1], *after)])
    assert np.abs(np.diff(ways, axis=0)).max() < 0.1, "nothing jumps"
    assert np.abs(ways[int(EASE_IN * 25) + 1 :, 2]).max() < 0.1, "the portrait keeps its size"
    fresh = follow(Retarget(SETTINGS), [framed(face, 1, 0.5, (30.0, 60.0)) for face in faces[turned : turned + 1]])
    np.testing.assert_allclose(after[0].lips, fresh[0].lips)
    np.testing.assert_allclose(after[0].expression, fresh[0].expression)


def test_a_shot_that_comes_back_has_its_neutral_again(faces: list[Face]) -> None:
    stage = Retarget(SETTINGS)
    follow(stage, [*faces[:60]])
    neutral = stage.state.neutral
    follow(stage, [framed(face, 1, 1.7, (0.0, 0.0)) for face in faces[60:90]], 60)
    other = stage.state.neutral
    follow(stage, [faces[90]], 90)
    again = stage.state.neutral
    assert neutral is not None
    assert other is not None
    assert again is not None
    assert other.scale == pytest.approx(1.7 * neutral.scale, rel=0.1)
    assert again.scale == pytest.approx(neutral.scale, rel=0.02)


def test_what_is_remembered_of_shots_stays_bounded(faces: list[Face]) -> None:
    stage = Retarget(SETTINGS)
    for number in range(30):
        stage(replace(faces[number], shot=number), number / 25)
    assert len(stage.state.earlier) == KEPT


def test_a_clip_of_two_shots_split_anywhere_moves_as_the_whole(faces: list[Face]) -> None:
    clip: list[Face | None] = [*faces[:20], None, *(framed(face, 1, 1.5, (9.0, 9.0)) for face in faces[20:40])]
    expected = follow(Retarget(SETTINGS), clip)
    for at in (10, 20, 21, 24):
        first = Retarget(SETTINGS)
        found = follow(first, clip[:at])
        found += follow(Retarget(SETTINGS, first.state), clip[at:], at)
        for a, b in zip(found, expected, strict=True):
            assert_same(a, b)


def test_another_resolution_moves_as_before(faces: list[Face]) -> None:
    smaller = [replace(face, landmarks=face.landmarks / 2, size=(320, 240)) for face in faces[40:80]]
    found = follow(Retarget(SETTINGS), [*faces[:40], *smaller])
    for a, b in zip(found, follow(Retarget(SETTINGS), [*faces[:80]]), strict=True):
        assert_same(a, b)


@pytest.mark.parametrize("turn", [1, 2, 3])
@pytest.mark.parametrize("live", [False, True])
def test_a_turned_driver_moves_the_portrait_as_an_upright_one(turn: int, live: bool, faces: list[Face]) -> None:
    def turned(face: Face) -> Face:
        size = turned_size(face.size, turn)
        return Face(turned_points(face.landmarks, face.size, turn), size, turn=-turn % 4)

    def begin(seen: list[Face]) -> Retarget:
        return Retarget(SETTINGS) if live else Retarget.from_samples(SETTINGS, seen[::3])

    lying = [turned(face) for face in faces[:60]]
    found, expected = follow(begin(lying), [*lying]), follow(begin(faces[:60]), [*faces[:60]])
    for a, b in zip(found, expected, strict=True):
        assert_same(a, b)
