from __future__ import annotations

from dataclasses import replace

import pytest
from tests.engine.serve.harness import OFFER, SETTINGS, Place, run, serving

from mien import samples
from mien.config import WARP, ReenactSettings
from mien.live.shared import Shared
from mien.serve.admission import SETTLED, Cost, Load, measure, overloaded, sustained


@pytest.mark.parametrize(
    ("milliseconds", "processors", "expected"),
    [(25, 2, 2), (25, 1, 1), (25, 16, 23), (10, 2, 7), (200, 2, 1), (36, 1, 1)],
)
def test_as_many_as_the_processors_carry_and_at_least_one(milliseconds: float, processors: int, expected: int) -> None:
    assert sustained(Cost(milliseconds / 1e3, 0.0, 0.0), processors) == expected


@pytest.mark.parametrize(
    ("load", "expected"),
    [
        (Load(60, "full", 0.05, 0.1), False),
        (Load(60, "warp", 0.09, 0.1), False),
        (Load(60, "warp", 0.21, 0.1), True),
        (Load(60, "half", 0.5, 0.1), False),
        (Load(60, "hold", 0.05, 0.1), True),
        (Load(SETTLED / 2, "hold", 0.5, 0.1), False),
    ],
)
def test_a_machine_at_its_limit_is_known_by_those_who_run(load: Load, expected: bool) -> None:
    assert overloaded([Load(60, "full", 0.01, 0.1), load]) == expected
    assert not overloaded([])


def test_what_a_frame_costs_is_measured_on_the_sample() -> None:
    shared = Shared()
    cost, about = measure(str(samples.portraits()["aldo"]), ReenactSettings(model=WARP, size=128), shared)
    assert about == WARP
    assert min(cost.parse, cost.synthesis, cost.codecs) > 0
    shared.close()


def test_one_past_the_limit_is_refused_and_told_when_to_come_again() -> None:
    async def main() -> None:
        async with serving() as place:
            first = await place.begin()
            await place.begin()
            answer = await place.ask("POST", "/api/v1/sessions", status=503, json={"sdp": OFFER})
            assert int(answer.headers["Retry-After"]) >= 1
            assert "expected at most 2 at once" in answer.message
            sdp = {"Content-Type": "application/sdp"}
            await place.ask("POST", "/whip", status=503, headers=sdp, data=OFFER)
            assert await _count(place) == (2, 2)
            await place.ask("DELETE", f"/api/v1/sessions/{first['id']}", status=204)
            await place.begin()

    run(main)


def test_an_offer_that_fails_takes_no_place() -> None:
    async def main() -> None:
        async with serving(replace(SETTINGS, most_sessions=1)) as place:
            for _ in range(3):
                await place.ask("POST", "/api/v1/sessions", status=422, json={"sdp": f"{OFFER} unmet"})
            await place.begin()

    run(main)


def test_a_session_whose_peer_is_gone_gives_way() -> None:
    async def main() -> None:
        async with serving(replace(SETTINGS, most_sessions=1)) as place:
            first = await place.begin()
            await place.answering.peers[0].close("it went")
            await place.until(f"/api/v1/sessions/{first['id']}", lambda told: told["state"] == "waiting")
            second = await place.begin()
            assert (await place.ask("GET", "/api/v1/sessions")).json["sessions"][-1]["id"] == second["id"]
            await place.ask("POST", "/api/v1/sessions", status=503, json={"sdp": OFFER})

    run(main)


def test_nobody_is_admitted_before_the_model_is_warm() -> None:
    from threading import Event

    from mien.serve.server import Warm

    go = Event()

    def slow(*arguments: object) -> Warm:
        go.wait()
        return Warm(1, "warp")

    async def main() -> None:
        async with serving(warming=slow) as place:
            try:
                assert (await place.ask("GET", "/readyz", status=503)).json == {"status": "starting"}
                answer = await place.ask("POST", "/api/v1/sessions", status=503, json={"sdp": OFFER})
                assert "Retry-After" in answer.headers
            finally:
                go.set()
            await place.server.warming
            assert (await place.ask("GET", "/readyz")).json == {"status": "ready"}
            await place.begin()

    run(main)


async def _count(place: Place) -> tuple[int, int]:
    told = (await place.ask("GET", "/api/v1/statistics")).json
    return told["sessions"], told["sessions_refused"]
