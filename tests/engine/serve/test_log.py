from __future__ import annotations

import io
import logging

import pytest

from mien.clock import ManualClock
from mien.serve.log import OneLine, Repeated, http_logger, in_a_line, log_to
from mien.serve.session import Fps
from mien.stats import Statistics


def _raise(error: Exception) -> Exception:
    try:
        raise error
    except Exception as raised:
        return raised


def test_an_error_is_told_by_kind_words_and_place() -> None:
    assert in_a_line(_raise(ValueError("two\nlines"))).startswith("ValueError: two lines (test_log.py:")
    assert in_a_line(_raise(MemoryError())).startswith("MemoryError (test_log.py:")
    assert in_a_line(KeyError("x")) == "KeyError: 'x'"
    assert len(in_a_line(ValueError("x" * 10_000))) < 600


def test_a_record_is_one_line_whatever_comes_along() -> None:
    error = _raise(ValueError("two\nlines"))
    record = logging.LogRecord("a", logging.ERROR, "", 0, "it\nfailed", (), (type(error), error, error.__traceback__))
    told = OneLine().format(record)
    assert "\n" not in told
    assert "it failed" in told
    assert "ValueError: two lines" in told


def test_of_what_a_client_sent_nothing_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    try:
        raise ValueError("Authorization: Bearer secret")
    except ValueError:
        http_logger().exception("Error handling request from %s", "192.0.2.1")
    (record,) = caplog.records
    assert record.getMessage() == "Error handling request from 192.0.2.1: ValueError"
    assert record.exc_info is None


def test_a_client_that_leaves_in_the_middle_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    """As aiohttp tells it, where an upload breaks off."""
    try:
        raise ConnectionResetError("Connection lost")
    except ConnectionResetError:
        http_logger().exception("Error handling request from %s", "192.0.2.1")
    assert caplog.records == []


def test_a_librarys_words_are_told_again_only_after_a_while() -> None:
    """asyncio says that there is no descriptor left for each connection that waits, many times a second."""
    repeated = Repeated()

    def told(words: str, at: float) -> bool:
        record = logging.LogRecord("asyncio", logging.ERROR, "", 0, words, (), None)
        record.created = at
        return repeated.filter(record)

    assert [told("no descriptor", at) for at in (0.0, 0.1, 9.9, 10.1, 10.2)] == [True, False, False, True, False]
    assert told("something else", 10.3)


def test_what_is_logged_is_written_and_libraries_are_quiet() -> None:
    out = io.StringIO()
    handler = log_to(out)
    try:
        logging.getLogger("mien.serve.x").info("begun")
        logging.getLogger("aioice.ice").info("chatter")
        logging.getLogger("matplotlib").warning("a folder that it would like to have")
    finally:
        logging.getLogger().removeHandler(handler)
        logging.captureWarnings(False)
        logging.getLogger("mien").setLevel(logging.NOTSET)
    assert out.getvalue().endswith("INFO begun\n")
    assert out.getvalue().count("\n") == 1


def test_frames_per_second_are_those_of_late() -> None:
    clock = ManualClock()
    statistics, fps = Statistics(clock), Fps(clock)
    for step in range(100):
        statistics.frames_in += 3 if step < 50 else 6
        statistics.frames_out += 2
        fps.see(statistics)
        fps.see(statistics)
        clock.advance(0.1)
    assert fps.coming == pytest.approx(60, rel=0.1)
    assert fps.going == pytest.approx(20, rel=0.1)
