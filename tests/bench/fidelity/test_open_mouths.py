from __future__ import annotations

import numpy as np
import pytest
from tests.bench.fidelity.test_following import driver_of, face

from mien.face.points68 import MESH
from mien.plane import placed
from mien.portrait.portrait import Portrait
from mien_bench.fidelity.open_mouths import (
    CALM,
    OPEN,
    Closing,
    closed_frames,
    gap_of,
    gaps_of,
    mouth_regions,
    region_errors,
    rows,
    table,
    targets,
    wide_frames,
)
from mien_bench.quality.regions import crop_of


def test_a_gap_counts_in_widths_of_the_mouth() -> None:
    closed, wide = (face(gap=gap)[list(MESH), :2] for gap in (0.0, 0.2))
    width = np.linalg.norm(wide[54] - wide[48])
    assert gap_of(wide) - gap_of(closed) == pytest.approx(100 * 20 / width, rel=0.05)
    turned = face(roll=25.0, gap=0.2)[list(MESH), :2]
    assert gap_of(turned) == pytest.approx(gap_of(wide))


def test_wide_and_closed_frames_are_told_apart() -> None:
    faces = [face(gap=0.35 if number in (30, 31, 70) else 0.0, roll=float(number % 7)) for number in range(100)]
    driver = driver_of([*faces, None])
    assert sorted(wide_frames(driver)) in ([30, 70], [31, 70])
    assert np.isnan(gaps_of(driver)[100])
    like = closed_frames(driver, 4, like=70)
    assert all(number % 7 == 0 for number in like)
    spread = closed_frames(driver, 5)
    assert len(spread) == 5
    assert not {30, 31, 70, 100} & set(spread)


def test_errors_are_those_of_the_mouth_alone(people: dict[str, Portrait]) -> None:
    teo = people["teo"]
    assert region_errors(teo.pixels, teo.pixels, teo.landmarks) == pytest.approx([0.0, 0.0])
    brighter = teo.pixels.copy()
    top = int(teo.landmarks[1, 1])
    brighter[:top] = 255 - brighter[:top]
    assert region_errors(brighter, teo.pixels, teo.landmarks) == pytest.approx([0.0, 0.0])
    darker = np.clip(teo.pixels.astype(int) + 10, 0, 255).astype(np.uint8)
    assert region_errors(darker, teo.pixels, teo.landmarks) == pytest.approx([10.0, 10.0], abs=0.5)


def test_the_strip_lies_where_lips_meet(people: dict[str, Portrait]) -> None:
    teo = people["teo"]
    points = placed(teo.landmarks, crop_of(teo.landmarks))[:, :2]
    strip, lips = mouth_regions(points)
    middle = np.rint((points[13] + points[14]) / 2).astype(int)
    assert strip[middle[1], middle[0]]
    assert 0 < strip.sum() < lips.sum()
    assert (lips | ~strip).all()


def test_targets_ask_every_landmarker() -> None:
    def closing(kind: str, mesh: float, other: float) -> Closing:
        gaps = {"mesh": np.full(4, mesh), "OpenSeeFace": np.full(4, other)}
        return Closing("d.1", kind, "warp", np.full((3, 2), 5.0), gaps)

    found = [closing(OPEN, 1.0, 20.0), closing(CALM, 0.5, 2.0)]
    assert [check.kept for check in targets(found)] == [True, False]
    lines = table(found).rows
    assert [line[0] for line in lines] == ["open portraits, warp", "calm portraits, warp", "  d.1, warp"]
    assert lines[0][1:] == ("5.0", "5.0", "1.0, 1.0", "20.0, 20.0")
    assert {row.condition["on"] for row in rows(found)} == {"open portraits", "calm portraits"}
