from __future__ import annotations

import pytest

from mien.numbered import Numbered


@pytest.mark.parametrize(
    ("pattern", "fits", "others"),
    [
        ("%05d.png", ["00001.png", "123456.png"], ["1.png", "00001.jpg", "a00001.png", ".png", "00001png"]),
        ("a%d.png", ["a1.png", "a0001.png"], ["1.png", "a.png", "a-1.png"]),
        ("%3da", ["007a"], ["07a", "a"]),
        ("1%d1", ["121", "1001"], ["11", "1", "12"]),
    ],
)
def test_names_of_a_pattern(pattern: str, fits: list[str], others: list[str]) -> None:
    names = Numbered.of(pattern)
    assert names is not None
    assert names.is_possible
    assert [name for name in [*fits, *others] if names.fits(name)] == fits
    assert names.fits(names.name(1))


def test_what_has_no_number_is_no_pattern() -> None:
    assert Numbered.of("a.png") is None
    assert Numbered.of("100%.png") is None


@pytest.mark.parametrize("pattern", ["%999999999d.png", "%05d%05d.png"])
def test_names_that_cannot_be(pattern: str) -> None:
    names = Numbered.of(pattern)
    assert names is not None
    assert not names.is_possible
    assert not names.fits("00001.png")
