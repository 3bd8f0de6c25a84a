"""Threads that the system does not give."""

from __future__ import annotations

import gc
import signal
import threading
from pathlib import Path

import pytest

from mien import cli
from mien.errors import BackendError
from mien.machine.signals import ending_by_signals
from mien.machine.threads import begun, need_room


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The system gives three threads more; their names."""
    start, given = threading.Thread.start, list[str]()

    def refuse(thread: threading.Thread) -> None:
        if len(given) == 3:
            raise RuntimeError("can't start new thread")
        given.append(thread.name)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    return given


def test_one_line_tells_of_it(few: list[str]) -> None:
    with pytest.raises(BackendError, match="expected to be allowed one more"):
        for number in range(4):
            begun(f"test-{number}", lambda: None)
    assert len(few) == 3


def test_a_trial_leaves_no_thread(few: list[str]) -> None:
    before = threading.active_count()
    with pytest.raises(BackendError):
        need_room()
    assert threading.active_count() == before


@pytest.mark.parametrize("command", ["reenact", "live"])
def test_commands_refuse_before_the_work(
    few: list[str], command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = "--driver" if command == "reenact" else "--camera"
    output = tmp_path / "out.mp4"
    given = [command, "sample:mira", "--model", "warp", source, "sample:driver", "--output", str(output)]
    assert cli.main(given) == 2
    said = capsys.readouterr().err
    assert said.startswith("mien: threads: expected to be allowed one more")
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_second_signal_in_a_destructor_is_not_complained_of(capsys: pytest.CaptureFixture[str]) -> None:
    class Last:
        def __del__(self) -> None:
            signal.raise_signal(signal.SIGTERM)

    with ending_by_signals() as ended:
        last = Last()
        del last
        gc.collect()
        assert ended.number == signal.SIGTERM
        ended.number = None
    assert capsys.readouterr().err == ""
