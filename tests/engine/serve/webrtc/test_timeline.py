"""Pictures and sound on one line."""

from __future__ import annotations

import pytest

from mien.serve.webrtc.timeline import SOUND_RATE, VIDEO_RATE, Count, PeerTimeline, SenderReport

WRAP = 1 << 32


def test_a_count_begins_at_zero_and_does_not_wrap() -> None:
    count = Count(VIDEO_RATE)
    begun = WRAP - 5 * 3600
    ticks = [count.ticks((begun + number * 3600) % WRAP, number / 25) for number in range(10)]
    assert ticks == [number * 3600 for number in range(10)]


def test_a_count_that_begins_anew_goes_on_with_the_time() -> None:
    count = Count(VIDEO_RATE)
    count.ticks(1000, 0.0)
    assert count.ticks(3_000_000_000, 0.5) == VIDEO_RATE // 2
    assert count.ticks(3_000_000_000 + 3600, 0.54) == VIDEO_RATE // 2 + 3600


def test_an_older_one_leaves_the_line_as_it_is() -> None:
    count = Count(VIDEO_RATE)
    count.ticks(10_000, 0.0)
    count.ticks(13_600, 0.04)
    assert count.ticks(10_000, 0.05) == 0
    assert count.ticks(17_200, 0.08) == 7200


def test_sound_waits_for_the_first_picture() -> None:
    timeline = PeerTimeline()
    assert timeline.sound(0, 0.0) is None
    timeline.video(0, 0.01)
    assert timeline.sound(960, 0.02) is not None


def test_without_reports_what_comes_together_belongs_together() -> None:
    timeline = PeerTimeline()
    timeline.video(90_000, 10.0)
    placed = timeline.sound(5_000_000, 10.5)
    assert placed == pytest.approx(SOUND_RATE // 2, abs=1)
    assert timeline.sound(5_000_960, 10.6) == pytest.approx(SOUND_RATE // 2 + 960, abs=1)


def test_reports_put_sound_where_it_was_spoken() -> None:
    timeline = PeerTimeline()
    # a picture of the sender's second 100.0 comes at 10.2, sound of second 100.3 at 10.32: faster by 180 ms
    timeline.video(0, 10.2)
    timeline.report_video(SenderReport(100.0, 0))
    timeline.report_sound(SenderReport(100.3, 7_000))
    assert timeline.sound(7_000, 10.32) == pytest.approx(round(0.3 * SOUND_RATE), abs=1)


def test_reports_that_come_later_move_what_follows() -> None:
    timeline = PeerTimeline()
    timeline.video(0, 10.2)
    before = timeline.sound(7_000, 10.32)
    timeline.report_video(SenderReport(100.0, 0))
    timeline.report_sound(SenderReport(100.3, 7_000))
    assert before == pytest.approx(round(0.12 * SOUND_RATE), abs=1)
    assert timeline.sound(7_960, 10.34) == pytest.approx(round(0.32 * SOUND_RATE), abs=1)


def test_a_clock_that_cannot_be_right_is_not_believed() -> None:
    timeline = PeerTimeline()
    timeline.video(0, 10.0)
    timeline.report_video(SenderReport(0.0, 0))
    timeline.report_sound(SenderReport(3_900_000_000.0, 0))
    assert timeline.sound(0, 10.0) == 0


def test_small_differences_leave_sound_in_one_piece() -> None:
    timeline = PeerTimeline()
    timeline.video(0, 10.0)
    timeline.report_video(SenderReport(100.0, 0))
    timeline.report_sound(SenderReport(100.0, 0))
    timeline.sound(0, 10.0)
    timeline.report_sound(SenderReport(100.015, 0))
    assert timeline.sound(960, 10.02) == 960
