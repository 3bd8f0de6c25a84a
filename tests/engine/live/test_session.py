"""A whole session, with all rooms and workers, on a source that gives the next frame when one was shown."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
import weakref
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.engine.pipeline.fakes import FedSource, NotingSink

from mien import capture, emit, samples
from mien.capture.image import resized
from mien.capture.paced import Paced
from mien.clock import ManualClock
from mien.config import PRESETS, WARP, ReenactSettings
from mien.errors import FaceError, SinkError
from mien.frame import Frame
from mien.live.making import Shown
from mien.live.session import BACKGROUND_NICE, LiveRequest, LiveSession, open_live, open_source
from mien.live.shared import Shared
from mien.manifest import Bundle
from mien.portrait.prepare import prepare_to_fit
from mien.runtime.opening import open_session
from mien.runtime.sharing import SharedGraphs

PATIENCE = 120.0  # seconds until a hung run fails the test
PORTRAITS = {name: str(path) for name, path in samples.portraits().items()}


@pytest.fixture(scope="module")
def driver() -> NDArray[np.uint8]:
    return resized(capture.image.read(PORTRAITS["teo"]), 256, 256)


class Stage:
    """Runs a session and calls `act` after each frame that was shown, before the next one is captured."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, driver: NDArray[np.uint8], act: Callable[[Stage], None]
    ) -> None:
        self.source = FedSource()
        self.sink = NotingSink(self._shown)
        self.session: LiveSession | None = None
        self.last = driver
        self._driver = driver
        self._act = act
        self._number = 0
        self._open = emit.open
        monkeypatch.setattr("mien.live.session.open_source", lambda *arguments, **named: self.source)
        monkeypatch.setattr(emit, "open", self._opened)

    def run(self, *pictures: str, **settings: Any) -> None:
        plain: dict[str, Any] = {"model": WARP, "size": 128, "mark": False}
        request = LiveRequest(pictures, "fake", "fake sink", ReenactSettings(**plain | settings))

        async def main() -> None:
            async with open_live(request) as self.session:
                self._feed()
                await asyncio.wait_for(self.session.run(), PATIENCE)

        asyncio.run(main())

    def _opened(self, target: Any, *arguments: Any, **named: Any) -> Any:
        return self.sink if target == "fake sink" else self._open(target, *arguments, **named)

    def _shown(self, frame: Frame) -> None:
        self.last = frame.pixels
        self._act(self)
        self._feed()

    def _feed(self) -> None:
        time = Fraction(1, 25)
        self.source.feed(Frame(self._driver, self._number, time, captured_at=1.0 + self._number / 25))
        self._number += 1


def test_a_session_is_steered_while_it_runs(
    monkeypatch: pytest.MonkeyPatch, driver: NDArray[np.uint8], tmp_path: Path
) -> None:
    """A portrait that cannot be swapped in, one that can, a recording beside, gains, panic, pause, in turns."""
    told: list[str] = []
    seen: dict[str, NDArray[np.uint8]] = {}
    steps: list[str] = ["missing"]

    def act(stage: Stage) -> None:
        session = stage.session
        assert session is not None
        live = session.statistics.live
        assert live is not None
        step = steps[-1]
        if step == "missing":
            session.swap(str(tmp_path / "missing.jpg"))
            steps.append("refused")
        elif step == "refused":
            told.extend(session.notices())
            if told:
                seen["first"] = stage.last
                session.swap(PORTRAITS["mira"])
                steps.append("swapped")
        elif step == "swapped" and live.swaps:
            seen["second"] = stage.last
            session.record(tmp_path / "beside.mp4")
            session.set_gains(PRESETS["calm"])
            session.rezero()
            steps.append("recording")
        elif step == "recording":
            session.record(None)
            session.panic = True
            steps.append("panic")
        elif step == "panic":
            seen["slate"] = stage.last
            session.panic = False
            session.paused = True
            steps.append("paused")
        elif step == "paused":
            session.stop()

    stage = Stage(monkeypatch, driver, act)
    stage.run(PORTRAITS["aldo"])
    assert steps[-1] == "paused"
    assert stage.session is not None
    stage.session.swap(PORTRAITS["teo"])  # after the end: nothing happens
    assert len(told) == 1
    assert told[0].startswith(str(tmp_path / "missing.jpg"))
    assert told[0].endswith("; the portrait stays as it is")
    assert seen["first"].shape == seen["second"].shape == seen["slate"].shape
    assert np.abs(seen["first"].astype(int) - seen["second"]).mean() > 10, "another portrait"
    assert (seen["slate"] == seen["slate"][0, 0]).all(axis=2).mean() > 0.8, "a drawn slate"
    assert stage.sink.finished
    with capture.open(tmp_path / "beside.mp4") as recorded:
        assert recorded.info.width == stage.last.shape[1]
        assert next(iter(recorded)).pts == 0


