from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.face.motion import identity_motion
from mien.face.pose import Angles, rotation_of
from mien.face.topology import canonical_face
from mien.portrait.portrait import Portrait
from mien_bench.fidelity.drivers import Driver, active_frames
from mien_bench.fidelity.following import (
    Pair,
    follow,
    is_smiling,
    mouth_width,
    narrowing,
    purse,
    pursing_targets,
    rows,
    table,
    targets,
)
from mien_bench.fidelity.landmarkers import open_mesh_reader
from mien_bench.fidelity.points68 import UNITS
from mien_bench.roundtrip.track_measures import Agreement

Array = NDArray[np.float64]


def face(roll: float = 0.0, gap: float = 0.0, narrower: float = 0.0, brows: float = 0.0) -> Array:
    """(478, 3): the canonical face in a picture, doing something."""
    points = canonical_face().points.copy()
    points[[14, 87, 317, 178, 402, 17], 1] += gap
    points[61, 0] += narrower / 2
    points[291, 0] -= narrower / 2
    points[[107, 66, 336, 296], 1] -= brows
    return np.asarray(100.0 * points @ rotation_of(Angles(0.0, 0.0, roll)).T + np.array([250.0, 250.0, 0.0]))


def driver_of(faces: Sequence[Array | None], **motions: list[float]) -> Driver:
    still = identity_motion()
    turns = motions.get("roll", [0.0] * len(faces))
    return Driver(
        "made",
        Path("made.mp4"),
        tuple(number / 25 for number in range(len(faces))),
        tuple(faces),
        tuple(replace(still, turn=Angles(0.0, 0.0, roll)) for roll in turns),
    )


def test_roll_is_found_again_with_slope_one(people: dict[str, Portrait]) -> None:
    rolls = [12.0 * np.sin(2 * np.pi * number / 12) for number in range(12)]
    driver = driver_of([face(roll) for roll in rolls], roll=rolls)
    with open_mesh_reader() as reader:
        pair = follow("teo", people["teo"], driver, 12, "warp", reader, 1)
    assert list(pair.found) == ["roll"]
    assert pair.found["roll"].slope == pytest.approx(1.0, abs=0.1)
    assert pair.found["roll"].correlation > 0.99
    assert pair.lost == 0


def test_narrow_frames_are_spread_over_the_widths_between() -> None:
    narrower = [0.0] * 20 + list(np.linspace(0.0, 0.12, 40))
    driver = driver_of([face(narrower=value) for value in narrower])
    chosen = narrowing(driver, 8)
    assert len(chosen) == 8
    assert chosen[-1] == 59
    assert narrowing(driver_of([face(narrower=min(value, 0.04)) for value in narrower]), 8) == []


def test_a_portrait_that_keeps_its_mouth_has_slope_zero(people: dict[str, Portrait]) -> None:
    driver = driver_of([face(narrower=value) for value in [0.0] * 10 + list(np.linspace(0.0, 0.12, 12))])
    with open_mesh_reader() as reader:
        pair = purse("teo", people["teo"], driver, 10, "warp", reader, 1)
        assert pair is not None
        assert pair.found["width"].slope == pytest.approx(0.0, abs=0.05)
        assert purse("teo", people["teo"], driver_of([face()] * 20), 10, "warp", reader, 1) is None


def test_a_mouth_that_is_wide_for_its_face_smiles(people: dict[str, Portrait]) -> None:
    teo = people["teo"]
    assert mouth_width(face(narrower=0.1)) == pytest.approx(mouth_width(face()) - 0.1)
    assert not is_smiling(replace(teo, landmarks=face()))
    assert is_smiling(replace(teo, landmarks=face(roll=10.0, narrower=-0.15)))


def test_guides_are_the_frames_that_do_most() -> None:
    faces: list[Array | None] = [face() for _ in range(60)]
    faces[20], faces[40], faces[50] = face(brows=0.1), face(gap=0.2), None
    driver = driver_of(faces)
    chosen = active_frames(driver, 12)
    assert {20, 40} <= set(chosen)
    assert 50 not in chosen
    assert min(np.diff(chosen)) >= 8
    assert driver.units.shape == (60, len(UNITS))
    assert np.isnan(driver.units[50]).all()
    assert not {20, 40, 50} & set(driver.calm[:5])


def test_tables_show_medians_and_the_worst_pair() -> None:
    def pair(portrait: str, driver: str, slope: float) -> Pair:
        found = {"mouth": Agreement(0.9, slope, 0.2), "roll": Agreement(0.99, 1.0, 20.0)}
        return Pair(portrait, driver, "warp", found, 0)

    pairs = [pair("a", "d", 0.9), pair("a", "e", 1.0), pair("b", "d", 0.3)]
    lines = {line[0]: line for line in table(pairs, "title", ("mouth", "roll", "yaw")).rows}
    assert lines["a, warp"][1] == "0.95 (0.90), 0.900"
    assert lines["worst slope, warp"][1] == "0.30 d x b"
    assert lines["a, warp"][3] == "-"
    assert lines["median slope, warp"][1].startswith("0.90 [0.30, ")
    kept = {check.name: check.kept for check in targets(pairs, [])}
    assert kept == {
        "motion, warp: mouth slope, median": True,
        "motion, warp: mouth slope, worst": False,
        "motion, warp: roll r": True,
    }
    assert {row.name for row in rows(pairs, ("mouth",), "drivers")} == {
        "mouth found again, slope",
        "mouth found again, r",
    }
    widths = [Pair("a", "d", "warp", {"width": Agreement(0.8, 0.5, 0.1)}, 0)]
    assert [check.kept for check in pursing_targets(widths)] == [False]
