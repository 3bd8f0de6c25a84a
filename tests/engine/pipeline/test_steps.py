"""The workers of a live run, one step at a time: what of a frame is done, when, and at which level."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from tests.engine.pipeline.fakes import INFO, INTERVAL, SOUND, Portrayal, frame, sound, stages, statistics

from mien.clock import ManualClock
from mien.frame import Frame
from mien.pipeline.chain import ChainPlace
from mien.pipeline.controller import HOLD, LEVELS, LatencyTarget, Measured
from mien.pipeline.controls import Controls
from mien.pipeline.governor import Governor
from mien.pipeline.sound_way import SoundWay
from mien.pipeline.steps import Captured, Capturer, Synthesiser, TrackedFrame, TrackingStep


def _captured(number: int, **others: Any) -> Captured:
    return Captured(frame(number, **others), number, INTERVAL)


class Studio:
    """A synthesiser, and a controller that can be told how frames went."""

    def __init__(self, best: int = 0) -> None:
        self.clock = ManualClock()
        made = statistics(self.clock)
        self.portrayal = Portrayal(best=best)
        self.governor = Governor(LatencyTarget(), made.live)
        self.controls = Controls()
        self.chains: ChainPlace[int] = ChainPlace(self.portrayal.chain)
        self.synthesise: Synthesiser[int] = Synthesiser(self.chains, self.governor, self.controls, made, self.clock)
        self.synthesise(TrackedFrame(_captured(0), 0))
        self.portrayal.asked.clear()
        self._numbers = iter(range(1, 10_000))

    def sink_to(self, level: str) -> None:
        """Let frames come late until `level` is reached."""
        while LEVELS[self.governor.level] != level:
            self.clock.advance(INTERVAL)
            self.governor.watch(Measured(1.0, INTERVAL, 0.1, 0, self.governor.level), self.clock.now())

    def make(self, count: int) -> list[int]:
        """The shades of the next answers."""
        out = []
        for number in [next(self._numbers) for _ in range(count)]:
            out.append(int(self.synthesise(TrackedFrame(_captured(number), number)).frame.pixels[0, 0, 0]))
        return out


@pytest.mark.parametrize(
    ("level", "asked"),
    [
        ("full", ["full"] * 6),
        ("half", ["carry", "full"] * 3),
        ("warp", ["off"] * 6),
        ("hold", ["off"]),
    ],
)
def test_what_is_painted_at_each_level(level: str, asked: list[str]) -> None:
    studio = Studio()
    studio.sink_to(level)
    shades = studio.make(6)
    assert studio.portrayal.asked == asked
    assert shades == ([1] * 6 if level == "hold" else list(range(1, 7)))


def test_carrying_on_begins_with_something_that_was_painted() -> None:
    studio = Studio()
    studio.sink_to("warp")
    studio.make(1)
    for _ in range(100):
        studio.clock.advance(INTERVAL)
        studio.governor.watch(Measured(0.01, INTERVAL, 0.01, 0, studio.governor.level), studio.clock.now())
        if LEVELS[studio.governor.level] == "half":
            break
    studio.make(3)
    assert studio.portrayal.asked == ["off", "full", "carry", "full"]


def test_without_a_generator_no_level_above_warp_is_tried() -> None:
    studio = Studio(best=LEVELS.index("warp"))
    assert LEVELS[studio.governor.level] == "warp"
    studio.make(3)
    assert studio.portrayal.asked == ["off"] * 3


def test_a_held_answer_still_belongs_to_its_own_frame() -> None:
    studio = Studio()
    studio.sink_to("hold")
    answered = studio.synthesise(TrackedFrame(_captured(9), 9))
    assert answered.level == HOLD
    assert answered.frame.pts == 9
    assert answered.frame.answers is not None
    assert answered.frame.answers.pts == 9


def test_a_held_picture_is_renewed_now_and_then() -> None:
    studio = Studio()
    studio.sink_to("hold")
    shades = []
    for _ in range(25):
        shades += studio.make(1)
        studio.clock.advance(INTERVAL)
    assert len(set(shades)) == 1 + int(25 * INTERVAL / 0.28)
    assert set(studio.portrayal.asked) == {"off"}


def test_while_paused_the_last_picture_stays_and_nothing_is_made() -> None:
    studio = Studio()
    assert studio.make(2) == [1, 2]
    studio.controls.paused = True
    assert studio.make(3) == [2, 2, 2]
    studio.controls.paused = False
    assert studio.make(1) == [6]
    assert studio.portrayal.asked == ["full"] * 3


def test_a_portrait_swapped_in_is_seen_at_once_also_while_held_or_paused() -> None:
    for state in ("hold", "paused"):
        studio = Studio()
        if state == "hold":
            studio.sink_to("hold")
        else:
            studio.controls.paused = True
        before = studio.chains.exchange(Portrayal(shade=100).chain)
        assert studio.make(1) == [101]
        assert before.result(0).names == ("reenact",)


def test_of_two_portraits_before_one_frame_the_later_is_shown_and_the_other_given_back() -> None:
    studio, second, third = Studio(), Portrayal(shade=50), Portrayal(shade=100)
    unused = studio.chains.exchange(second.chain)
    before = studio.chains.exchange(third.chain)
    unused.result(0).close()
    assert second.closed == 1
    assert studio.make(1) == [101]
    before.result(0).close()
    assert studio.portrayal.closed == 1


def test_a_swap_between_models_begins_at_the_new_ones_best_level() -> None:
    studio = Studio(best=LEVELS.index("warp"))
    studio.chains.exchange(Portrayal().chain)
    studio.make(1)
    assert LEVELS[studio.governor.level] == "full"


def test_how_long_a_frame_takes_is_told_per_level() -> None:
    studio = Studio()

    def make(motion: Any, shown: Any, paint: str) -> Any:
        studio.clock.advance(0.05 if paint == "full" else 0.01)
        return shown.pixels

    studio.portrayal.make = make
    answers = [studio.synthesise(TrackedFrame(_captured(n), n)) for n in range(20)]
    assert answers[-1].busy == pytest.approx(0.05, abs=0.002)
    studio.sink_to("half")
    answers = [studio.synthesise(TrackedFrame(_captured(n), n)) for n in range(20)]
    assert answers[-1].busy == pytest.approx(0.03, abs=0.005)


def test_requests_are_fulfilled_before_the_next_frame_and_only_once() -> None:
    controls, done = Controls(), list[str]()
    follow = TrackingStep(stages(motion=lambda face, at: done.append("motion")), controls, statistics(), ManualClock())
    controls.ask(lambda: done.append("re-zero"))
    follow(_captured(0))
    follow(_captured(1))
    assert done == ["re-zero", "motion", "motion"]


def test_while_paused_the_driver_is_not_looked_at() -> None:
    controls, seen = Controls(), list[int]()

    def parse(shown: Frame) -> int:
        seen.append(shown.pts)
        return shown.pts

    follow = TrackingStep(stages(parse=parse), controls, statistics(), ManualClock())
    assert follow(_captured(0)).motion == 0
    controls.paused = True
    assert follow(_captured(1)).motion == 0
    controls.paused = False
    assert follow(_captured(2)).motion == 2
    assert seen == [0, 2]


def test_without_a_face_the_statistics_know_how_dark_it_is() -> None:
    made = statistics()
    follow = TrackingStep(stages(parse=lambda shown: None if shown.pts == 1 else 1), Controls(), made, ManualClock())
    follow(_captured(1, value=9))
    assert made.live.brightness == 9.0
    assert made.frames_without_face == 1
    follow(_captured(2))
    assert made.live.brightness is None


def _capturer(clock: ManualClock) -> tuple[Capturer, SoundWay, Any]:
    made = statistics(clock)
    way = SoundWay(made.live)
    return Capturer(INFO, way, made, clock), way, made


def _times(stamps: Iterator[tuple[int, float]]) -> tuple[list[int], Any]:
    clock = ManualClock(100.0)
    capture, _, made = _capturer(clock)
    out = []
    for pts, captured_at in stamps:
        clock.advance(100.0 + captured_at - clock.now())
        captured = capture(frame(pts, captured_at=100.0 + captured_at))
        assert captured is not None
        out.append(captured.frame.pts)
    return out, made.live


@pytest.mark.parametrize("jump", [-80_000, 80_000], ids=["back", "ahead"])
def test_a_clock_that_jumps_leaves_no_gap(jump: int) -> None:
    out, live = _times((i + (jump if i >= 50 else 0), INTERVAL * i) for i in range(100))
    assert out == list(range(100))
    assert live.jumps == 1


def test_a_frame_without_a_time_of_capture_was_captured_now() -> None:
    clock = ManualClock(7.0)
    capture, _, _ = _capturer(clock)
    shown = frame(0)
    captured = capture(type(shown)(shown.pixels, 0, shown.time_base))
    assert captured is not None
    assert captured.frame.captured_at == 7.0


def test_a_change_of_rate_is_noticed() -> None:
    clock = ManualClock(100.0)
    capture, _, _ = _capturer(clock)
    intervals = []
    for number in [*range(30), *range(31, 91, 2)]:
        clock.advance(100.0 + INTERVAL * number - clock.now())
        captured = capture(frame(number, captured_at=clock.now()))
        assert captured is not None
        intervals.append(captured.interval)
    assert intervals[29] == pytest.approx(INTERVAL)
    assert intervals[-1] == pytest.approx(2 * INTERVAL)


@pytest.mark.parametrize(("rate", "kept"), [(25.0, 50), (30.0, 50), (12.5, 25), (15.0, 30), (24.0, 48), (1.0, 2)])
def test_of_more_frames_than_are_wanted_some_are_left_out_evenly(rate: float, kept: int) -> None:
    clock = ManualClock(100.0)
    made = statistics(clock)
    capture = Capturer(INFO, SoundWay(made.live), made, clock, rate)
    given = [capture(frame(number, captured_at=100.0 + INTERVAL * number)) for number in range(50)]
    passed = [captured for captured in given if captured is not None]
    assert abs(len(passed) - kept) <= 1
    assert [captured.number for captured in passed] == list(range(1, len(passed) + 1)), "none counts as lost"
    assert made.frames_in == 50
    assert made.live.thinned == 50 - len(passed)
    assert passed[-1].interval == pytest.approx(max(INTERVAL, 1 / rate))
    steps = [after.frame.pts - before.frame.pts for before, after in pairwise(passed)]
    assert not steps or max(steps) - min(steps) <= 1


def test_sound_follows_the_frames_when_their_clock_jumps() -> None:
    clock = ManualClock(100.0)
    capture, way, _ = _capturer(clock)
    jump = 80_000
    for number in range(20):
        own = number + (jump if number >= 10 else 0)
        capture(frame(own, captured_at=100.0 + INTERVAL * number))
        clock.advance(INTERVAL)
        assert capture(sound(own)) is None
    begins = [item.pts for item in way.fetch()]
    assert begins == [number * SOUND.rate // 25 for number in range(20)]
