"""How a peer is reached."""

from __future__ import annotations

import asyncio
import re
import socket
from typing import cast

import pytest
from aioice import ice as aioice
from aioice import stun
from tests.engine.serve.webrtc.calls import calling, run, until
from tests.engine.serve.webrtc.client import Client, Pictures

from mien.serve.webrtc import ice
from mien.serve.webrtc.broadcast import Broadcast
from mien.serve.webrtc.offer import OfferError
from mien.serve.webrtc.peer import Peer
from mien.serve.webrtc.settings import IceServer, PeerSettings


def candidates(sdp: str) -> list[tuple[str, int, str]]:
    """(address, port, kind) of each."""
    found = re.findall(r"a=candidate:\S+ 1 udp \d+ (\S+) (\d+) typ (\w+)", sdp)
    return [(address, int(port), kind) for address, port, kind in found]


def free_ports(count: int) -> tuple[int, int]:
    """A range that nobody uses now."""
    for first in range(42_000, 60_000, count):
        taken = []
        try:
            for port in range(first, first + count):
                probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                taken.append(probe)
                probe.bind(("", port))
        except OSError:
            continue
        finally:
            for probe in taken:
                probe.close()
        return first, first + count - 1
    raise AssertionError("no ports are free")


def test_only_ports_of_the_range_are_used_and_they_are_given_back() -> None:
    first, last = free_ports(4)

    async def main() -> None:
        for _ in range(3):
            async with calling(Client(video=Pictures(25)), PeerSettings(ports=(first, last))) as call:
                found = candidates(call.peer.answer_sdp)
                assert found
                assert all(first <= port <= last for _, port, _ in found)
                await until(lambda: call.echo.count > 2)

    run(main)


def test_a_range_that_is_full_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aioice, "get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"])
    first, last = free_ports(1)

    async def main() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind(("", first))
            client = Client(video=Pictures(25))
            with pytest.raises(OfferError, match="UDP port") as caught:
                await Peer.answer(await client.offer(), PeerSettings(ports=(first, last)))
            assert caught.value.status == 503
            await client.close()

    run(main)


def test_an_announced_address_stands_in_the_answer() -> None:
    async def main() -> None:
        client = Client(video=Pictures(25))
        peer = await Peer.answer(await client.offer(), PeerSettings(announced="203.0.113.9"))
        found = candidates(peer.answer_sdp)
        own = {port for address, port, kind in found if kind == "host" and ":" not in address}
        assert {port for address, port, _ in found if address == "203.0.113.9"} == own
        await client.close()
        await peer.close()

    run(main)


def test_without_a_network_loopback_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aioice, "get_host_addresses", lambda use_ipv4, use_ipv6: [])

    async def main() -> None:
        client = Client(video=Pictures(25))
        peer = await Peer.answer(await client.offer(), sends=Broadcast())
        assert {address for address, _, _ in candidates(peer.answer_sdp)} == {ice.LOOPBACK}
        await client.close()
        await peer.close()

    run(main)


def test_a_stun_server_tells_the_address_outside() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(StunServer, local_addr=("127.0.0.1", 0))
        port = transport.get_extra_info("sockname")[1]
        client = Client(video=Pictures(25))
        settings = PeerSettings(ice_servers=(IceServer(f"stun:127.0.0.1:{port}"),))
        peer = await Peer.answer(await client.offer(), settings)
        assert ("198.51.100.4", 4321, "srflx") in candidates(peer.answer_sdp)
        await client.close()
        await peer.close()
        transport.close()

    run(main)


def test_a_stun_server_that_is_not_there_costs_little() -> None:
    async def main() -> None:
        client = Client(video=Pictures(25))
        settings = PeerSettings(ice_servers=(IceServer("stun:127.0.0.1:9"),))
        peer = await Peer.answer(await client.offer(), settings)
        assert candidates(peer.answer_sdp)
        await client.close()
        await peer.close()

    run(main)


def test_a_peer_that_does_not_answer_consent_checks_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ice, "CONSENT_INTERVAL", 0.01)

    async def main() -> None:
        async with calling(Client(video=Pictures(25))) as call:
            await until(lambda: call.echo.count > 2)
            refused = []
            monkeypatch.setattr(call.wire._connection, "request_received", lambda *request: refused.append(request))
            await until(lambda: len(refused) > aioice.CONSENT_FAILURES + 2)
            count = call.echo.count
            await until(lambda: call.echo.count > count + 5)
            assert call.peer.closed_because == ""

    run(main)


class StunServer(asyncio.DatagramProtocol):
    """Tells everybody the same address."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        asked = stun.parse_message(data)
        told = stun.Message(
            message_method=asked.message_method,
            message_class=stun.Class.RESPONSE,
            transaction_id=asked.transaction_id,
        )
        told.attributes["XOR-MAPPED-ADDRESS"] = ("198.51.100.4", 4321)
        self.transport.sendto(bytes(told), addr)
