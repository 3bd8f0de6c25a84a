from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.face.motion import Motion, identity_motion
from mien.face.pose import Angles
from mien.portrait.portrait import Portrait
from mien.reenact.mesh import SKIN, mesh_of
from mien.reenact.reenact import Reenact
from mien.reenact.swing import DAMPING, GAP, MOST, PERIOD, Swing, spring_step

Array = NDArray[np.float64]
STILL = identity_motion()
OVERSHOOT = math.exp(-math.pi * DAMPING / math.sqrt(1 - DAMPING**2))
"""Of a spring of second order after a step, as a share of the step."""


def run(place: Callable[[float], float], times: Array) -> Array:
    """(n,): where a spring is that is pulled to `place` at `times`."""
    state, out = None, []
    for seconds in times.tolist():
        state = spring_step(state, np.array([place(seconds)]), seconds)
        out.append(float((state.place + state.behind)[0]))
    return np.array(out)


def test_a_spring_settles_and_overshoots_no_more_than_its_damping_allows() -> None:
    times = np.arange(0, 6, 1 / 30)
    where = run(lambda seconds: float(seconds > 1), times)
    assert (where[times <= 1] == 0).all()
    assert where[np.searchsorted(times, 1.1)] < 0.8, "late"
    assert 1 < where.max() < 1 + OVERSHOOT + 0.01
    assert np.abs(where[times > 1 + 4 * PERIOD] - 1).max() < 0.01


def test_a_spring_stays_behind_what_moves_evenly_by_the_same_time() -> None:
    times = np.arange(0, 3, 1 / 25)
    where = run(lambda seconds: 2 * seconds, times)
    late = (2 * times - where)[-10:] / 2
    np.testing.assert_allclose(late, DAMPING * PERIOD / math.pi, rtol=0.01)


def test_times_of_frames_change_nothing_where_the_pose_moves_evenly() -> None:
    def place(seconds: float) -> float:
        return min(max(seconds - 0.5, 0.0), 0.5)

    rng = np.random.default_rng(5)
    own = np.array([0.0, 0.5, 1.0, 1.2, 1.6])
    many = np.unique(np.concatenate([own, rng.uniform(0, 1.6, 60)]))
    few = np.sort(np.concatenate([own, [0.3, 0.8]]))
    dense, sparse = run(place, many), run(place, few)
    np.testing.assert_allclose(dense[np.searchsorted(many, own)], sparse[np.searchsorted(few, own)], atol=1e-9)


@pytest.mark.parametrize("step", [GAP, 7.0, -0.1])
def test_after_a_gap_and_where_time_goes_back_a_spring_is_at_rest(step: float) -> None:
    state = spring_step(spring_step(None, np.zeros(1), 1.0), np.ones(1), 1.1)
    assert state.behind[0] < 0
    again = spring_step(state, np.full(1, 5.0), 1.1 + step)
    assert again.behind[0] == 0
    assert again.speed[0] == 0


def test_the_same_time_twice_leaves_a_spring_as_it_was() -> None:
    state = spring_step(spring_step(None, np.zeros(1), 1.0), np.ones(1), 1.1)
    again = spring_step(state, np.ones(1), 1.1)
    assert again.behind[0] == state.behind[0]
    assert again.speed[0] == state.speed[0]


def placed(stage: Reenact, motion: Motion | None, seconds: float) -> Array:
    return stage(motion, seconds)[0].vertices[:, :2].astype(np.float64)


def moved(way: float, shot: int = 0) -> Motion:
    return replace(STILL, translation=np.array([way, 0.0]), shot=shot)


def test_long_hair_follows_late_and_comes_to_rest_where_it_belongs(portraits: dict[str, Portrait]) -> None:
    portrait = portraits["mira"]
    stage, unit = Reenact((portrait,)), portrait.pose.scale
    placed(stage, moved(0), 0.0)
    first = placed(stage, moved(0.4), 0.04)
    still = placed(Reenact((portrait,)), moved(0.4), 0.0)
    late = (still - first)[:, 0] / unit
    assert 0.05 < late.max() <= MOST
    assert np.abs(late[:SKIN]).max() == 0, "the face is where it was"
    assert (portrait.landmarks[152, 1] - 0.5 * unit < still[late > 0.02, 1]).all(), "hair below the jaw"
    for i in range(2, 80):
        last = placed(stage, moved(0.4), 0.04 * i)
    np.testing.assert_allclose(last, still, atol=0.01 * unit)


def test_hair_never_goes_farther_than_its_bound_and_nothing_folds(portraits: dict[str, Portrait]) -> None:
    portrait = portraits["mira"]
    mesh, stage, unit = mesh_of(portrait), Reenact((portrait,)), portrait.pose.scale
    assert mesh.shown is not None
    rings = mesh.shown[(mesh.shown >= SKIN).all(axis=1)]
    for i in range(40):
        side = 1 if i // 6 % 2 else -1
        motion = replace(moved(0.9 * side), turn=Angles(10.0 * side, 0.0, 20.0 * side))
        points = placed(stage, motion, i / 25)
        still = placed(Reenact((portrait,)), motion, 0.0)
        a, b, c = (points[rings[:, corner]] for corner in range(3))
        areas = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
        assert (areas > 0).mean() > 0.97
        assert np.linalg.norm(points - still, axis=1).max() < 1.1 * MOST * unit, "kept apart from each other, too"


def test_a_cut_and_the_first_face_begin_at_rest(portraits: dict[str, Portrait]) -> None:
    portrait = portraits["mira"]
    still = placed(Reenact((portrait,)), moved(0.4), 0.0)
    for before in (moved(0), None):
        stage = Reenact((portrait,))
        placed(stage, before, 0.0)
        np.testing.assert_array_equal(placed(stage, moved(0.4, shot=1 if before else 0), 0.04), still)


def test_short_hair_does_not_swing(portraits: dict[str, Portrait]) -> None:
    for name in ("aldo", "teo"):
        portrait = portraits[name]
        layers, mesh = portrait.layers, mesh_of(portrait)
        assert layers is not None
        assert Swing.of(portrait, layers, mesh.rings, mesh.follow) is None
        stage = Reenact((portrait,))
        placed(stage, moved(0), 0.0)
        np.testing.assert_array_equal(placed(stage, moved(0.4), 0.04), placed(Reenact((portrait,)), moved(0.4), 0.0))
