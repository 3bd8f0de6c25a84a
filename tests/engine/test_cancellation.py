from __future__ import annotations

import sys
from concurrent.futures import Future
from pathlib import Path
from threading import Event, current_thread

import pytest

from mien import cancellation
from mien.cancellation import Cancellation, imports_ended_by, waited_for
from mien.errors import Stopped

LONG = 60.0


class Thing:
    """Something that is closed."""

    def __init__(self) -> None:
        self.closed = False

    def close(self) -> None:
        self.closed = True


def test_what_is_cancelled_makes_the_calls_of_those_that_wait_then_and_is_wanted_no_more() -> None:
    asked, told = Cancellation(), list[str]()
    asked.need_wanted()
    with asked.calling(lambda: told.append("over before")):
        pass
    with asked.calling(lambda: told.append("waits")):
        asked.cancel()
    with asked.calling(lambda: told.append("late")):
        assert told == ["waits", "late"]
    assert asked.is_cancelled
    with pytest.raises(Stopped):
        asked.need_wanted()


def test_what_is_waited_for_is_made_on_another_thread() -> None:
    made, on = Thing(), list[str]()

    def work(own: Cancellation) -> Thing:
        on.append(current_thread().name)
        return made

    assert waited_for("maker", work) is made
    assert on == ["maker"]
    assert not made.closed


def test_an_error_is_raised_where_it_is_waited_for() -> None:
    def work(own: Cancellation) -> Thing:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        waited_for("maker", work)


def test_a_cancellation_reaches_the_work() -> None:
    outer = Cancellation()

    def work(own: Cancellation) -> Thing:
        ended = Event()
        with own.calling(ended.set):
            outer.cancel()
            assert ended.wait(LONG)
        own.need_wanted()
        return Thing()

    with pytest.raises(Stopped):
        waited_for("maker", work, outer)


def test_what_was_made_too_late_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupt ends the wait; the work does not heed the cancellation, but ends."""
    made = Thing()

    class Interrupted(Future[Thing]):
        def result(self, timeout: float | None = None) -> Thing:
            if not self.done():
                raise KeyboardInterrupt
            return super().result(timeout)

    def work(own: Cancellation) -> Thing:
        ended = Event()
        with own.calling(ended.set):
            assert ended.wait(LONG)
        return made

    monkeypatch.setattr(cancellation, "Future", Interrupted)
    monkeypatch.setattr(cancellation, "LEFT", LONG)
    with pytest.raises(KeyboardInterrupt):
        waited_for("maker", work)
    assert made.closed


def test_imports_end_at_the_next_module_once_a_command_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "large_first.py").write_text("import large_second\n")
    (tmp_path / "large_second.py").write_text("import large_third\n")
    (tmp_path / "large_third.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    asked: list[bool] = []

    def need_wanted() -> None:
        asked.append(True)
        if len(asked) == 2:
            raise Stopped("enough")

    with imports_ended_by(need_wanted):
        import large_third  # type: ignore[import-not-found]  # noqa: F401 - nothing has ended
    assert asked == []
    monkeypatch.setattr(cancellation, "is_ending", lambda: True)
    with imports_ended_by(need_wanted), pytest.raises(Stopped):
        import large_first  # type: ignore[import-not-found]  # noqa: F401
    assert "large_first" not in sys.modules
    assert "large_second" not in sys.modules
