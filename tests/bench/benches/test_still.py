from __future__ import annotations

import numpy as np
import pytest

from mien.config import WARP, ReenactSettings
from mien.portrait.portrait import Portrait
from mien_bench.benches.still import measure_jitter
from mien_bench.roundtrip.track_measures import jitter


def test_jitter_is_the_root_mean_square_about_each_landmarks_place() -> None:
    track = np.zeros((100, 478, 3))
    track[:, :, 2] = np.random.default_rng(0).normal(size=(100, 478))  # depth is not seen
    track[::2, 7, 0] = 2.0
    found = jitter(track, side=1024)
    assert found.worst == pytest.approx(0.5)
    assert found.median == 0.0
    assert found.mean == pytest.approx(0.5 / 478)
    assert found.step == pytest.approx(1.0 / 478)


def test_jitter_needs_frames() -> None:
    with pytest.raises(ValueError, match="at least 2"):
        jitter(np.zeros((1, 478, 3)), side=512)


def test_a_noisy_still_gives_a_calmer_portrait(portrait: Portrait) -> None:
    found = measure_jitter(portrait.pixels, portrait, ReenactSettings(model=WARP), seconds=2.0, noise=4.0)
    assert list(found) == ["driver", "target", "output", "floor"]
    assert found["target"].step < found["driver"].step
    assert 0 < found["target"].mean < 2.0
