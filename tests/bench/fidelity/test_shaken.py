from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mien import samples
from mien.portrait.portrait import Portrait
from mien_bench.fidelity.drivers import watch
from mien_bench.fidelity.shaken import DRIFT, FACE, ROLL, SHAKE, SHAKE_ROLL, ZOOM, camera_matrix, camera_path, main

TIMES = np.arange(150) / 25


def test_a_path_reaches_its_bounds_and_is_the_seed_s_own() -> None:
    path = camera_path(TIMES, 3)
    reach = np.linalg.norm(path.drift, axis=1).max()
    assert DRIFT - SHAKE < reach < DRIFT + 2 * SHAKE
    assert (path.zoom.min(), path.zoom.max()) == pytest.approx(ZOOM)
    assert ROLL - SHAKE_ROLL <= np.abs(path.roll).max() <= ROLL + SHAKE_ROLL
    again, other = camera_path(TIMES, 3), camera_path(TIMES, 4)
    assert np.array_equal(path.drift, again.drift)
    assert not np.allclose(path.drift, other.drift)
    with pytest.raises(ValueError, match="at least 2"):
        camera_path(TIMES[:1], 3)


def test_the_camera_is_a_similarity_that_keeps_the_face_in_view() -> None:
    path, middle, size = camera_path(TIMES, 1), np.array([300.0, 200.0]), (640, 480)
    for number in range(len(TIMES)):
        matrix = camera_matrix(middle, 160.0, size, path, number)
        scale = FACE * 480 / 160 * path.zoom[number]
        assert matrix[:, :2] @ matrix[:, :2].T == pytest.approx(scale**2 * np.eye(2))
        at = matrix[:, :2] @ middle + matrix[:, 2]
        assert (at > 0).all()
        assert (at < size).all()


def test_a_clip_filmed_by_hand_rolls_and_changes_size(tmp_path: Path, portrait: Portrait) -> None:
    target = tmp_path / "made"
    assert main([str(samples.driver()), "--output", str(target), "--seconds", "1", "--seed", "2"]) == 0
    driver = watch(target / "driver_shaken.mp4", portrait)
    assert len(driver.motions) == 25
    path = camera_path(np.arange(25) / 25, 2)
    seen = np.flatnonzero(np.isfinite(driver.channels[:, 0]))
    assert len(seen) > 20
    assert np.corrcoef(driver.channels[seen, 4], path.roll[seen])[0, 1] > 0.97
    widths = [np.ptp(one[:, 0]) for one in driver.landmarks if one is not None]
    assert max(widths) > 1.4 * min(widths)
