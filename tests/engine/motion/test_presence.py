from __future__ import annotations

import numpy as np
import pytest

from mien.motion.filters import EASE_IN, EASE_OUT, HOLD, Presence, step_presence

RATE = 50


def _run(seen: list[bool]) -> list[float]:
    state = Presence()
    out = []
    for i, one in enumerate(seen):
        state = step_presence(state, one, i / RATE)
        out.append(state.share)
    return out


def test_the_first_face_counts_at_once_and_none_counts_nothing() -> None:
    assert _run([False, False, True]) == [0.0, 0.0, 1.0]


def test_a_lost_face_is_held_then_eased_to_neutral_and_back() -> None:
    lost, back = 2 * RATE, 1 * RATE
    shares = _run([True] * RATE + [False] * lost + [True] * back)
    held = RATE + int(HOLD * RATE)
    assert shares[RATE - 1 : held] == [1.0] * (held - RATE + 1)
    gone = int((1 + HOLD + EASE_OUT) * RATE) + 1
    assert 0.3 < shares[(held + gone) // 2] < 0.7
    assert shares[gone : RATE + lost] == [0.0] * (RATE + lost - gone)
    assert shares[-1] == 1.0
    assert shares[RATE + lost + int(EASE_IN * RATE) + 1] == pytest.approx(1.0)


def test_it_is_continuous_whatever_is_seen() -> None:
    rng = np.random.default_rng(4)
    seen = [True] + list(np.repeat(rng.random(60) < 0.5, 12))
    shares = _run([bool(one) for one in seen])
    assert np.abs(np.diff(shares)).max() <= 1.5 / (EASE_IN * RATE) + 1e-9
    assert min(shares) >= 0
    assert max(shares) <= 1


@pytest.mark.parametrize("later", [1.0, 0.4])
def test_time_that_stands_still_or_jumps_back_changes_nothing(later: float) -> None:
    state = step_presence(Presence(), True, 0.0)
    state = step_presence(step_presence(state, False, 0.9), False, 1.0)
    assert step_presence(state, False, later).level == state.level
    assert step_presence(state, True, later).level == state.level
