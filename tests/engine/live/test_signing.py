"""Recordings are signed without a wait, and kept where they cannot be."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from mien import samples
from mien.config import WARP, CredentialSettings, ReenactSettings
from mien.emit.sink import SinkSettings
from mien.live.making import Shown
from mien.live.signing import make_ready, signed_if_possible

MADE = SinkSettings(96, 64, Fraction(25), Fraction(1, 25))
SETTINGS = ReenactSettings(model=WARP)
SHOWN = Shown.by((str(samples.portraits()["mira"]),), SETTINGS)


def test_a_source_is_hashed_before_the_first_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "driver.mp4"
    source.write_bytes(b"long")
    make_ready(MADE, SHOWN, SETTINGS, str(source))
    read: list[Path] = []

    def noted(path: Path) -> str:
        read.append(path)
        return "0"

    monkeypatch.setattr("mien.provenance.hash_file", noted)
    made = signed_if_possible(MADE, SHOWN, SETTINGS, str(source), "out.mp4", pytest.fail)
    assert made.credentials is not None
    assert source not in read
    assert len(read) == 1, "the portrait alone"
    source.write_bytes(b"longer")
    signed_if_possible(MADE, SHOWN, SETTINGS, str(source), "out.mp4", pytest.fail)
    assert source in read


def test_a_recording_that_cannot_be_signed_is_kept_without(tmp_path: Path) -> None:
    absent = str(tmp_path / "absent.pem")
    settings = replace(SETTINGS, credentials=CredentialSettings(key=absent, chain=absent))
    told: list[str] = []
    make_ready(MADE, SHOWN, settings, "camera:0")
    assert signed_if_possible(MADE, SHOWN, settings, "camera:0", "out.mp4", told.append) == MADE
    assert len(told) == 1
    assert told[0].startswith("out.mp4: expected to sign it, got an error (")
