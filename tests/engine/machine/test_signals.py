"""Signals that end a command, in processes of their own where it matters."""

from __future__ import annotations

import asyncio
import signal
import threading
from pathlib import Path

import pytest
from tests.engine.processes import LIMIT, SMALL, begun, hidden

from mien.machine.signals import EndedBySignal, check, ending_by_signals, held_back, is_ending, told_of_signals

pytestmark = pytest.mark.usefixtures("one_stack")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGXCPU, signal.SIGQUIT])
def test_a_signal_is_an_interrupt_with_an_exit_code_of_its_own(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with ending_by_signals() as ended:
        with pytest.raises(KeyboardInterrupt) as raised:
            signal.raise_signal(number)
        assert ended.code(raised.value) == 128 + number
        with pytest.raises(KeyboardInterrupt):
            check()  # had it been lost
        ended.leaving = True
        check()
        signal.raise_signal(number)
    assert signal.getsignal(number) == before


def test_the_first_of_several_signals_decides_the_exit_code() -> None:
    with ending_by_signals() as ended:
        for number in (signal.SIGTERM, signal.SIGHUP):
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(number)
    assert ended.code(KeyboardInterrupt()) == 143
    assert EndedBySignal().code(KeyboardInterrupt()) == 130


def test_what_is_ignored_stays_ignored() -> None:
    heard: list[int] = []

    async def run() -> None:
        with told_of_signals(heard.append):
            signal.raise_signal(signal.SIGHUP)
            signal.raise_signal(signal.SIGTERM)
            await asyncio.sleep(0)
            await asyncio.sleep(0)

    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with ending_by_signals():
            signal.raise_signal(signal.SIGHUP)
        asyncio.run(run())
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
    assert heard == [signal.SIGTERM]


def test_what_comes_before_a_loop_is_there_is_told_to_it_and_what_comes_after_is_raised() -> None:
    heard: list[int] = []

    async def run() -> None:
        with told_of_signals(heard.append):
            await asyncio.sleep(0)

    with ending_by_signals() as ended:
        with held_back():
            signal.raise_signal(signal.SIGTERM)
            asyncio.run(run())
        assert heard == [signal.SIGTERM]
        with pytest.raises(KeyboardInterrupt) as raised, held_back():
            signal.raise_signal(signal.SIGHUP)
        assert ended.code(raised.value) == 129


def test_a_command_knows_that_it_is_ending_once_its_loop_was_told() -> None:
    known = list[bool]()

    async def run() -> None:
        heard = asyncio.Event()
        with told_of_signals(lambda number: heard.set()):
            known.append(is_ending())
            signal.raise_signal(signal.SIGTERM)
            await heard.wait()

    with ending_by_signals():
        asyncio.run(run())
        known.append(is_ending())
    assert known == [False, True]
    assert not is_ending()


def test_handlers_are_as_before_a_loop_was_told() -> None:
    async def run() -> None:
        with told_of_signals(lambda number: None):
            pass

    with ending_by_signals() as ended:
        asyncio.run(run())
        assert signal.getsignal(signal.SIGTERM) is signal.getsignal(signal.SIGHUP) is ended


def test_a_signal_waits_for_the_end_of_an_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Libraries in C make an ImportError of what is raised there, or lose it."""
    (tmp_path / "signalled.py").write_text(
        "import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\nwhole = sum(range(1000))\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    with ending_by_signals(), pytest.raises(KeyboardInterrupt):
        import signalled  # type: ignore[import-not-found]

        threading.Event().wait(LIMIT)
    assert signalled.whole == 499500


def test_a_signal_ends_an_import_at_the_next_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "signalled_first.py").write_text(
        "import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\ntry:\n    import signalled_second\n"
        "except ImportError:\n    pass\n"
    )
    (tmp_path / "signalled_second.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    with ending_by_signals() as ended:
        with pytest.raises(KeyboardInterrupt) as raised:
            import signalled_first  # type: ignore[import-not-found]  # noqa: F401
        import signalled_second  # type: ignore[import-not-found]  # noqa: F401 - what is left may import
    assert ended.code(raised.value) == 143


def test_protobuf_is_imported_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Native code imports its modules, and prints what is raised in them."""
    (tmp_path / "google_first.py").write_text(
        "import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\nimport signalled_by_it\nwhole = True\n"
    )
    (tmp_path / "signalled_by_it.py").write_text("import google_last")
    (tmp_path / "google_last.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    with ending_by_signals(), pytest.raises(KeyboardInterrupt):
        import google_first  # type: ignore[import-not-found]

        threading.Event().wait(LIMIT)
    assert google_first.whole


@pytest.mark.parametrize(("number", "output", "code"), [(signal.SIGTERM, "out.mp4", 143), (signal.SIGHUP, "new", 129)])
def test_a_command_that_is_ended_leaves_nothing(tmp_path: Path, number: signal.Signals, output: str, code: int) -> None:
    command = [*SMALL, "--driver", "sample:driver", "--output", output, "--sheet", "s.png", "--json", "s.json"]
    with begun(command, tmp_path) as process:
        hidden(tmp_path, process, output)
        process.send_signal(number)
        process.send_signal(number)  # a second one while it cleans up
        _, said = process.communicate(timeout=LIMIT)
    assert list(tmp_path.iterdir()) == []
    assert process.returncode in (code, -number)  # it may have ended when the second one came
    assert said.startswith("mien: ended by SIG")


def test_under_nohup_a_command_goes_on(tmp_path: Path) -> None:
    command = [*SMALL, "--driver", "sample:driver", "--duration", "0.4", "--output", "out.mp4"]
    with begun(command, tmp_path, ignored=signal.SIGHUP) as process:
        hidden(tmp_path, process, "out.mp4")
        process.send_signal(signal.SIGHUP)
        assert process.wait(LIMIT) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]
