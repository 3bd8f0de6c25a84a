from __future__ import annotations

import argparse
import asyncio
import io
import json
import math
import os
import signal
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mien import cli
from mien.bundles.driving import driving_models
from mien.clock import ManualClock
from mien.commands import live as live_command
from mien.commands.live import Console
from mien.commands.terminal import StatusLine
from mien.config import PRESETS, Gains, ReenactSettings
from mien.errors import FaceError
from mien.live.making import Shown
from mien.live.session import LiveRequest
from mien.stats import LiveStatistics


class FakeSession:
    """Notes what it is asked, and runs until it is stopped, or fails."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.statistics = LiveStatistics(ManualClock())
        self.backend = "warp"
        self.wanted = Shown(("a.jpg",), "keep")
        self.done: list[Any] = []
        self.told: list[str] = []
        self.paused = self.panic = self.recording = False
        self._error = error
        self._stopped = asyncio.Event()

    async def run(self) -> None:
        if self._error is not None:
            raise self._error
        await self._stopped.wait()

    def stop(self) -> None:
        self.done.append("stop")
        self._stopped.set()

    def rezero(self) -> None:
        self.done.append("re-zero")

    def set_gains(self, gains: Gains) -> None:
        self.done.append(gains)

    def swap(self, *pictures: str) -> None:
        self.done.append(pictures)

    def show(self, shown: Shown) -> None:
        self.wanted = shown
        self.done.append(shown)

    def record(self, path: Path | None) -> None:
        self.recording = path is not None
        self.done.append(path)

    def on_key(self, pressed: Callable[[str], None]) -> None:
        self.pressed = pressed

    def notices(self) -> list[str]:
        told, self.told = self.told, []
        return told


def _console(session: FakeSession, *portraits: str, record: Path | None = None) -> tuple[Console, io.StringIO]:
    out = io.StringIO()
    status = StatusLine(out, session.statistics, ManualClock())
    return Console(session, status, list(portraits), record), out  # type: ignore[arg-type]


def test_keys_change_the_degree_of_a_morph_step_by_step() -> None:
    session = FakeSession()
    console, out = _console(session, "a.jpg")
    console.press("]")
    assert "no second portrait" in out.getvalue()
    session.wanted = replace(session.wanted, morph="b.jpg", degree=0.75)
    for key in "]]][[":
        console.press(key)
    assert [shown.degree for shown in session.done] == [0.85, 0.95, 1.0, 0.9, 0.8]
    assert "morph: 80%" in out.getvalue()


def test_a_key_goes_round_the_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mien.bundles.user_models", lambda: tmp_path)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "manifest.toml").write_text("format = 2")
    session = FakeSession()
    console, out = _console(session, "a.jpg")
    here = driving_models()
    for _ in range(len(here) + 1):
        console.press("m")
    shown = [one.model for one in session.done]
    assert sorted(set(shown)) == sorted(here)
    assert shown[-1] == shown[0]
    assert shown[-2] == ReenactSettings().model
    assert {"warp", "oneshot-live", "spade-video"} <= set(here)
    assert not {"parsing", "style", "scgan", "broken"} & set(here)
    assert f"next model: {shown[0]}" in out.getvalue()


def test_the_key_of_models_passes_over_what_was_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    session, out = FakeSession(), io.StringIO()
    status = StatusLine(out, session.statistics, ManualClock())
    console = Console(session, status, ["a.jpg"], None, model="warp")  # type: ignore[arg-type]
    monkeypatch.setattr("mien.bundles.driving.driving_models", lambda: ["warp", "mine"])
    session.wanted = replace(session.wanted, model="removed")
    console.press("m")
    assert session.wanted.model == "warp"
    monkeypatch.setattr("mien.bundles.driving.driving_models", lambda: ["warp"])
    console.press("m")
    assert session.wanted.model == "warp"
    assert "there is no other model" in out.getvalue()


def test_keys_steer_the_session() -> None:
    session = FakeSession()
    console, _ = _console(session, "a.jpg")
    for key in "z1230?éq":
        console.press(key)
    presets = list(PRESETS.values())
    assert session.done == ["re-zero", *presets[:3], "stop"]


def test_presets_multiply_the_gains_that_were_given() -> None:
    session = FakeSession()
    status = StatusLine(io.StringIO(), session.statistics, ManualClock())
    console = Console(session, status, ["a.jpg"], None, Gains(pose=0.0, brows=2.0))  # type: ignore[arg-type]
    for key in "123":
        console.press(key)
    assert session.done[0] == Gains(pose=0.0, brows=2.0)
    assert session.done[1].pose == 0.0
    assert session.done[1].brows == pytest.approx(1.4)
    assert session.done[2].brows == pytest.approx(2.4)


def test_the_help_knows_all_presets() -> None:
    assert tuple(PRESETS) == live_command.PRESETS


@pytest.mark.parametrize(("key", "name"), [("p", "paused"), ("x", "panic")])
def test_a_key_switches_on_and_off(key: str, name: str) -> None:
    session = FakeSession()
    console, _ = _console(session, "a.jpg")
    console.press(key)
    assert getattr(session, name)
    console.press(key)
    assert not getattr(session, name)


def test_a_key_goes_round_the_portraits() -> None:
    session = FakeSession()
    console, _ = _console(session, "a.jpg", "b.jpg", "c.jpg")
    for _ in range(4):
        console.press("n")
    assert session.done == [("b.jpg",), ("c.jpg",), ("a.jpg",), ("b.jpg",)]


def test_without_another_portrait_the_key_says_what_to_do() -> None:
    session = FakeSession()
    console, out = _console(session, "a.jpg")
    console.press("n")
    assert session.done == []
    assert "--next" in out.getvalue()


def test_recordings_never_replace_one_another(tmp_path: Path) -> None:
    session = FakeSession()
    console, out = _console(session, "a.jpg", record=tmp_path / "me.mp4")
    for number in ("", "-2", "-3"):
        console.press("r")
        path = tmp_path / f"me{number}.mp4"
        assert session.done[-1] == path
        assert f"recording into {path}" in out.getvalue()
        path.touch()
        console.press("r")
        assert session.done[-1] is None


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[LiveRequest]:
    """What was asked to be opened; what is opened ends by itself at once."""
    requests: list[LiveRequest] = []
    _replace(monkeypatch, requests, lambda: _Ending())
    return requests


class _Ending(FakeSession):
    async def run(self) -> None:
        self.statistics.frames_out = 7
        self.told = ["broken.jpg: expected a face, got none; the portrait stays as it is"]


def _replace(monkeypatch: pytest.MonkeyPatch, requests: list[LiveRequest], made: Callable[[], FakeSession]) -> None:
    @asynccontextmanager
    async def open_live(request: LiveRequest) -> AsyncIterator[FakeSession]:
        requests.append(request)
        yield made()

    monkeypatch.setattr("mien.live.session.open_live", open_live)


def test_the_command_line_becomes_a_request(opened: list[LiveRequest]) -> None:
    given = "live a.jpg b.jpg --camera clip.mp4 --output out.mkv --latency 80 --sound none --loop --no-pose --size 320"
    assert cli.main(given.split()) == 0
    (request,) = opened
    assert request.pictures == ("a.jpg", "b.jpg")
    assert (request.source, request.output, request.latency) == ("clip.mp4", "out.mkv", 0.08)
    assert (request.sound, request.loop, request.virtual_microphone) == ("none", True, False)
    assert (request.settings.motion.gains.pose, request.settings.size) == (0.0, 320)
    assert request.rate == math.inf


def test_a_preset_and_a_rate_may_be_given(opened: list[LiveRequest]) -> None:
    assert cli.main(["live", "a.jpg", "--preset", "calm", "--brows", "2", "--rate", "15"]) == 0
    gains = opened[0].settings.motion.gains
    assert gains.pose == 0.6
    assert gains.brows == pytest.approx(1.4)
    assert opened[0].rate == 15


def test_plain_call_takes_the_first_camera_and_a_window(opened: list[LiveRequest]) -> None:
    assert cli.main(["live", "a.jpg"]) == 0
    assert (opened[0].source, opened[0].output, opened[0].latency) == ("camera:0", "window", 0.1)


def test_statistics_and_what_went_wrong_are_told(
    opened: list[LiveRequest], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["live", "a.jpg", "--json", str(tmp_path / "live.json")]) == 0
    assert json.loads((tmp_path / "live.json").read_text())["frames"]["out"] == 7
    said = capsys.readouterr()
    assert "mien: broken.jpg: expected a face, got none; the portrait stays as it is\n" in said.err
    assert said.out == ""


def test_an_error_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    _replace(monkeypatch, [], lambda: FakeSession(FaceError("a.jpg: expected a face, got none")))
    assert cli.main(["live", "a.jpg", "--output", "null"]) == 2
    assert capsys.readouterr().err == "mien: a.jpg: expected a face, got none\n"


def test_keys_of_a_window_do_what_those_of_the_terminal_do(monkeypatch: pytest.MonkeyPatch) -> None:
    class Windowed(FakeSession):
        async def run(self) -> None:
            presser = threading.Thread(target=lambda: [self.pressed(key) for key in "zxq"])
            presser.start()
            await self._stopped.wait()
            presser.join()

    made: list[FakeSession] = []
    _replace(monkeypatch, [], lambda: made.append(Windowed()) or made[-1])  # type: ignore[func-returns-value]
    assert cli.main(["live", "a.jpg", "--quiet"]) == 0
    assert made[0].done == ["re-zero", "stop"]
    assert made[0].panic


def test_the_duration_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[FakeSession] = []
    _replace(monkeypatch, [], lambda: made.append(FakeSession()) or made[-1])  # type: ignore[func-returns-value]
    assert cli.main(["live", "a.jpg", "--duration", "0.01", "--quiet"]) == 0
    assert made[0].done == ["stop"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_in_order_and_a_second_interrupt_at_once(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_command, "TOGETHER", 0.0)

    class Stubborn(FakeSession):
        """Goes on once it was told to stop, until it is cancelled."""

        async def run(self) -> None:
            loop = asyncio.get_running_loop()
            loop.call_soon(os.kill, os.getpid(), number)
            await self._stopped.wait()
            loop.call_soon(os.kill, os.getpid(), signal.SIGINT)
            await asyncio.Event().wait()

    made: list[FakeSession] = []
    _replace(monkeypatch, [], lambda: made.append(Stubborn()) or made[-1])  # type: ignore[func-returns-value]
    assert cli.main(["live", "a.jpg", "--quiet"]) == 130
    assert made[0].done == ["stop"]


def test_signals_that_come_together_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """As those of `timeout`, to the program and to its group."""

    class Ending(FakeSession):
        """Takes some turns of the event loop to end, after another signal has come."""

        async def run(self) -> None:
            os.kill(os.getpid(), signal.SIGTERM)
            await self._stopped.wait()
            os.kill(os.getpid(), signal.SIGTERM)
            for _ in range(10):
                await asyncio.sleep(0.001)
            self.done.append("ended")

    made: list[FakeSession] = []
    _replace(monkeypatch, [], lambda: made.append(Ending()) or made[-1])  # type: ignore[func-returns-value]
    assert cli.main(["live", "a.jpg", "--quiet"]) == 0
    assert made[0].done == ["stop", "ended"]


@pytest.mark.parametrize(
    "given",
    [
        "--latency 0",
        "--latency -5",
        "--latency nan",
        "--latency 1e-9",
        "--duration 0",
        "--duration inf",
        "--rate 0",
        "--rate 1e-6",
    ],
)
def test_settings_out_of_range_are_refused(
    given: str, opened: list[LiveRequest], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["live", "a.jpg", *given.split()]) == 2
    assert " must be from " in capsys.readouterr().err
    assert opened == []


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ("me.xyz", "expected a video ending in .mp4"),
        ("none/me.mp4", "to exist, got none"),
        ("folder", "got a folder"),
        ("a.jpg", "those that are read"),
        ("out.mp4", "that of --output"),
    ],
)
def test_a_recording_that_cannot_be_is_refused_before_the_run(
    record: str,
    reason: str,
    opened: list[LiveRequest],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    Path("a.jpg").write_bytes(b"a picture")
    assert cli.main(["live", "a.jpg", "--output", "out.mp4", "--record", record]) == 2
    assert reason in capsys.readouterr().err
    assert opened == []


def test_options_have_help() -> None:
    parser = argparse.ArgumentParser()
    live_command.add_options(parser)
    assert "--camera" in parser.format_help()
