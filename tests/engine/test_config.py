from __future__ import annotations

import math
from typing import Any

import pytest

from mien.config import CredentialSettings, Gains, MotionSettings, OneEuro, ReenactSettings
from mien.errors import SettingError


@pytest.mark.parametrize("name", Gains.__slots__)
@pytest.mark.parametrize("value", [-0.1, 3.1, math.nan, math.inf])
def test_gains_out_of_range_are_refused_by_name(name: str, value: float) -> None:
    with pytest.raises(SettingError, match=f"gain {name} must be"):
        Gains(**{name: value})


@pytest.mark.parametrize(
    "values",
    [
        {"backend": "abacus"},
        {"mouth": "both"},
        {"smooth": -0.1},
        {"face": -1},
        {"size": 5000},
        {"threads": 0},
    ],
)
def test_reenact_settings_out_of_range_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match=f"{next(iter(values))} must be"):
        ReenactSettings(**values)


def test_a_note_of_consent_that_is_no_text_is_refused() -> None:
    with pytest.raises(SettingError, match="--consent: expected text in UTF-8"):
        CredentialSettings(consent="of \udcff")


def test_motion_mode_and_filters_are_checked() -> None:
    with pytest.raises(SettingError, match="motion must be one of relative, absolute, got 'sideways'"):
        MotionSettings(mode="sideways")  # type: ignore[arg-type]
    with pytest.raises(SettingError, match="min_cutoff"):
        OneEuro(min_cutoff=0.0, beta=1.0)
    with pytest.raises(SettingError, match="beta"):
        OneEuro(min_cutoff=1.0, beta=-1.0)


def test_settings_are_values() -> None:
    assert ReenactSettings() == ReenactSettings()
    assert hash(ReenactSettings()) == hash(ReenactSettings())
