from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.face.measures import CHANNELS
from mien_bench.agreement import agreements


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
