from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.face.measures import CHANNELS
from mien.face.motion import identity_motion
from mien.face.pose import Angles
from mien.face.topology import canonical_face
from mien_bench.roundtrip.track_measures import agreements, calm_frames, leaks, unrest


def _still(count: int = 100) -> NDArray[np.float64]:
    return np.zeros((count, len(CHANNELS)))


def test_only_what_moves_in_the_driver_counts() -> None:
    driver, answer = _still(), np.random.default_rng(0).normal(size=(100, len(CHANNELS)))
    driver[:, CHANNELS.index("yaw")] = np.linspace(-2.0, 2.0, 100)
    assert agreements(driver, answer) == {}


def test_correlation_and_slope_of_a_channel_that_is_followed() -> None:
    yaw = CHANNELS.index("yaw")
    driver, answer = _still(), _still()
    driver[:, yaw] = 20 * np.sin(np.arange(100) / 9)
    answer[:, yaw] = 3 + 0.8 * driver[:, yaw]
    found = agreements(driver, answer)["yaw"]
    assert (found.correlation, found.slope) == pytest.approx((1.0, 0.8))
    assert found.range == pytest.approx(40, rel=0.05)


def test_frames_without_a_face_on_either_side_are_left_out() -> None:
    mouth = CHANNELS.index("mouth")
    driver, answer = _still(), _still()
    driver[:, mouth] = np.linspace(0, 0.5, 100)
    answer[:, mouth] = driver[:, mouth]
    driver[3], answer[50] = np.nan, np.nan
    assert agreements(driver, answer)["mouth"].correlation == pytest.approx(1.0)


def test_an_answer_that_does_not_move_has_no_correlation() -> None:
    driver, answer = _still(), _still()
    driver[:, 0] = np.linspace(0, 0.5, 100)
    assert agreements(driver, answer)["mouth"].correlation == 0.0


def test_too_few_frames_say_nothing() -> None:
    driver = np.random.default_rng(0).normal(size=(5, len(CHANNELS))) * 50
    assert agreements(driver, driver) == {}


OWN = canonical_face().points * 100


def test_neutral_has_no_unrest_and_every_deed_adds_some() -> None:
    still = identity_motion()
    deeds = [
        replace(still, turn=Angles(10.0, 0.0, 0.0)),
        replace(still, lips=np.full(9, 0.2)),
        replace(still, lids=np.array([1.0, 0.2])),
        replace(still, expression=np.full((478, 3), 0.05)),
    ]
    assert unrest(still) == 0.0
    assert all(unrest(deed) > 0.5 for deed in deeds)
    assert unrest(None) == float("inf")


def test_calm_frames_are_the_calmest_that_are_calm_at_all() -> None:
    turned = replace(identity_motion(), turn=Angles(40.0, 0.0, 0.0))
    motions = [turned] * 20 + [identity_motion()] * 3 + [None] * 20
    assert calm_frames(motions) == [20, 21, 22]


def test_a_wider_face_shows_as_leak() -> None:
    wider = OWN * [1.05, 1.0, 1.0]
    found = leaks([OWN, wider, None], OWN, [1, 2])
    assert found["width_to_height"].median == pytest.approx(0.05, abs=0.005)
    assert leaks([OWN], OWN, [0])["nose_width"].worst == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(("own", "frames"), [(None, [0]), (OWN, []), (OWN, [7])])
def test_without_a_face_to_compare_there_is_no_leak(own: NDArray[np.float64] | None, frames: list[int]) -> None:
    assert leaks([OWN], own, frames) == {}
