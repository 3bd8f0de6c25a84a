"""A session's whole way by HTTP, with all of the engine between a fake peer's camera and its broadcast."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import weakref
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.engine.serve.harness import OFFER, FakePeer, Place, feed, limited, run, serving

from mien.clock import MonotonicClock
from mien.serve.session import Session

Picture = NDArray[np.uint8]


@contextlib.asynccontextmanager
async def watching(peer: FakePeer, picture: Picture) -> AsyncIterator[None]:
    """The driver sits before the camera."""
    feeding = asyncio.create_task(feed(peer, picture, range(1_000_000), MonotonicClock()))
    try:
        yield
    finally:
        feeding.cancel()
        await asyncio.gather(feeding, return_exceptions=True)


async def running(place: Place, id: str) -> dict[str, Any]:
    return await place.until(f"/api/v1/sessions/{id}/statistics", lambda told: told.get("frames", {}).get("out", 0) > 0)


def test_a_session_is_begun_steered_read_and_ended(driver_picture: Picture) -> None:
    async def main() -> None:
        async with serving() as place:
            begun = await place.begin(portrait="aldo", gains={"pose": 0.5}, target_latency_ms=150, relax=0.25)
            at = f"/api/v1/sessions/{begun['id']}"
            assert begun["sdp"].startswith("v=0")
            assert (begun["state"], begun["portrait"], begun["mark"]) == ("opening", "aldo", False)
            assert begun["gains"] == dict.fromkeys(begun["gains"], 1.0) | {"pose": 0.5}
            assert (begun["relax"], begun["wrinkles"]) == (0.25, 1.0)
            assert place.answering.peers[0].receives
            async with watching(place.answering.peers[0], driver_picture):
                told = await running(place, begun["id"])
                assert told["state"] == "running"
                assert (told["level"], told["backend"]) == ("warp", "warp")
                assert told["connection"] == {"state": "connected", "bitrate_in": 1000}
                assert {"parse", "reenact", "fuse", "capture_to_emit"} <= set(told["stages"])
                changed = {"gains": {"brows": 2}, "paused": True, "target_latency_ms": 80, "rezero": True}
                session = (await place.ask("PATCH", at, json=changed | {"wrinkles": 0})).json
                assert (session["gains"]["pose"], session["gains"]["brows"]) == (0.5, 2.0)
                assert (session["paused"], session["panic"], session["target_latency_ms"]) == (True, False, 80)
                assert (session["relax"], session["wrinkles"]) == (0.25, 0.0)
                first = place.answering.broadcasts[0].newest
                await place.ask("PATCH", at, json={"paused": False, "panic": True})
                await place.until_true(lambda: _is_slate(place))
                assert first is not None
                await place.ask("PATCH", at, json={"panic": False})
                await place.until(f"{at}/statistics", lambda told: told["face"] == "found" and told["fps_out"] > 0)
            await place.ask("DELETE", at, status=204)
            await place.until_true(lambda: place.server.sessions.all == ())
            await place.ask("GET", at, status=404)
            assert place.answering.peers[0].closed_because == "the session ended"
            assert place.answering.broadcasts[0].finished

    run(main)


def _is_slate(place: Place) -> bool:
    newest = place.answering.broadcasts[0].newest
    return newest is not None and bool((newest.pixels == newest.pixels[0, 0]).all(axis=2).mean() > 0.8)


def test_nothing_holds_a_session_that_has_ended(driver_picture: Picture, monkeypatch: pytest.MonkeyPatch) -> None:
    listened: list[str] = []
    listen = Session.listen

    def noting(session: Session) -> None:
        listened.append(session.id)
        listen(session)

    monkeypatch.setattr(Session, "listen", noting)

    async def main() -> None:
        async with serving() as place:
            begun = await place.begin()
            (session,) = (weakref.ref(one) for one in place.server.sessions.all)
            async with watching(place.answering.peers[0], driver_picture):
                await running(place, begun["id"])
                listened.clear()
                await place.until_true(lambda: bool(listened))  # it was looked at by the server itself, too
                await place.ask("DELETE", f"/api/v1/sessions/{begun['id']}", status=204)
                await place.until_true(lambda: is_gone(session))

    def is_gone(session: weakref.ref[Session]) -> bool:
        gc.collect()  # rings of connections are let go as it ends
        return session() is None

    run(main)


def test_a_portrait_a_background_and_a_style_are_swapped_in_while_it_runs(driver_picture: Picture) -> None:
    async def main() -> None:
        async with serving() as place:
            begun = await place.begin(portrait="aldo")
            at = f"/api/v1/sessions/{begun['id']}"
            async with watching(place.answering.peers[0], driver_picture):
                await running(place, begun["id"])
                told = (await place.ask("PATCH", at, json={"portrait": "mira", "background": "#ffffff"})).json
                assert (told["portrait"], told["background"]) in (("aldo", "keep"), ("mira", "#ffffff"))
                await place.until(at, lambda told: told["portrait"] == "mira" and told["background"] == "#ffffff")
                await place.until_true(lambda: _corner(place) > 250)
                assert (await place.ask("GET", f"{at}/statistics")).json["live"]["swaps"] == 1
                assert told["style"] == "none"
                await place.ask("PATCH", at, json={"style": "scream:0.5"})
                told = await place.until(at, lambda told: told["style"] == "scream:0.5")
                assert (told["portrait"], told["background"]) == ("mira", "#ffffff")
                await place.until(f"{at}/statistics", lambda told: told["live"]["swaps"] == 2)
                await place.until(f"{at}/statistics", lambda told: "style" in told["stages"])

    run(main)


def test_a_second_portrait_is_blended_in_and_its_degree_changed_while_it_runs(driver_picture: Picture) -> None:
    async def main() -> None:
        async with serving() as place:
            begun = await place.begin(portrait="aldo")
            at = f"/api/v1/sessions/{begun['id']}"
            assert (begun["morph"], begun["degree"]) == ("none", 0.7)
            async with watching(place.answering.peers[0], driver_picture):
                await running(place, begun["id"])
                await place.ask("PATCH", at, json={"morph": "mira", "degree": 0})
                await place.until(at, lambda told: told["morph"] == "mira" and told["degree"] == 0)
                await place.until(f"{at}/statistics", lambda told: told["live"]["swaps"] == 1)
                dark = _corner(place)
                await place.ask("PATCH", at, json={"degree": 0.5})
                await place.until(f"{at}/statistics", lambda told: told["live"]["swaps"] == 2)
                await place.ask("PATCH", at, json={"degree": 1})
                await place.until(at, lambda told: told["degree"] == 1)
                await place.until_true(lambda: _corner(place) > dark + 20)
                answer = await place.ask("PATCH", at, status=404, json={"morph": "nobody"})
                assert "nobody" in answer.message
                await place.ask("PATCH", at, json={"morph": "none"})
                await place.until(at, lambda told: told["morph"] == "none")

    run(main)


def _corner(place: Place) -> float:
    newest = place.answering.broadcasts[0].newest
    assert newest is not None
    return float(newest.pixels[:8, :8].mean())


def test_what_was_wanted_before_it_ran_is_shown_when_it_runs(driver_picture: Picture) -> None:
    async def main() -> None:
        async with serving() as place:
            begun = await place.begin(portrait="aldo")
            at = f"/api/v1/sessions/{begun['id']}"
            await place.ask("PATCH", at, json={"portrait": "mira", "panic": True})
            async with watching(place.answering.peers[0], driver_picture):
                await place.until(at, lambda told: told["portrait"] == "mira")
                await place.until_true(lambda: _is_slate(place))

    run(main)


def test_a_swap_that_fails_leaves_the_old_portrait_and_is_told(driver_picture: Picture) -> None:
    async def main() -> None:
        async with serving() as place:
            place.server.shared.prepare_to_fit = _refuse  # type: ignore[method-assign]
            begun = await place.begin(portrait="aldo")
            at = f"/api/v1/sessions/{begun['id']}"
            mira = place.server.portraits.find("mira")
            async with watching(place.answering.peers[0], driver_picture):
                await running(place, begun["id"])
                await place.ask("PATCH", at, status=404, json={"portrait": "nobody"})
                await place.ask("PATCH", at, json={"portrait": "mira"})
                told = await place.until(f"{at}/statistics", lambda told: bool(told["notices"]))
            (notice,) = told["notices"]
            assert notice == {"number": 1, "text": "portrait Mira: expected a face; the portrait stays as it is"}
            assert told["portrait"] == "aldo"
            assert str(mira.path) not in json.dumps(told), "no path of the server's"

    def _refuse(size: tuple[int, int], *pictures: str) -> Any:
        from mien.errors import FaceError

        raise FaceError(f"{pictures[0]}: expected a face")

    run(main)


def test_another_peer_takes_a_session_over(driver_picture: Picture) -> None:
    async def main() -> None:
        async with serving() as place:
            begun = await place.begin(portrait="mira", room="tea")
            at = f"/api/v1/sessions/{begun['id']}"
            async with watching(place.answering.peers[0], driver_picture):
                await running(place, begun["id"])
            await place.answering.peers[0].close("nothing came for 10 s")
            await place.until(at, lambda told: told["state"] == "waiting")
            assert (await place.ask("GET", f"{at}/statistics")).json["connection"] is None
            resumed = await place.begin(resume=begun["resume_token"], portrait="aldo")
            assert (resumed["id"], resumed["portrait"], resumed["room"]) == (begun["id"], "mira", "tea")
            assert resumed["resume_token"] != begun["resume_token"]
            count = place.answering.broadcasts[0].count
            async with watching(place.answering.peers[1], driver_picture):
                await place.until_true(lambda: place.answering.broadcasts[0].count > count + 3)
            assert len(place.answering.broadcasts) == 1
            again = {"sdp": OFFER, "resume": begun["resume_token"]}
            await place.ask("POST", "/api/v1/sessions", status=404, json=again)

    run(main)


def test_a_running_peer_can_be_taken_over(driver_picture: Picture) -> None:
    async def main() -> None:
        async with serving() as place:
            begun = await place.begin()
            async with watching(place.answering.peers[0], driver_picture):
                await running(place, begun["id"])
                await place.begin(resume=begun["resume_token"])
                assert place.answering.peers[0].closed_because == "another peer took over"
            async with watching(place.answering.peers[1], driver_picture):
                count = place.answering.broadcasts[0].count
                await place.until_true(lambda: place.answering.broadcasts[0].count > count + 3)
            assert (await place.ask("GET", f"/api/v1/sessions/{begun['id']}")).json["state"] == "running"

    run(main)


def test_a_session_that_nobody_resumes_ends() -> None:
    async def main() -> None:
        async with serving(limited(resume=0.05)) as place:
            await place.begin()
            await place.answering.peers[0].close("nothing came for 10 s")
            await place.until_true(lambda: place.server.sessions.all == ())

    run(main)


def test_a_session_ends_after_as_long_as_it_may_last() -> None:
    async def main() -> None:
        async with serving(limited(session=0.01)) as place:
            begun = await place.begin()
            session = place.server.sessions.find(begun["id"])
            await place.until_true(lambda: place.server.sessions.all == ())
            assert session.ended_because == "it lasted as long as a session may"

    run(main)


def test_events_tell_how_it_fares_until_its_end(driver_picture: Picture) -> None:
    async def main() -> None:
        async with serving() as place:
            begun = await place.begin()
            at = f"/api/v1/sessions/{begun['id']}"
            async with watching(place.answering.peers[0], driver_picture):
                await running(place, begun["id"])
                async with place.http.get(f"{place.url}{at}/events") as response:
                    assert response.content_type == "text/event-stream"
                    assert response.headers["X-Accel-Buffering"] == "no"
                    kinds = [kind async for kind, data in _first(response.content, 3) if data["id"] == begun["id"]]
                    assert kinds == ["statistics"] * 3
                    await place.ask("DELETE", at, status=204)
                    last = [(kind, data["state"]) async for kind, data in _first(response.content, 99)][-1]
                    assert last == ("ended", "ended")

    run(main)


async def _first(lines: Any, count: int) -> AsyncIterator[tuple[str, Any]]:
    """(kind, data) of the next events, until the stream ends."""
    kind = ""
    async for line in lines:
        name, _, rest = line.decode().strip().partition(": ")
        if name == "event":
            kind = rest
        elif name == "data":
            yield kind, json.loads(rest)
            count -= 1
            if not count:
                return


def test_streams_of_events_are_counted() -> None:
    async def main() -> None:
        async with serving(limited(streams=1)) as place:
            at = f"/api/v1/sessions/{(await place.begin())['id']}/events"
            async with place.http.get(place.url + at):
                await place.ask("GET", at, status=503)
            await place.until_true(lambda: place.server.streams == 0)

    run(main)


def test_a_room_holds_two(driver_picture: Picture) -> None:
    async def main() -> None:
        async with serving() as place:
            place.server.sessions.most = 9
            assert (await place.ask("GET", "/api/v1/rooms/tea")).json == {"name": "tea", "sessions": []}
            async with place.http.get(f"{place.url}/api/v1/rooms/tea/events") as response:
                events = _first(response.content, 99)
                assert await anext(events) == ("room", {"name": "tea", "sessions": []})
                first, second = [(await place.begin(room="tea"))["id"] for _ in range(2)]
                told = [await anext(events)]
                while len(told[-1][1]["sessions"]) < 2:
                    told.append(await anext(events))
                assert told[-1] == ("room", {"name": "tea", "sessions": [first, second]})
                answer = await place.ask("POST", "/api/v1/sessions", status=409, json={"sdp": OFFER, "room": "tea"})
                assert answer.message.startswith("room tea: expected at most 2")
                await place.begin(room="coffee")
                await place.ask("DELETE", f"/api/v1/sessions/{first}", status=204)
                assert await anext(events) == ("room", {"name": "tea", "sessions": [second]})
            await place.begin(room="tea")
            await place.ask("GET", "/api/v1/rooms/Tea%20Time", status=422)

    run(main)
