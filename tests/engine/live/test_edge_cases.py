"""What is shown when the driver is not as drivers should be, from frames to pictures, with all rooms but no thread."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import islice, pairwise

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.engine.cuts import close_up, far_off

from mien import capture, samples
from mien.capture.image import resized
from mien.chain import open_chain
from mien.clock import ManualClock
from mien.config import WARP, ReenactSettings
from mien.errors import FaceError
from mien.face import topology
from mien.face.face import Face
from mien.face.motion import Motion
from mien.frame import Frame
from mien.motion.filters import EASE_OUT, HOLD
from mien.pipeline.chain import ChainPlace
from mien.pipeline.controller import LatencyTarget
from mien.pipeline.controls import Controls
from mien.pipeline.governor import Governor, reason
from mien.pipeline.stages import Stages
from mien.pipeline.steps import Captured, Synthesiser, TrackingStep
from mien.portrait.portrait import Portrait
from mien.portrait.prepare import prepare
from mien.stages import open_driver
from mien.stats import LiveStatistics

Pixels = NDArray[np.uint8]
RATE = 25
TALKING = 26  # number of a frame of the sample driver in which the mouth is open
SETTINGS = ReenactSettings(model=WARP, smooth=0.0)  # each picture stands for itself
GLOVE = (40, 90, 220)


@pytest.fixture(scope="module")
def frames() -> list[Pixels]:
    """The sample driver from before it speaks, at 256 pixels."""
    with capture.open(samples.driver()) as source:
        items = islice((item for item in source if isinstance(item, Frame)), TALKING + 4)
        return [resized(frame.pixels, 256, 256) for frame in items]


@pytest.fixture(scope="module")
def portraits() -> tuple[Portrait, ...]:
    return prepare(samples.portraits()["aldo"], size=256)


class Live:
    """The two middle workers of a run, called by the test."""

    def __init__(self, portraits: tuple[Portrait, ...]) -> None:
        clock = ManualClock()
        self.statistics = LiveStatistics(clock)
        self.controls = Controls()
        self.motions: list[Motion] = []
        self._portraits = portraits
        self._clock = clock

    def __call__(self, pictures: Sequence[Pixels]) -> list[Pixels]:
        """What is shown for each picture of the driver."""
        chain = open_chain(self._portraits, SETTINGS, 1)
        governor = Governor(LatencyTarget(), self.statistics.live)
        chains: ChainPlace[Motion] = ChainPlace(chain)
        out = []
        with open_driver(SETTINGS) as driver:
            self.statistics.shots = driver.parse.shots
            stages: Stages[Face, Motion] = Stages(driver.parse, driver.motion, chain, driver.parse.shots)
            follow = TrackingStep(stages, self.controls, self.statistics, self._clock)
            make: Synthesiser[Motion] = Synthesiser(chains, governor, self.controls, self.statistics, self._clock)
            for number, picture in enumerate(pictures):
                frame = Frame(np.ascontiguousarray(picture), number, Fraction(1, RATE))
                moved = follow(Captured(frame, number, 1 / RATE))
                out.append(make(moved).frame.pixels)
                assert moved.motion is not None
                self.motions.append(moved.motion)
        chains.end()
        return out


@pytest.fixture
def live(portraits: tuple[Portrait, ...]) -> Live:
    return Live(portraits)


@pytest.fixture(scope="module")
def usual(portraits: tuple[Portrait, ...], frames: list[Pixels]) -> list[Pixels]:
    """What is shown for the driver as it is."""
    return Live(portraits)(frames)


@pytest.fixture(scope="module")
def rest(portraits: tuple[Portrait, ...], frames: list[Pixels]) -> Pixels:
    """The portrait that nobody moves."""
    return Live(portraits)([np.zeros_like(frames[0])])[0]


def _apart(a: Pixels, b: Pixels) -> float:
    """Mean difference in grey levels."""
    return float(np.abs(a.astype(np.int64) - b).mean())


def test_a_lost_face_is_held_and_then_eased_to_rest(
    live: Live, frames: list[Pixels], usual: list[Pixels], rest: Pixels
) -> None:
    seen = TALKING + 1
    gone = round((HOLD + EASE_OUT + 0.3) * RATE)
    out = live([*frames[:seen], *[np.full_like(frames[0], 110)] * gone])
    assert _apart(out[seen - 1], rest) > 2, "the driver moves"
    held = out[seen : seen + int(HOLD * RATE) - 1]
    # its mouth, borrowed from the driver, is the one thing that cannot be held
    assert max(_apart(picture, out[seen - 1]) for picture in held) < 1
    assert _apart(out[-1], rest) == 0
    ways = [_apart(picture, rest) for picture in out[seen:]]
    assert all(after <= before + 0.3 for before, after in pairwise(ways)), "without going back"
    assert reason(live.statistics) == "no face is seen"


def test_a_second_face_changes_nothing(live: Live, frames: list[Pixels], usual: list[Pixels]) -> None:
    other = resized(frames[0], 160, 160)
    stage = []
    for number, picture in enumerate(frames):
        wide = np.full((256, 480, 3), 110, np.uint8)
        wide[:, :256] = picture
        if number >= 10:
            wide[60:220, 300:460] = other
        stage.append(wide)
    alone = live([wide if n < 20 else np.where(np.arange(480)[None, :, None] < 256, wide, 110).astype(np.uint8)
                  for n, wide in enumerate(stage)])  # fmt: skip
    both = live(stage)
    assert max(_apart(a, b) for a, b in zip(alone, both, strict=True)) < 2.5
    assert live.statistics.frames_without_face == 0


def _bluish(picture: Pixels) -> NDArray[np.bool_]:
    return np.asarray(picture[..., 2].astype(int) - picture[..., 0] > 40)


def test_behind_a_hand_the_mouth_is_closed_and_nothing_of_the_hand_is_shown(
    live: Live, portraits: tuple[Portrait, ...], frames: list[Pixels]
) -> None:
    covered = [picture.copy() for picture in frames]
    for picture in covered[10:]:
        picture[140:205, 85:175] = GLOVE
    free = Live(portraits)
    own, shown = (int(_bluish(out[TALKING]).sum()) for out in (free(frames), live(covered)))
    mouth = cv2.contourArea(portraits[0].landmarks[list(topology.OUTER_LIPS), :2].astype(np.float32))
    assert shown <= own + 0.05 * mouth, "of the portrait itself a few pixels are as blue as the glove"
    assert free.motions[TALKING].lips.mean() > 0.02, "it speaks"
    assert live.motions[TALKING].lips.mean() < 0.2 * free.motions[TALKING].lips.mean()
    assert live.statistics.frames_without_face == 0


@pytest.mark.parametrize("share", [0.5, 0.8])
def test_a_face_out_of_the_frame_is_as_one_that_is_lost(
    live: Live, frames: list[Pixels], rest: Pixels, share: float
) -> None:
    left = int(share * 256)
    away = np.full_like(frames[0], 110)
    away[:, left:] = frames[TALKING][:, : 256 - left]
    out = live([*frames[:10], *[away] * 45])
    assert live.statistics.frames_without_face >= 40
    assert _apart(out[-1], rest) == 0


def test_in_a_dark_room_the_portrait_moves_as_in_the_light(
    live: Live, frames: list[Pixels], usual: list[Pixels], rest: Pixels
) -> None:
    dim = [(picture * 0.1).astype(np.uint8) for picture in frames]
    out = live(dim)
    assert live.statistics.frames_without_face == 0
    assert _apart(out[TALKING], usual[TALKING]) < 0.6 * _apart(rest, usual[TALKING])


def test_in_the_dark_the_reason_is_told(live: Live, frames: list[Pixels], rest: Pixels) -> None:
    out = live([*frames[:10], *[np.zeros_like(frames[0])] * 45])
    assert _apart(out[-1], rest) == 0
    assert reason(live.statistics) == "no face is seen: it is too dark"


def test_a_source_that_changes_its_size_goes_on(live: Live, frames: list[Pixels], usual: list[Pixels]) -> None:
    larger = [resized(picture, 512, 512) for picture in frames[10:20]]
    out = live([*frames[:10], *larger])
    assert max(_apart(a, b) for a, b in zip(out[10:], usual[10:20], strict=True)) < 2
    assert len(live.statistics.shots.all) == 1


def test_a_driver_that_is_cut_stays_in_the_picture(live: Live, frames: list[Pixels]) -> None:
    turned = [close_up(picture) for picture in frames[10:]]
    live([*frames[:10], *turned, *map(far_off, frames[:20])])
    shots = live.statistics.shots.all
    assert [(shot.shot, shot.frames) for shot in shots] == [(0, 10), (1, 20), (2, 20)]
    assert live.statistics.as_json()["shots"][1]["begin"] == pytest.approx(0.4)
    assert max(abs(np.log(motion.scale)) for motion in live.motions) < 0.12
    ways = np.array([motion.translation for motion in live.motions])
    assert np.abs(np.diff(ways, axis=0)).max() < 0.1, "nothing leaps"
    assert [motion.shot for motion in live.motions] == [0] * 10 + [1] * 20 + [2] * 20


def test_re_zeroing_takes_how_the_driver_looks_now_as_neutral(
    portraits: tuple[Portrait, ...], frames: list[Pixels], rest: Pixels
) -> None:
    with open_driver(SETTINGS) as driver:
        motions = []
        for number in range(TALKING + 1):
            if number == TALKING:
                driver.rezero()
            shown = Frame(np.ascontiguousarray(frames[number]), number, Fraction(1, RATE))
            motions.append(driver.motion(driver.parse(shown), shown.seconds))
    before, after = motions[-2], motions[-1]
    assert abs(after.turn.yaw) + abs(after.turn.pitch) < abs(before.turn.yaw) + abs(before.turn.pitch)


def test_a_chain_is_closed_where_it_cannot_be_made(portraits: tuple[Portrait, ...]) -> None:
    def later(pixels: Pixels) -> Pixels:
        raise FaceError("planned")

    with pytest.raises(FaceError, match="planned"):
        open_chain(portraits, SETTINGS, 1, ("later", later))
