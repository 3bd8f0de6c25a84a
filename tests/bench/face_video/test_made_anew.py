"""Videos made anew, measured."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from mien import samples
from mien.errors import FaceError
from mien.paint.synthesis import open_synthesis
from mien.parsing.opening import open_segmenter
from mien_bench.face_video import made_anew


def test_a_clip_made_anew_is_measured_with_both_kinds_of_maps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_synthesis(1) as synthesis, open_segmenter(1) as (segmenter, _):
        found = made_anew.measure(samples.driver(), segmenter, synthesis, 3)
        picture = tmp_path / "plain.png"
        Image.new("RGB", (96, 96)).save(picture)
        monkeypatch.setattr(made_anew, "BEGIN", 0.0)
        with pytest.raises(FaceError, match="expected at least 2 frames with an upright face, got 0"):
            made_anew.measure(picture, segmenter, synthesis, 2)
    names = [made_anew.CLIP, made_anew.RAW, made_anew.CLEANED]
    assert list(found.values) == names
    assert all(0 < short < long for short, long in found.values.values())
    table = made_anew.table([found], "spade-video")
    assert [line[0] for line in table.rows] == names
    assert [len(row.values) for row in made_anew.rows([found], "spade-video")] == [1] * 6
