from __future__ import annotations

import numpy as np
import pytest

from mien.face.crop import SIDE
from mien.portrait.portrait import Portrait
from mien_bench.quality import picture_measures
from mien_bench.quality.picture_measures import detail, fine_energy

WHOLE = np.ones((1, SIDE, SIDE), np.float32)


@pytest.fixture(scope="module")
def truth(people: dict[str, Portrait]) -> picture_measures.Pixels:
    return people["mira"].pixels


def softened(pixels: picture_measures.Pixels, sigma: float) -> picture_measures.Pixels:
    channels = [picture_measures.blurred(pixels[..., i].astype(np.float32), sigma) for i in range(3)]
    return np.asarray(np.rint(np.stack(channels, axis=-1)), dtype=np.uint8)


def test_the_truth_itself_is_without_fault(truth: picture_measures.Pixels) -> None:
    assert not picture_measures.difference(truth, truth).any()
    assert picture_measures.structure(truth, truth) == pytest.approx(1.0, abs=1e-4)
    assert picture_measures.gradient_similarity(truth, truth) == pytest.approx(1.0, abs=1e-5)


def test_a_brighter_picture_keeps_its_gradients(truth: picture_measures.Pixels) -> None:
    dim = np.asarray(np.minimum(truth, 235), dtype=np.uint8)
    brighter = dim + np.uint8(20)
    assert picture_measures.difference(brighter, dim) == pytest.approx(20.0)
    assert picture_measures.squared_difference(brighter, dim) == pytest.approx(400.0)
    assert picture_measures.gradient_similarity(brighter, dim) == pytest.approx(1.0, abs=1e-3)
    assert picture_measures.structure(brighter, dim).mean() < 0.999


def test_the_more_it_is_softened_the_worse_it_is(truth: picture_measures.Pixels) -> None:
    soft, softer = softened(truth, 1.0), softened(truth, 3.0)
    for map_of in (picture_measures.structure, picture_measures.gradient_similarity):
        assert map_of(softer, truth).mean() < map_of(soft, truth).mean() < 0.999


def test_structure_is_lost_only_where_it_is_changed(truth: picture_measures.Pixels) -> None:
    changed = truth.copy()
    changed[160:200, 60:100] = changed[160:200, 60:100][::-1, ::-1]
    lost = 1 - picture_measures.structure(changed, truth)
    assert lost[168:192, 68:92].mean() > 0.05
    assert lost[:100].max() < 1e-4


def test_softening_takes_detail_and_noise_adds_some(truth: picture_measures.Pixels) -> None:
    noise = np.random.default_rng(1).normal(0, 6, truth.shape)
    noisy = np.asarray(np.clip(truth + noise, 0, 255), dtype=np.uint8)
    assert detail(truth, truth, WHOLE) == pytest.approx(0.0)
    assert detail(softened(truth, 1.5), truth, WHOLE) < -1
    assert detail(noisy, truth, WHOLE) > 0.5


def test_fine_energy_is_that_of_the_fine(truth: picture_measures.Pixels) -> None:
    ys, xs = np.mgrid[0:64, 0:64]
    fine = np.repeat((128 + 40 * (-1.0) ** (xs + ys))[..., None], 3, axis=2).astype(np.uint8)
    coarse = np.repeat((128 + 40 * np.sin(xs / 10))[..., None], 3, axis=2).astype(np.uint8)
    assert fine_energy(fine).mean() == pytest.approx(1600, rel=0.02)
    assert fine_energy(coarse).mean() < 1
