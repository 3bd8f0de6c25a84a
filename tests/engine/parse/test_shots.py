"""The shot detector by itself: a pure function of its state, a look and a place."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.parse.shots import KEPT, Cut, ShotState, is_suspect, step
from mien.parse.signature import Signature, moved, outside_of, signature_of, surroundings
from mien.shots import BEGINNING, ShotLog

Array = NDArray[np.float64]
FACE = np.array([0.5, 0.4, 0.2, 0.75])


def signature(scene: int, seconds: float) -> Signature:
    """A scene of blocks that has nothing in common with any other one."""
    blocks = np.random.default_rng(scene).integers(20, 236, (8, 8, 3)).astype(np.uint8)
    return signature_of(blocks.repeat(8, axis=0).repeat(8, axis=1), seconds)


def walked(
    scenes: list[int], place: Array | None = FACE, state: ShotState | None = None
) -> tuple[list[Cut], ShotState]:
    state, cuts = state or ShotState(), []
    for number, scene in enumerate(scenes):
        state, cut = step(state, signature(scene, number / 25), place)
        cuts += [cut] if cut is not None else []
    return cuts, state


def test_the_same_frames_give_the_same_cuts_however_the_clip_is_split() -> None:
    scenes = [0] * 5 + [1] * 5 + [2] * 3 + [0] * 5
    whole, _ = walked(scenes)
    assert [cut.shot for cut in whole] == [1, 2, 0]
    for at in (4, 5, 6, 12):
        state = ShotState()
        cuts: list[Cut] = []
        for number, scene in enumerate(scenes):
            if number == at:
                state = ShotState(*(getattr(state, name) for name in ShotState.__slots__))
            state, cut = step(state, signature(scene, number / 25), FACE)
            cuts += [cut] if cut is not None else []
        assert cuts == whole


def test_only_shots_of_late_are_recognised() -> None:
    scenes = [scene for scene in range(KEPT + 2) for _ in range(3)] + [0] * 3
    cuts, state = walked(scenes)
    assert [cut.shot for cut in cuts] == [*range(1, KEPT + 2), KEPT + 2]
    assert len(state.before) == KEPT


def test_what_is_remembered_stays_bounded() -> None:
    _, state = walked([number // 9 for number in range(900)])
    assert len(state.before) <= KEPT
    assert len(state.anchors) <= 10


def test_a_scene_without_a_face_is_a_shot_once_it_has_stayed() -> None:
    state = ShotState()
    for number in range(5):
        state, _ = step(state, signature(0, number / 25), FACE)
    found = None
    for number in range(5, 30):
        assert is_suspect(state, signature(1, number / 25)) == (found is None)
        state, cut = step(state, signature(1, number / 25), None)
        if cut is not None:
            found, at = cut, number
            break
    assert found is not None
    assert (found.shot, found.begin, found.late) == (1, 5 / 25, at - 5)


def test_a_face_that_jumps_in_the_same_picture_is_no_cut() -> None:
    state = ShotState()
    for number in range(6):
        state, cut = step(state, signature(0, number / 25), FACE if number < 3 else FACE + [0.3, 0, 0.1, 0])
        assert cut is None


def test_how_far_a_face_may_move_grows_with_time() -> None:
    away = FACE + np.array([0.3, 0, 0, 0])
    assert moved(FACE, away, 0.04) > 1
    assert moved(FACE, away, 0.2) < 1
    assert moved(FACE, FACE, 0.0) == 0
    assert moved(FACE, FACE * [1, 1, 1.6, 1], 0.04) > 1


def test_surroundings_are_what_no_head_hides() -> None:
    small = np.array([0.5, 0.4, 0.05, 0.75])
    around = surroundings(small, None)
    assert not around[7, 7]
    assert around[0, 0]
    assert (around <= outside_of(small)).all()
    assert not surroundings(np.array([0.5, 0.4, 0.4, 0.75])).any()


def test_shots_are_counted_and_the_latest_kept() -> None:
    log = ShotLog(kept=2)
    log.cut(7, 0.0, "before the first frame")
    for number in range(10):
        log.count(3.0 + number)
    log.cut(1, 11.0, "a cause", late=2)
    log.count(13.0)
    assert [shot.as_json() for shot in log.all] == [
        {"shot": 0, "begin": 0.0, "frames": 8, "cause": BEGINNING},
        {"shot": 1, "begin": 8.0, "frames": 3, "cause": "a cause"},
    ]
    for number in range(5):
        log.cut(number, 20.0, "more")
    assert len(log.all) == 3
