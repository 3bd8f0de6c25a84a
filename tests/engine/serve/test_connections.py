from __future__ import annotations

import asyncio

from tests.engine.serve.harness import Place, run, serving

from mien.clock import ManualClock
from mien.serve.access import Connections


class FakeTransport:
    def __init__(self) -> None:
        self.closed = False

    def close(self) -> None:
        self.closed = True


class FakeConnection:
    def __init__(self) -> None:
        self.made = FakeTransport()

    @property
    def transport(self) -> asyncio.BaseTransport | None:
        return self.made  # type: ignore[return-value]


def test_a_connection_that_asks_nothing_is_closed_and_one_that_is_answered_is_not() -> None:
    clock = ManualClock()
    connections = Connections(clock, idle=60.0, most=10)
    silent, asking, used = (FakeConnection() for _ in range(3))
    every = [silent, asking, used]
    connections.begin(asking)
    assert connections.sweep([*every]) == 0
    clock.advance(40)
    connections.begin(used)
    connections.end(used)
    clock.advance(40)
    assert connections.sweep([*every]) == 1
    assert [one.made.closed for one in every] == [True, False, False]
    connections.end(asking)
    clock.advance(61)
    connections.sweep([*every])
    assert all(one.made.closed for one in every)


def test_of_too_many_the_longest_quiet_are_closed() -> None:
    clock = ManualClock()
    connections = Connections(clock, idle=60.0, most=2)
    every = [FakeConnection() for _ in range(4)]
    for one in every:
        connections.begin(one)
        connections.end(one)
        clock.advance(1)
    connections.begin(every[0])
    connections.sweep([*every])
    assert [one.made.closed for one in every] == [False, True, True, False]


def test_requests_are_noted_with_their_connection() -> None:
    async def main() -> None:
        async with serving() as place:
            await _silent(place)

    async def _silent(place: Place) -> None:
        host, port = place.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await reader.readuntil(b'"ok"}')
        assert len(place.server.connections._quiet_since) == 1
        assert list(place.server.connections._asking.values()) == [0]
        writer.close()
        await writer.wait_closed()

    run(main)
