from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.engine.cuts import close_up, driver_frames, far_off, source_of

import mien
from mien import samples
from mien.config import WARP, ReenactSettings
from mien.face.pose import fit_pose
from mien.frame import Frame
from mien.motion.retarget import Retarget
from mien.parse.parser import Parser
from mien.portrait.portrait import Portrait
from mien.reenact.reenact import Reenact
from mien.stages import open_stages
from mien.survey import SAMPLES, Survey, survey

Pixels = NDArray[np.uint8]
PLAIN = ReenactSettings(model=WARP, smooth=0.5)


@pytest.fixture(scope="module")
def clip() -> list[Pixels]:
    return driver_frames(80)


@pytest.fixture(scope="module")
def portrait() -> Portrait:
    return mien.prepare(samples.portraits()["mira"], size=256)[0]


def surveyed(pictures: list[Pixels]) -> Survey:
    return survey(source_of(pictures), lambda: Parser(hints=False, cuts=()), lambda: Parser(hints=False))


def test_a_driver_without_cuts_has_the_neutral_of_frames_all_over_it(clip: list[Pixels]) -> None:
    found = surveyed(clip[:40])
    assert found.cuts is None
    faces = []
    with Parser(hints=False, cuts=()) as scout:
        for frame in source_of(clip[:40]).sample(SAMPLES):
            if scout(frame) is not None and (face := scout(frame)) is not None:
                faces.append(face)
    expected = Retarget.from_samples(PLAIN.motion, faces).state.neutral
    neutral = found.framings[0].neutral
    assert neutral is not None
    assert expected is not None
    np.testing.assert_array_equal(neutral.shape, expected.shape)
    np.testing.assert_array_equal(neutral.translation, expected.translation)


def test_each_shot_has_its_first_frame_and_its_own_neutral(clip: list[Pixels]) -> None:
    found = surveyed([*map(close_up, clip[:33]), *map(far_off, clip[33:37]), *clip[37:80]])
    assert found.cuts is not None
    assert [(cut.shot, round(cut.begin * 25)) for cut in found.cuts] == [(1, 33), (2, 37)]
    near, far, usual = (found.framings[number].neutral for number in range(3))
    assert near is not None
    assert far is not None
    assert usual is not None
    assert near.scale == pytest.approx(1.8 * usual.scale, rel=0.06)
    assert far.scale == pytest.approx(0.55 * usual.scale, rel=0.06)


class _Recorded:
    """A source that says how often it was looked through."""

    def __init__(self, pictures: list[Pixels]) -> None:
        self._source = source_of(pictures)
        self.counts: list[int] = []
        self.info = self._source.info

    def sample(self, count: int) -> Iterator[Frame]:
        self.counts.append(count)
        return self._source.sample(count)

    def __getattr__(self, name: str) -> object:
        return getattr(self._source, name)


def test_all_frames_are_looked_at_only_where_a_few_differ(clip: list[Pixels]) -> None:
    def looked_through(pictures: list[Pixels]) -> list[int]:
        source = _Recorded(pictures)
        survey(source, lambda: Parser(hints=False, cuts=()), lambda: Parser(hints=False))  # type: ignore[arg-type]
        return source.counts

    assert looked_through(clip[:20]) == [SAMPLES]
    assert looked_through([*clip[:10], *map(close_up, clip[10:20])]) == [SAMPLES, 40]


def sizes(portrait: Portrait, pictures: list[Pixels]) -> list[float]:
    """How large the portrait's head is in each frame, as a share of its own size."""
    source, out = source_of(pictures), []
    reenact = Reenact((portrait,))
    with open_stages((portrait,), source, PLAIN) as stages:
        for frame in source:
            assert isinstance(frame, Frame)
            (posed,) = reenact(stages.motion(stages.parse(frame), frame.seconds), frame.seconds)
            out.append(fit_pose(posed.landmarks, portrait.shape).scale / portrait.pose.scale)
    return out


def test_a_cut_driver_leaves_the_portrait_in_its_picture(portrait: Portrait, clip: list[Pixels]) -> None:
    found = sizes(portrait, [*map(close_up, clip[:15]), *map(far_off, clip[25:40]), *clip[50:65]])
    assert min(found) > 0.9
    assert max(found) < 1.12


def test_the_second_shot_looks_as_it_does_by_itself(portrait: Portrait, clip: list[Pixels]) -> None:
    def rendered(pictures: list[Pixels]) -> list[Pixels]:
        return [frame.pixels for frame in mien.animate(portrait, source_of(pictures), PLAIN)]

    near = [close_up(picture) for picture in clip[20:38]]
    whole, alone = rendered([*clip[:12], *near]), rendered(near)
    apart = [float(np.abs(a.astype(int) - b).mean()) for a, b in zip(whole[12:], alone, strict=True)]
    assert max(apart) < 1.5


def test_shots_are_told_in_the_statistics(clip: list[Pixels]) -> None:
    source = source_of([*clip[:10], *map(close_up, clip[10:20])])
    portraits = mien.prepare(samples.portraits()["mira"], size=128)
    with open_stages(portraits, source, PLAIN) as stages:
        for frame in source:
            assert isinstance(frame, Frame)
            stages.parse(frame)
        assert [(shot.shot, shot.begin, shot.frames) for shot in stages.shots.all] == [(0, 0.0, 10), (1, 0.4, 10)]