def test_nothing_holds_a_session_that_has_ended(monkeypatch: pytest.MonkeyPatch, driver: NDArray[np.uint8]) -> None:
    """Its encoders, graphs and landmarkers are gone at once, and not when Python next looks for rings."""

    def stop(stage: Stage) -> None:
        assert stage.session is not None
        stage.session.stop()

    stage = Stage(monkeypatch, driver, stop)
    gc.disable()
    try:
        stage.run(PORTRAITS["mira"])
        ended, stage.session = weakref.ref(stage.session), None
        assert ended() is None
    finally:
        gc.enable()


def test_what_cannot_be_opened_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch, driver: NDArray[np.uint8]
) -> None:
    def refuse(*arguments: Any, **named: Any) -> Any:
        raise SinkError("virtual: expected a virtual camera, got none")

    stage = Stage(monkeypatch, driver, lambda stage: None)
    monkeypatch.setattr(emit, "open", refuse)
    with pytest.raises(SinkError, match="virtual camera"):
        stage.run(PORTRAITS["aldo"])
    assert stage.source.ended.is_set()


def test_an_opening_that_is_cancelled_ends_at_its_next_step(
    monkeypatch: pytest.MonkeyPatch, driver: NDArray[np.uint8]
) -> None:
    """Its own graphs are stopped, too."""
    begun, stopped = Event(), list[SharedGraphs]()

    class Noting(SharedGraphs):
        def stop(self) -> None:
            stopped.append(self)
            super().stop()

    def endless(*pictures: str, need_wanted: Callable[[], None], **more: Any) -> Any:
        while True:
            need_wanted()
            begun.set()

    async def main() -> None:
        opening = asyncio.ensure_future(open_live(LiveRequest((PORTRAITS["mira"],), "fake", "null")).__aenter__())
        await asyncio.to_thread(begun.wait, PATIENCE)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening

    monkeypatch.setattr("mien.live.session.prepare", endless)
    monkeypatch.setattr("mien.live.session.SharedGraphs", Noting)
    asyncio.run(main())
    assert len(stopped) == 1


def test_the_look_is_adjusted_while_it_runs_and_stays_with_another_portrait(
    monkeypatch: pytest.MonkeyPatch, driver: NDArray[np.uint8]
) -> None:
    seen: list[NDArray[np.uint8]] = []

    def act(stage: Stage) -> None:
        session = stage.session
        assert session is not None
        live = session.statistics.live
        assert live is not None
        if len(seen) == 3:  # with the same portrait anew
            if live.swaps:
                seen.append(stage.last)
                session.stop()
            return
        seen.append(stage.last)
        session.adjust(relax=(1.0, 0.0, 1.0)[len(seen) - 1], wrinkles=1.0)
        if len(seen) == 3:
            session.swap(PORTRAITS["mira"])

    Stage(monkeypatch, driver, act).run(PORTRAITS["mira"], smooth=0.0)
    first, relaxed, back, anew = seen
    changed = np.abs(relaxed.astype(int) - first).max()
    assert changed > 20
    for one, like in ((back, first), (anew, relaxed)):  # but for how the driver is followed from frame to frame
        assert np.abs(one.astype(int) - like).max() < changed / 4


def test_another_model_is_exchanged_while_it_runs(monkeypatch: pytest.MonkeyPatch, driver: NDArray[np.uint8]) -> None:
    source, levels = FedSource(), list[str]()

    def shown(frame: Frame) -> None:
        session, number = sessions[-1], len(levels)
        live = session.statistics.live
        assert live is not None
        levels.append(session.backend.split()[0])
        if number == 0:
            session.promise(5.0)
            session.show(replace(session.wanted, model="oneshot-live"))
        if live.swaps and "paint" in session.statistics.latencies():
            session.stop()
        else:
            source.feed(Frame(driver, number + 1, Fraction(1, 25), captured_at=1.0 + number / 25))

    sessions: list[LiveSession] = []

    async def main() -> None:
        settings = ReenactSettings(model=WARP, size=128, backend="onnxruntime", threads=1)
        request = LiveRequest((PORTRAITS["aldo"],), source, NotingSink(shown), settings)
        async with open_live(request) as session:
            sessions.append(session)
            source.feed(Frame(driver, 0, Fraction(1, 25), captured_at=1.0))
            await asyncio.wait_for(session.run(), PATIENCE)

    asyncio.run(main())
    assert levels[0] == WARP
    assert levels[-1] == "oneshot-live"
    assert sessions[-1].shown.model == "oneshot-live"


def test_a_portrait_without_a_face_is_refused_before_anything_is_opened(
    monkeypatch: pytest.MonkeyPatch, driver: NDArray[np.uint8], tmp_path: Path
) -> None:
    stage = Stage(monkeypatch, driver, lambda stage: None)
    with emit.open(tmp_path / "grey.png", emit.SinkSettings(64, 64, Fraction(25), Fraction(1, 25))) as sink:
        sink.write(Frame(np.full((64, 64, 3), 128, np.uint8), 0, Fraction(1, 25)))
    with pytest.raises(FaceError, match=r"grey\.png"):
        stage.run(str(tmp_path / "grey.png"))
    assert stage.sink.frames == []


