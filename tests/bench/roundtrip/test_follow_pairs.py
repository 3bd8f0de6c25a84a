from __future__ import annotations

from dataclasses import replace

import pytest

from mien_bench.benches import follow
from mien_bench.roundtrip.follow_pairs import Container, Pair, judge
from mien_bench.roundtrip.track_measures import Agreement, Leak

GOOD = Pair(
    driver="clip",
    portrait="face",
    container=Container(frames=(90, 90), rate=(30.0, 30.0), duration=(3.0, 3.0), latest=0.0, sound=3.0),
    output={"yaw": Agreement(0.97, 0.9, 40.0)},
    calm=9,
    output_leak={name: Leak(0.01, 0.02) for name in ("width_to_height", "nose_width", "eye_width")},
    target_leak={name: Leak(0.01, 0.02) for name in ("width_to_height", "nose_width", "eye_width")},
)
CONTAINER = Container(frames=(90, 90), rate=(30.0, 30.0), duration=(3.0, 3.0), latest=0.0, sound=3.0)


def _failed(*pairs: Pair) -> list[str]:
    return [check.name for check in judge(pairs) if not check.passed]


def test_good_pairs_pass() -> None:
    assert _failed(GOOD, GOOD) == []


@pytest.mark.parametrize(
    ("bad", "name"),
    [
        (replace(GOOD, trouble="ValueError: no"), "crashes"),
        (replace(GOOD, container=replace(CONTAINER, frames=(90, 89))), "other frame count"),
        (replace(GOOD, container=replace(CONTAINER, rate=(30.0, 29.0))), "other rate"),
        (replace(GOOD, container=replace(CONTAINER, duration=(3.0, 3.1))), "other duration"),
        (replace(GOOD, container=replace(CONTAINER, sound=-55.0)), "sound off"),
        (replace(GOOD, target_leak={**GOOD.target_leak, "nose_width": Leak(-0.04, 0.05)}), "nose_width of target"),
    ],
)
def test_one_bad_pair_fails_what_is_asked_of_each(bad: Pair, name: str) -> None:
    assert _failed(GOOD, GOOD, bad) == [name]


def test_following_is_judged_in_the_median() -> None:
    bad = replace(GOOD, output={"yaw": Agreement(0.1, 0.2, 40.0)})
    assert _failed(GOOD, GOOD, bad) == []
    assert _failed(GOOD, bad, bad) == ["yaw (3 pairs) correlation", "yaw (3 pairs) slope"]


def test_nothing_is_asked_of_what_no_driver_does() -> None:
    assert not any(check.name.startswith("roll") for check in judge([GOOD]))


def test_lines_and_summary_say_it() -> None:
    assert "0.97/0.90" in follow.line(GOOD)
    assert "ValueError: no" in follow.line(replace(GOOD, trouble="ValueError: no"))


def test_pairs_become_a_result() -> None:
    trouble = replace(GOOD, trouble="ValueError: no", output={}, output_leak={})
    result = follow.result([GOOD, GOOD, trouble], {"size": 512})
    rows = {row.name: row for row in result.rows}
    assert rows["yaw, correlation"].values == (0.97, 0.97)
    assert rows["leak of nose_width"].median == pytest.approx(1.0)
    assert [check.name for check in result.checks if not check.kept] == ["crashes"]
    assert result.notes == ("clip x face: ValueError: no",)
