from __future__ import annotations

import numpy as np
import pytest
from tests.bench.fidelity.test_following import driver_of, face

from mien import samples
from mien.portrait.portrait import Portrait
from mien_bench.fidelity import stillness
from mien_bench.fidelity.driver_channels import SIDE, Share, Ways, rows, share_of, shares, table, ways_of
from mien_bench.fidelity.drivers import watch
from mien_bench.fidelity.stillness import READ, SHOT, StillDriver, measure, stillest_second, with_sensor_noise


def test_noise_grows_with_brightness() -> None:
    random = np.random.default_rng(0)
    for grey in (40, 160):
        noisy = with_sensor_noise(np.full((200, 200, 3), grey, np.uint8), random).astype(float)
        assert noisy.mean() == pytest.approx(grey, abs=0.2)
        assert noisy.std() == pytest.approx(np.sqrt(READ**2 + SHOT**2 * grey + 1 / 12), rel=0.03)


def test_the_stillest_second_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = np.zeros((400, 300, 3), np.uint8)
    monkeypatch.setattr(stillness, "frames_of", lambda path, numbers: dict.fromkeys(numbers, picture))
    faces = [face(roll=float(3 * np.sin(number))) for number in range(50)] + [face() for _ in range(30)]
    found = stillest_second(driver_of([*faces, *faces[:40]]))
    assert found is not None
    counted = found.numbers[found.counted]
    assert len(counted) == 25
    assert 50 <= counted[0] <= 55
    assert found.size == 400
    assert stillest_second(driver_of(faces[:30])) is None


def test_a_driver_that_does_not_move_gives_a_portrait_that_hardly_does(people: dict[str, Portrait]) -> None:
    still = StillDriver(driver_of([face()] * 8), tuple(range(8)), slice(3, None), 512)
    run = measure("teo", people["teo"], still, "warp", 1)
    assert run is not None
    assert run.given.mean == 0.0
    assert run.shown.mean < 0.1


def test_the_share_that_landmarks_see_comes_back() -> None:
    random = np.random.default_rng(0)
    flow = np.zeros((60, 8, 2))
    flow[..., 1] = random.normal(0, 3, (60, 8))
    mesh = 0.6 * flow + random.normal(0, 0.1, flow.shape)
    flow[:5] = np.nan
    slope, correlation = share_of(flow[5:, 0], mesh[5:, 0])
    assert slope == pytest.approx(0.6, abs=0.03)
    assert correlation > 0.98
    found = shares([Ways("a", flow, mesh), Ways("b", flow * 0.01, mesh * 0.01)])
    assert {one.driver for one in found} == {"a"}
    assert len(found) == 8
    assert [line[0] for line in table(found).rows][:2] == ["inner brows", "outer brows"]
    assert {row.name for row in rows(found)} == {"landmarks on flow, slope", "landmarks on flow, r"}
    assert all(isinstance(one, Share) and 40 < one.pairs <= 55 for one in found)


def test_a_real_driver_s_ways_are_measured(portrait: Portrait) -> None:
    found = ways_of(watch(samples.driver(), portrait, 1.0), limit=6)
    assert found.flow.shape == found.mesh.shape
    assert found.flow.shape[0] >= 2
    assert np.isfinite(found.mesh).all()
    assert np.nanmax(np.abs(found.flow)) < SIDE / 8
