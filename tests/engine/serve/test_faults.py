"""What goes wrong with one session leaves the others as they were, and one line in the log."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.engine.serve.harness import OFFER, SETTINGS, FakeAnswering, FakeBroadcast, FakePeer, run, serving
from tests.engine.serve.test_sessions import running, watching

from mien.chain import ReenactChain, open_chain
from mien.clock import MonotonicClock
from mien.errors import SourceError
from mien.frame import Frame
from mien.serve.session import Session

Picture = NDArray[np.uint8]
MORE = 20
"""Frames that the others show after the fault."""
SDP = {"Content-Type": "application/sdp"}


class Steady:
    """Feeds a peer the next frame when the one before was shown: a rate that no machine is too slow for."""

    def __init__(self, peer: FakePeer, picture: Picture) -> None:
        self._peer, self._picture, self._clock = peer, picture, MonotonicClock()
        self.number = 0

    def feed(self) -> None:
        self.number += 1
        self._peer.source.feed(Frame(self._picture, self.number, Fraction(1, 25), captured_at=self._clock.now()))


class Failing:
    """A stage of the synthesis that raises when it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, portrait: str) -> None:
        self.error: BaseException | None = None
        self._portrait = portrait
        self._open = open_chain
        monkeypatch.setattr("mien.live.making.open_chain", self._opened)

    def _opened(self, portraits: Any, *arguments: Any, **named: Any) -> ReenactChain:
        chain = self._open(portraits, *arguments, **named)
        return replace(chain, later=(("failing", lambda pixels: self._stage(portraits, pixels)),))

    def _stage(self, portraits: Any, pixels: Picture) -> Picture:
        if self.error is not None and portraits[0].digest == self._portrait:
            raise self.error
        return pixels


@pytest.mark.parametrize("error", [RuntimeError("the device is lost"), MemoryError(), KeyError("x\ny")])
def test_an_error_in_one_sessions_stage_ends_that_one(
    driver_picture: Picture,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: BaseException,
    digest_of: Callable[[str], str],
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr("mien.serve.sessions.overloaded", lambda *_: False)  # a busy machine has no room for a third
    failing = Failing(monkeypatch, digest_of("mira"))

    async def main() -> None:
        async with serving() as place:
            broken, sound = (await place.begin(portrait="mira"))["id"], (await place.begin(portrait="aldo"))["id"]
            peers, broadcasts = place.answering.peers, place.answering.broadcasts
            steady = Steady(peers[1], driver_picture)
            async with watching(peers[0], driver_picture):
                await running(place, broken)
                steady.feed()
                await running(place, sound)
                failing.error = error
                await place.until_true(lambda: len(place.server.sessions.all) == 1)
            other = place.server.sessions.find(sound)
            for _ in range(MORE):
                steady.feed()
                await place.until_true(lambda: _answered(other) == steady.number)
            told = (await place.ask("GET", f"/api/v1/sessions/{sound}/statistics")).json
            assert (told["state"], told["frames"]["dropped"]) == ("running", 0)
            assert broadcasts[0].discarded
            assert peers[0].closed_because == "the session ended"
            await place.ask("GET", f"/api/v1/sessions/{broken}", status=404)
            await place.begin(portrait="aldo")

    run(main)
    (line,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert "failed" in line
    assert type(error).__name__ in line
    assert "\n" not in line


def _answered(session: Session) -> int:
    """Frames that were shown, but for repeated ones."""
    assert session.live is not None
    assert session.live.statistics.live is not None
    return sum(session.live.statistics.live.levels.values())


def test_an_error_of_the_engine_that_a_user_can_cure_is_told_to_the_client(
    driver_picture: Picture, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with serving() as place:
            begun = await place.begin()
            session = place.server.sessions.find(begun["id"])
            place.answering.peers[0].source.feed(SourceError("peer: expected pictures, got none"))
            await place.until_true(lambda: session.state == "ended")
            assert session.ended_because == "peer: expected pictures, got none"

    run(main)
    assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) == 1


def test_a_broadcast_that_fails_ends_its_session(driver_picture: Picture, caplog: pytest.LogCaptureFixture) -> None:
    def fail(frame: Frame) -> None:
        raise MemoryError

    async def main() -> None:
        async with serving(answering=FakeAnswering(on_write=fail)) as place:
            await place.begin()
            async with watching(place.answering.peers[0], driver_picture):
                await place.until_true(lambda: place.server.sessions.all == ())

    run(main)
    assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) == 1


def test_a_portrait_that_cannot_be_opened_ends_the_session_and_is_told(
    tmp_path: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with serving(replace(SETTINGS, portraits=tmp_path)) as place:
            entry = place.server.portraits.find("mira")
            gone = replace(entry, id="gone", path=tmp_path / "gone.png")
            place.server.portraits._entries["gone"] = gone
            session = place.server.sessions.find((await place.begin(portrait="gone"))["id"])
            await place.until_true(session.ended.is_set)
            assert session.ended_because is not None
            assert session.ended_because.startswith("portrait Mira: ")
            assert str(tmp_path) not in session.ended_because

    run(main)
    assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) == 1


def test_a_flood_of_frames_costs_only_drops(driver_picture: Picture) -> None:
    """A real source keeps the newest only; a fake one shows that what does come through is bounded by the slots."""

    async def main() -> None:
        async with serving() as place:
            begun = await place.begin()
            steady = Steady(place.answering.peers[0], driver_picture)
            for _ in range(400):
                steady.feed()
            at = f"/api/v1/sessions/{begun['id']}/statistics"
            told = await place.until(at, lambda told: told.get("frames", {}).get("in", 0) == 400)
            await place.until(at, lambda told: _all_accounted(told))
            assert told["state"] == "running"

    run(main)


def _all_accounted(told: dict[str, Any]) -> bool:
    """Every frame was shown, or dropped for a newer one."""
    frames = told["frames"]
    return bool(frames["out"] - told["live"]["held"] + frames["dropped"] >= frames["in"])


def test_offers_that_are_garbage_begin_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with serving() as place:
            for offer in ("\0", "m=video", "o=" * 1000, "{}", "<xml/>", " "):
                await place.ask("POST", "/whip", status=400, headers=SDP, data=offer)
            await place.ask("POST", "/whip", status=201, headers=SDP, data=OFFER)

    run(main)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_an_error_of_the_server_is_one_line_and_one_answer(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*arguments: object) -> FakeBroadcast:
        raise ZeroDivisionError("of a kind that nobody thought of")

    async def main() -> None:
        async with serving() as place:
            monkeypatch.setattr(place.answering, "broadcast", fail)
            answer = await place.ask("POST", "/whip", status=500, headers=SDP, data=OFFER)
            assert answer.message.startswith("server: expected to answer")
            assert "nobody thought" not in answer.message

    run(main)
    (line,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert line.startswith("POST /whip failed: ZeroDivisionError: of a kind that nobody thought of (test_faults.py:")


def test_the_server_ends_in_order_with_sessions_and_streams_under_way(driver_picture: Picture) -> None:
    async def main() -> None:
        async with serving() as place:
            begun = await place.begin()
            async with watching(place.answering.peers[0], driver_picture):
                await running(place, begun["id"])
            host, port = place.url.removeprefix("http://").split(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(f"GET /api/v1/sessions/{begun['id']}/events HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            await reader.readuntil(b"event: statistics")
        assert place.server.sessions.all == ()
        assert place.answering.broadcasts[0].finished
        assert (await reader.read()).endswith(b"0\r\n\r\n"), "a whole answer"
        writer.close()
        await writer.wait_closed()

    run(main)
