"""Styles along a run: errors, faces found, tables and targets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mien import samples
from mien.face.motion import identity_motion
from mien.parse.models import FaceMesh
from mien.portrait.portrait import Portrait
from mien.style.opening import open_styler
from mien_bench.face_video import readable, real_video, stability
from mien_bench.face_video.readable import FacesFound, distance
from mien_bench.face_video.stability import STYLES, Stability
from mien_bench.face_video.stylings import EACH, EXACT, MEAN, ONCE, PHOTO, PLAIN_EACH, WAYS, liveliest, open_run
from mien_bench.face_video.tables import spread_pairs
from mien_bench.fidelity.drivers import Driver
from mien_bench.quality.temporal import PAPER

FRAMES = 2


def nodding(portrait: Portrait, count: int) -> Driver:
    """A driver whose head moves on in even steps."""
    motions = [replace(identity_motion(), translation=np.array([0.02 * number, 0.0])) for number in range(count)]
    seconds = tuple(number / 25 for number in range(count))
    shapes = [portrait.landmarks + [2.0 * number**2, 0, 0] for number in range(count)]
    return Driver("nodding", Path("nodding"), seconds, tuple(shapes), tuple(motions))


def test_a_portrait_is_measured_in_every_style(people: dict[str, Portrait], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stability, "LEAD", 0)
    portrait = people["mira"]
    driver = nodding(portrait, FRAMES)
    with open_run(portrait, driver, "warp", plain="style", threads=1) as run, FaceMesh(still=True) as mesh:
        faces = FacesFound("mira, nodding", "warp", mesh)
        found = stability.measure(faces.pair, faces.model, run, range(FRAMES), faces)
        assert {key[0] for key in found.values} == {PHOTO, *WAYS}
        for style in run.styles:
            values = {way: found.values[way, style] for way in (ONCE, EACH, MEAN, EXACT)}
            assert all(np.isfinite(one[0]).all() and np.isnan(one[1]).all() for one in values.values())
            assert found.values[PLAIN_EACH, style][0] == pytest.approx(values[EACH][0]), "it is the same bundle"
            assert values[EXACT][0, 0] < values[EACH][0, 0], "a mean along the way of the face lowers its error"
            assert values[ONCE][0, 0] < values[EACH][0, 0], "strokes that move with the face differ less"
        assert faces.share((PHOTO, "")) == 100
        assert faces.mean_off((PHOTO, "")) < 10
        assert {key[1] for key in faces.off if key[0] == ONCE} == set(run.styles)
    assert 0.3 < found.share < 1


def some(pair: str, error: float) -> Stability:
    """With a photograph's error of 1 everywhere, and one style whose error is `error` by every way."""
    values = {(PHOTO, ""): np.ones((2, 3))} | {(way, "wave"): np.full((2, 3), error) for way in (ONCE, EACH, MEAN)}
    return Stability(pair, "warp", values, 0.9)


def test_tables_stand_beside_the_paper() -> None:
    found = [some("a", 2.0), some("b", 4.0)]
    tables = list(stability.tables(found))
    assert len(tables) == 5
    lines = {line[0]: line[1:] for line in tables[1].rows}
    assert lines[ONCE][0].startswith("300000 [")
    assert lines["paper, after cleaning"][0] == f"{1e5 * PAPER['Wave'][1]:.0f}"
    assert [len(one.quoted) for one in tables] == [0, 2, 0, 0, 0]
    assert [line[0] for line in tables[4].rows[:2]] == [ONCE, f"{ONCE}, beside what is painted"]
    assert tables[4].rows[0][1].startswith("3.0 [")
    rows = list(stability.rows(found))
    assert len({row.key for row in rows}) == len(rows) == 4 * 6
    assert {row.values for row in rows if row.condition["drawn"] == ONCE} == {(2e5, 4e5)}


@pytest.mark.parametrize(("error", "kept"), [(3.0, [True, False]), (7.0, [False, False])])
def test_targets_are_judged_by_the_mean_over_pairs(error: float, kept: list[bool]) -> None:
    checks = list(stability.targets([some("a", error - 1), some("b", error + 1)]))
    assert [check.kept for check in checks] == kept
    assert checks[0].got.endswith(f"worst pair {error + 1:.2f}")


def test_a_face_that_is_not_there_is_not_found(people: dict[str, Portrait]) -> None:
    portrait = people["mira"]
    with FaceMesh(still=True) as mesh:
        assert distance(portrait.pixels, portrait.landmarks, mesh) < 0.1
        assert np.isnan(distance(portrait.pixels, portrait.landmarks + [80.0, 0, 0], mesh))
        assert np.isnan(distance(np.zeros_like(portrait.pixels), portrait.landmarks, mesh))
        faces = FacesFound("nobody", "warp", mesh, {(PHOTO, ""): [0.02, 0.02], (ONCE, "wave"): [0.1, float("nan")]})
    (check,) = readable.targets([faces])
    assert (check.got, check.kept) == ("50 %", False)
    assert readable.table([faces]).rows[1] == (ONCE, "50 (10.0)")


def test_real_video_is_measured_before_and_after_the_mean() -> None:
    with open_styler(1) as styler:
        found = real_video.measure(samples.driver(), styler, 2)
    assert set(found.values) == {(real_video.CLIP, "")} | {(s, w) for s in STYLES for w in ("before", "after")}
    for style in STYLES:
        assert found.values[style, "after"][0] < found.values[style, "before"][0]
    table = real_video.table([found])
    assert [line[0] for line in table.rows[:2]] == [real_video.CLIP, "scream"]
    assert len(table.quoted) == len(PAPER)
    assert len(list(real_video.rows([found]))) == 2 * (1 + 2 * len(STYLES))


def test_every_portrait_and_clip_comes_before_any_pair_repeats() -> None:
    portraits, clips = [Path("a"), Path("b")], [Path("1"), Path("2"), Path("3"), Path("4")]
    pairs = spread_pairs(portraits, clips, 4)
    assert ({portrait for portrait, _ in pairs}, {clip for _, clip in pairs}) == (set(portraits), set(clips))
    assert len(set(spread_pairs(portraits, clips, 99))) == 8
    assert spread_pairs(portraits, [], 3) == []


def test_the_liveliest_frames_are_taken(people: dict[str, Portrait]) -> None:
    driver = nodding(people["mira"], 8)
    turned = [*driver.landmarks[:5], *([people["aldo"].landmarks, people["mira"].landmarks, None])]
    assert list(liveliest(replace(driver, landmarks=tuple(turned)), 3)) == [4, 5, 6]
    assert list(liveliest(driver, 9)) == []
