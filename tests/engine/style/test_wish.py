"""What users ask of styles."""

from __future__ import annotations

import numpy as np
import pytest

from mien.errors import SettingError
from mien.style.wish import read_wish

NAMES = ("scream", "wave", "udnie")


@pytest.mark.parametrize(
    ("text", "mix", "strength"),
    [
        ("wave", [0, 1, 0], 1.0),
        ("wave:0.25", [0, 1, 0], 0.25),
        ("scream:0.5+wave:.25", [2 / 3, 1 / 3, 0], 0.75),
        ("scream + wave", [0.5, 0.5, 0], 1.0),
        ("udnie:0", [1 / 3, 1 / 3, 1 / 3], 0.0),
    ],
)
def test_shares_and_strength(text: str, mix: list[float], strength: float) -> None:
    wish = read_wish(text)
    np.testing.assert_allclose(wish.mix(NAMES), mix, atol=1e-6)
    assert wish.strength == pytest.approx(strength)


@pytest.mark.parametrize("text", ["", "wave:", "wave:x", "wave:1.5", "wave:-1", "wave:nan", "+wave", ":1"])
def test_other_forms_are_refused_in_one_line(text: str) -> None:
    with pytest.raises(SettingError, match="style must be NAME"):
        read_wish(text)


def test_an_unknown_style_is_answered_with_those_there_are() -> None:
    with pytest.raises(SettingError, match=r"one of scream, wave, udnie, got 'monet'"):
        read_wish("monet").mix(NAMES)
