from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.face.motion import identity_motion
from mien.face.pose import Angles, rotation_of
from mien.portrait.portrait import Portrait
from mien.portrait.prepare import prepare
from mien.reenact.reenact import FADE, MARGIN, BankState, Reenact, choose, pose_distances, weights


def test_the_nearest_takes_over_once_it_is_nearer_by_the_margin() -> None:
    state = choose(BankState(), np.array([10.0, 10.0 - 0.9 * MARGIN]), 0.0)
    assert state.current == 0
    state = choose(state, np.array([10.0, 10.0 - 1.1 * MARGIN]), 0.1)
    assert (state.current, state.before) == (1, 0)


def test_a_pose_between_two_pictures_does_not_flicker() -> None:
    state, switches = BankState(), 0
    rng = np.random.default_rng(0)
    for i in range(200):
        wobble = rng.normal(0, 0.4 * MARGIN / 3)
        after = choose(state, np.array([10 + wobble, 10 - wobble]), i / 25)
        switches += after.current != state.current
        state = after
    assert switches == 0


def test_no_switch_begins_before_the_last_is_over() -> None:
    state = choose(BankState(), np.array([20.0, 0.0]), 1.0)
    assert choose(state, np.array([0.0, 20.0]), 1.0 + 0.5 * FADE) == state
    assert choose(state, np.array([0.0, 20.0]), 1.0 + 1.1 * FADE).current == 0


def test_weights_sum_to_one_and_cross_over_without_a_jump() -> None:
    state, shares = BankState(), []
    for i in range(100):
        now = i / 50
        state = choose(state, np.array([20.0, 0.0]) if now > 0.5 else np.array([0.0, 20.0]), now)
        parts = dict(weights(state, now))
        assert sum(parts.values()) == pytest.approx(1.0)
        assert all(0 <= share <= 1 for share in parts.values())
        shares.append(parts.get(1, 0.0))
    assert shares[0] == 0.0
    assert shares[-1] == 1.0
    assert np.abs(np.diff(shares)).max() <= 1 / (50 * FADE) + 1e-9


def test_time_that_jumps_back_ends_a_fade() -> None:
    state = choose(BankState(), np.array([20.0, 0.0]), 5.0)
    parts = weights(choose(state, np.array([20.0, 0.0]), 1.0), 1.0)
    assert sum(share for _, share in parts) == pytest.approx(1.0)


def test_distances_are_angles_of_yaw_and_pitch_without_roll(portrait: Portrait) -> None:
    own = portrait.pose.rotation
    turns = [Angles(0, 0, 0), Angles(12, 0, 0), Angles(0, -9, 0), Angles(0, 0, 40)]
    found = [pose_distances((portrait,), own @ rotation_of(turn))[0] for turn in turns]
    np.testing.assert_allclose(found, [0, 12, 9, 0], atol=1e-6)


def test_several_pictures_answer_together(pictures: dict[str, NDArray[np.uint8]]) -> None:
    several = prepare(pictures["aldo"], np.ascontiguousarray(pictures["aldo"][:, ::-1]))
    stage = Reenact(several)
    for i in range(20):
        syntheses = stage(identity_motion(), i / 25)
        assert sum(one.weight for one in syntheses) == pytest.approx(1.0)
        assert all(one.portrait.size == several[0].size for one in syntheses)


def test_none_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one portrait"):
        Reenact(())