def test_a_file_is_played_as_a_camera_would() -> None:
    with open_source(str(samples.driver()), ManualClock(), 1) as source:
        assert isinstance(source, Paced)
        assert source.info.live


def test_a_session_takes_an_open_source_and_sink_and_what_others_prepared(
    monkeypatch: pytest.MonkeyPatch, driver: NDArray[np.uint8]
) -> None:
    """As a server does; the second portrait was wanted before, with its background, and is not prepared again."""
    counted: list[str] = []
    prepare = prepare_to_fit

    def fitted(size: tuple[int, int], *names: str) -> Any:
        counted.extend(names)
        return prepare(size, *names)

    monkeypatch.setattr("mien.live.shared.prepare_to_fit", fitted)
    shared, source = Shared(), FedSource()
    looks: list[Shown] = []

    def shown(frame: Frame) -> None:
        session = sessions[-1]
        live = session.statistics.live
        assert live is not None
        looks.append(session.shown)
        if len(looks) == 1:
            session.promise(0.5)
            session.show(Shown((PORTRAITS["mira"],), "white"))
        if live.swaps:
            session.stop()
        else:
            feed(len(looks))

    def feed(number: int) -> None:
        source.feed(Frame(driver, number, Fraction(1, 25), captured_at=1.0 + number / 25))

    sessions: list[LiveSession] = []
    for _ in range(2):
        looks.clear()
        source, sink = FedSource(), NotingSink(shown)
        settings = ReenactSettings(model=WARP, size=128)

        async def main(request: LiveRequest) -> None:
            async with open_live(request, shared) as session:
                sessions.append(session)
                feed(0)
                await asyncio.wait_for(session.run(), PATIENCE)

        asyncio.run(main(LiveRequest((PORTRAITS["aldo"],), source, sink, settings)))
        assert sessions[-1].shown == Shown((PORTRAITS["mira"],), "white")
        assert looks[0] == Shown((PORTRAITS["aldo"],), "keep")
        assert sink.frames[-1].pixels[:8, :8].mean() > 250, "the background"
    assert counted == [PORTRAITS["mira"]]
    shared.close()


@pytest.mark.parametrize("read", ["portrait", "source"])
def test_what_is_read_is_not_written_over(tmp_path: Path, read: str) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"precious")
    pictures = (str(path),) if read == "portrait" else (PORTRAITS["aldo"],)
    request = LiveRequest(pictures, str(path) if read == "source" else "fake", str(path), ReenactSettings(model=WARP))

    async def main() -> None:
        async with open_live(request):
            pass

    with pytest.raises(SinkError, match="expected another file than those that are read"):
        asyncio.run(main())
    assert path.read_bytes() == b"precious"


@pytest.mark.skipif(sys.platform != "linux", reason="threads have no niceness of their own")
def test_a_swap_is_prepared_behind_the_frames_and_is_not_starved_beside_other_programs(
    monkeypatch: pytest.MonkeyPatch, driver: NDArray[np.uint8]
) -> None:
    niceness: dict[str, int] = {}

    def fitted(*arguments: Any, **named: Any) -> Any:
        niceness["swap"] = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
        return prepare_to_fit(*arguments, **named)

    def act(stage: Stage) -> None:
        assert stage.session is not None
        if "frames" not in niceness:
            niceness["frames"] = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
            stage.session.swap(PORTRAITS["mira"])
        elif stage.session.statistics.live.swaps:
            stage.session.stop()

    monkeypatch.setattr("mien.live.session.prepare_to_fit", fitted)
    Stage(monkeypatch, driver, act).run(PORTRAITS["aldo"])
    assert niceness["swap"] == min(niceness["frames"] + BACKGROUND_NICE, 19)
    assert 0.25 < 1.25**-BACKGROUND_NICE < 1  # the share of a thread of the run that it gets: see sched(7)


def test_a_portrait_that_is_swapped_in_runs_on_the_weights_that_are_there(
    monkeypatch: pytest.MonkeyPatch, driver: NDArray[np.uint8], whole_bundle: Bundle
) -> None:
    """So nothing is loaded or compiled beside the run, and no thread of a runtime is made on one that gives way."""
    loaded: list[str] = []

    def noted(bundle: Bundle, graph: str, *arguments: Any) -> Any:
        loaded.append(graph)
        return open_session(bundle, graph, *arguments)

    monkeypatch.setattr("mien.live.session.SharedGraphs", lambda: SharedGraphs(noted))
    steps: list[str] = []

    def act(stage: Stage) -> None:
        session = stage.session
        assert session is not None
        if not steps:
            session.swap(PORTRAITS["mira"])
            steps.append("wanted")
        elif session.statistics.live.swaps:
            session.stop()

    stage = Stage(monkeypatch, driver, act)
    stage.run(PORTRAITS["aldo"], model=str(whole_bundle.folder), backend="onnxruntime", size=128)
    assert sorted(loaded) == ["appearance", "generator"]
