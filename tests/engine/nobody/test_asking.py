"""Conditions on a mixture are met, and what is not asked is left to chance."""

from __future__ import annotations

import numpy as np
import pytest

from mien.errors import SettingError
from mien.face.traits import INDEX, TRAITS
from mien.nobody.asking import HAIR_COLOURS, HAIRS, SKINS, TONES, Looks, Wish, moved

LENGTH = 40
ROWS = len(TRAITS) + TONES


@pytest.fixture(scope="module")
def looks() -> Looks:
    rng = np.random.default_rng(1)
    return Looks(np.full(ROWS, 0.5), 0.15 * rng.standard_normal((ROWS, LENGTH)))


def of(
    looks: Looks, mixture: np.ndarray[tuple[int, ...], np.dtype[np.float32]]
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.asarray(looks.mean + looks.matrix @ mixture)


@pytest.mark.parametrize("hair", HAIRS)
def test_what_is_asked_is_met(looks: Looks, hair: str) -> None:
    asked = Wish(hair=hair, skin=0.2, smile=0.9, beard=0.1, glasses=True)  # type: ignore[arg-type]
    found = of(looks, looks.mixture(asked, np.random.default_rng(0)))
    wanted = {"smile": 0.9, "beard": 0.1, "glasses": 1.0, "open-mouth": 0.0, "turn": 0.5}
    for name, value in wanted.items():
        assert found[INDEX[name]] == pytest.approx(value, abs=0.01)
    tones = found[len(TRAITS) :].reshape(4, 3)
    assert tones[0].mean() == pytest.approx(SKINS[0] + 0.2 * (SKINS[1] - SKINS[0]), abs=0.01)
    np.testing.assert_allclose(tones[1], HAIR_COLOURS[hair], atol=0.01)  # type: ignore[index]


def test_what_is_not_asked_is_left_to_chance(looks: Looks) -> None:
    drawn = [of(looks, looks.mixture(Wish(), np.random.default_rng(seed)))[INDEX["beard"]] for seed in range(50)]
    assert np.std(drawn) > 0.1


def test_somebody_like_another_has_the_same_traits_and_another_mixture(looks: Looks) -> None:
    traits, tones = np.linspace(0.2, 0.8, len(TRAITS), dtype=np.float32), np.full(TONES, 0.4, np.float32)
    one, two = (looks.like(traits, tones, Wish(), np.random.default_rng(seed)) for seed in range(2))
    assert np.abs(one - two).mean() > 0.2
    for mixture in (one, two):
        found = of(looks, mixture)
        assert found[INDEX["beard"]] == pytest.approx(traits[INDEX["beard"]], abs=0.01)
        assert found[INDEX["smile"]] == pytest.approx(Wish().smile, abs=0.01)
        np.testing.assert_allclose(found[len(TRAITS) :], tones, atol=0.01)


def test_a_mixture_is_moved_the_least_way() -> None:
    rng = np.random.default_rng(2)
    onto, mixture = rng.standard_normal((3, LENGTH)), rng.standard_normal(LENGTH)
    way = moved(mixture, onto, np.ones(3), 1e-9) - mixture
    nothing = np.linalg.svd(onto)[2][3:]  # directions in which no condition says anything
    np.testing.assert_allclose(nothing @ way, 0, atol=1e-5)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"smile": 1.5}, "--smile must be from 0 to 1, got 1.5"),
        ({"long_hair": -0.1}, "--long-hair must be from 0 to 1, got -0.1"),
        ({"hair": "green"}, "--hair must be one of black, "),
    ],
)
def test_what_cannot_be_is_refused(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(SettingError, match=said):
        Wish(**wrong)  # type: ignore[arg-type]
