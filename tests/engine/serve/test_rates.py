from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from tests.engine.serve.harness import LIMITS, SETTINGS, run, serving

import mien.serve
from mien.serve.access import RateLimit
from mien.serve.settings import Limits, Rate

FILES = sorted(
    path.name for path in (Path(mien.serve.__file__).parent / "page").iterdir() if path.suffix in (".js", ".css")
)
TIMES = st.lists(st.floats(0, 10, allow_nan=False), min_size=1, max_size=200).map(sorted)


def test_a_burst_passes_then_the_steady_rate() -> None:
    limit = RateLimit(Rate(2.0, 3.0))
    assert [limit.wait("a", 0.0) for _ in range(3)] == [0, 0, 0]
    assert limit.wait("a", 0.0) == 0.5
    assert limit.wait("a", 0.4) > 0
    assert limit.wait("a", 0.5) == 0
    assert limit.wait("b", 0.5) == 0, "of its own"


@given(TIMES)
def test_never_more_than_the_burst_and_what_time_allows(times: list[float]) -> None:
    limit = RateLimit(Rate(5.0, 4.0))
    passed = [now for now in times if limit.wait("a", now) == 0]
    for first in range(len(passed)):
        for last in range(first, len(passed)):
            assert last - first + 1 <= 4 + 5 * (passed[last] - passed[first]) + 1e-6


@given(TIMES)
def test_whoever_waits_as_long_as_told_may_go_on(times: list[float]) -> None:
    limit = RateLimit(Rate(5.0, 2.0))
    for now in times:
        wait = limit.wait("a", now)
    assert limit.wait("a", now + wait + 0.2 + 1e-9) == 0


def test_memory_is_bounded_and_the_quiet_are_forgotten_first() -> None:
    limit = RateLimit(Rate(1.0, 1.0), clients=3)
    for client in "abc":
        assert limit.wait(client, 0.0) == 0
    assert limit.wait("a", 0.0) > 0
    assert limit.wait("d", 0.0) == 0
    assert limit.wait("a", 0.0) > 0, "asked lately"
    assert limit.wait("b", 0.0) == 0, "forgotten"


def test_who_asks_too_often_is_told_when_to_come_again() -> None:
    async def main() -> None:
        settings = replace(SETTINGS, limits=replace(LIMITS, requests=Rate(0.01, 3.0)))
        async with serving(settings) as place:
            for _ in range(3):
                await place.ask("GET", "/api/v1/sessions")
            answer = await place.ask("GET", "/api/v1/sessions", status=429)
            assert 1 <= int(answer.headers["Retry-After"]) <= 100
            assert answer.message.startswith("requests: expected fewer from 127.0.0.1")

    run(main)


def test_the_files_of_the_page_have_a_rate_of_their_own() -> None:
    async def main() -> None:
        settings = replace(SETTINGS, limits=replace(LIMITS, requests=Rate(0.01, 1.0), files=Rate(0.01, 4.0)))
        async with serving(settings) as place:
            for path in ("/", "/room/tea", "/page/main.js", "/page/states.js"):
                await place.ask("GET", path)
            await place.ask("GET", "/page/main.js", status=429)
            await place.ask("GET", "/api/v1/sessions")
            await place.ask("GET", "/api/v1/sessions", status=429)

    run(main)


def test_people_behind_one_address_can_open_the_page_together() -> None:
    async def main() -> None:
        async with serving(replace(SETTINGS, limits=Limits())) as place:
            for _ in range(10):
                for path in ("/room/tea", *(f"/page/{file}" for file in FILES)):
                    await place.ask("GET", path)

    run(main)


def test_openings_have_a_rate_of_their_own() -> None:
    async def main() -> None:
        settings = replace(SETTINGS, limits=replace(LIMITS, openings=Rate(0.01, 1.0)))
        async with serving(settings) as place:
            await place.begin()
            for path in ("/api/v1/sessions", "/whip", "/whep/x", "/api/v1/portraits"):
                await place.ask("POST", path, status=429)
            await place.ask("GET", "/api/v1/sessions")

    run(main)
