"""Transparency through sinks that keep it, and those that cannot."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from mien import capture, emit
from mien.emit.sink import SinkSettings
from mien.errors import SinkError
from mien.frame import Frame


@pytest.mark.parametrize("ending", [".webm", "/%04d.png"])
def test_transparency_survives(tmp_path: Path, ending: str) -> None:
    """A soft-edged disc on nothing, through VP9's second stream and through PNG."""
    y, x = np.mgrid[:64, :96]
    alpha = np.clip(28 - np.hypot(x - 48, y - 32), 0, 8) * 255 / 8
    pixels = np.dstack([np.full((64, 96, 3), (210, 120, 40)), alpha]).astype(np.uint8)
    settings = SinkSettings(96, 64, Fraction(25), Fraction(1, 25), alpha=True)
    (tmp_path / "out").mkdir()
    target = f"{tmp_path}/out{ending}"
    with emit.open(target, settings, mark=False) as sink:
        for number in range(5):
            sink.write(Frame(np.roll(pixels, number, axis=1), number, Fraction(1, 25), layout="rgba"))
    with capture.open(target, alpha=True) as source:
        shown = [item for item in source if isinstance(item, Frame)]
    assert len(shown) == 5
    for number, frame in enumerate(shown):
        assert frame.layout == "rgba"
        wanted = np.roll(pixels, number, axis=1).astype(int)
        off = np.abs(frame.pixels.astype(int) - wanted)
        assert off[..., 3].mean() < 3
        assert off[..., :3][wanted[..., 3] == 255].mean() < 6


@pytest.mark.parametrize("ending", [".mp4", ".mov", ".mkv"])
def test_transparency_is_refused_where_it_cannot_be_kept(tmp_path: Path, ending: str) -> None:
    settings = SinkSettings(96, 64, Fraction(25), Fraction(1, 25), alpha=True)
    with pytest.raises(SinkError, match=r"expected \.webm, or pictures as \.png, for a transparent background"):
        emit.open(tmp_path / f"out{ending}", settings)
    assert list(tmp_path.iterdir()) == []
