"""Calls through the relay: Chromium and plain aiortc, over networks that lose, cut and hold back what is sent."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest
from tests.engine.serve.webrtc.calls import run, until
from tests.engine.serve.webrtc.client import Client, Pictures, Tone
from tests.engine.serve.webrtc.mirror import Mirror, mirror
from tests.engine.serve.webrtc.tab import SCRIPT, Tab, with_tab, write_numbers

from mien.clock import ManualClock, MonotonicClock
from mien_bench.network.impairment import NETWORKS, Direction, Network
from mien_bench.network.relay import Relay, ServerProxy


@pytest.fixture(scope="module")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_numbers(tmp_path_factory.mktemp("camera") / "numbers.mjpeg")


def through(network: Network, work: Callable[[Client, Mirror, ServerProxy], Awaitable[None]]) -> None:
    """Let an aiortc client call the mirror over a network."""

    async def main() -> None:
        client = Client(video=Pictures(25), audio=Tone(), wants_video=True, wants_audio=True)
        async with mirror() as made, aiohttp.ClientSession() as http:
            with ServerProxy(made.url, network, seed=1) as front:
                async with http.post(f"{front.url}/whip", data=await client.offer()) as answer:
                    assert answer.status == 201
                    text = await answer.text()
                assert text.count("a=candidate") == 1
                await client.accept(text)
                await work(client, made, front)
                await client.close()
                await made.close()

    run(main)


def test_all_media_take_the_relay() -> None:
    async def work(client: Client, made: Mirror, front: ServerProxy) -> None:
        await until(lambda: len(client.received.pictures) > 10)
        (relay,) = front.relays
        assert min(relay.up.packets, relay.down.packets) > 20
        assert client_pairs(client) == [relay.address]

    through(NETWORKS["clean"], work)


def client_pairs(client: Client) -> list[tuple[str, int]]:
    ice = client.connection.getTransceivers()[0].receiver.transport.transport
    return [pair.remote_addr for pair in ice._connection._nominated.values()]


def test_lost_packets_come_again_and_lost_sound_is_made_up() -> None:
    async def work(client: Client, made: Mirror, front: ServerProxy) -> None:
        ((peer, echo),) = made.publishers
        await until(lambda: echo.count > 100)
        told = peer.statistics()
        assert front.relays[0].up.lost > 10
        assert told["packets_recovered"] > 0
        assert told["sound_concealed"] > 0
        assert told["frames_broken"] < 5  # of a packet that was lost each time that it was sent

    through(Network("", Direction(loss=0.08), Direction(loss=0.02)), work)


def test_packets_fit_into_a_tunnel() -> None:
    tunnel = Direction(largest=1280 - 48)  # what is left of the least that IPv6 asks for

    async def work(client: Client, made: Mirror, front: ServerProxy) -> None:
        await until(lambda: len(client.received.pictures) > 10)
        assert front.relays[0].down.lost == 0

    through(Network("", Direction(), tunnel), work)


def test_what_is_hurt_or_comes_twice_does_no_harm() -> None:
    async def work(client: Client, made: Mirror, front: ServerProxy) -> None:
        ((peer, echo),) = made.publishers
        await until(lambda: echo.count > 50)
        assert peer.statistics()["frames_broken"] == 0
        assert echo.numbers == sorted(set(echo.numbers))

    through(Network("", Direction(duplicated=0.2, corrupted=0.05), Direction(duplicated=0.2, corrupted=0.05)), work)


def test_chromium_goes_on_after_a_cut(camera: Path) -> None:
    cut = Direction(delay=0.01, cut=2.0, cut_at=3.0, cut_every=1000.0)

    async def work(tab: Tab, made: Mirror) -> None:
        with ServerProxy(made.url, Network("", cut, cut)) as front:
            await tab.page.goto(front.url)
            await tab.page.add_script_tag(path=SCRIPT)
            await tab.begin("whip", "video", "audio")
            ((peer, echo),) = made.publishers
            await until(lambda: echo.longest > 1.5)
            count, shown = echo.count, (await tab.figures(0))["shown"]
            await until(lambda: echo.count > count + 20)
            await tab.until_shown(0, shown + 20)
            # it was no end, and not all that was sent meanwhile is asked for again
            assert peer.statistics()["state"] == "connected"
            assert peer.statistics()["packets_recovered"] < 100

    with_tab(camera, work)


def test_both_ways_of_a_narrow_network_are_filled_and_no_more(camera: Path) -> None:
    narrow = NETWORKS["narrow"]

    async def work(tab: Tab, made: Mirror) -> None:
        with ServerProxy(made.url, narrow) as front:
            await tab.page.goto(front.url)
            await tab.page.add_script_tag(path=SCRIPT)
            await tab.begin("whip", "video", "audio")
            (relay,) = front.relays
            clock = MonotonicClock()

            def settled() -> bool:
                now = clock.now() - relay.begun
                ways = ((relay.up, narrow.up), (relay.down, narrow.down))
                return now > 5 and all(
                    0.2 * (way.rate or 0) < traffic.bits(traffic.offered, now - 2, now) < 1.15 * (way.rate or 0)
                    for traffic, way in ways
                )

            await until(settled)
            count = made.publishers[0][1].count
            await until(lambda: made.publishers[0][1].count > count + 10)

    with_tab(camera, work)


def test_each_address_of_a_peer_has_its_own_way() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        server, came = await listening(loop)
        relay = Relay(NETWORKS["clean"], 0, ManualClock())
        address = await relay.open(server.get_extra_info("sockname")[:2])
        peers = [await listening(loop) for _ in range(2)]
        for number, (peer, _) in enumerate(peers):
            peer.sendto(bytes([number]), address)
        await until(lambda: len(came) >= 2)
        assert len({source for _, source in came}) == 2
        for data, source in came:
            server.sendto(data + data, source)
        await until(lambda: all(got for _, got in peers))
        assert [got[0] for _, got in peers] == [(bytes([n, n]), address) for n in range(2)]
        relay.close()
        for one in (server, *(peer for peer, _ in peers)):
            one.close()

    run(main)


async def listening(
    loop: asyncio.AbstractEventLoop,
) -> tuple[asyncio.DatagramTransport, list[tuple[bytes, tuple[str, int]]]]:
    came: list[tuple[bytes, tuple[str, int]]] = []

    class Noting(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            came.append((data, addr))

    made, _ = await loop.create_datagram_endpoint(Noting, local_addr=("127.0.0.1", 0))
    return made, came


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_lets_most_through(name: str) -> None:
    from mien_bench.network.impairment import Line

    for way in (NETWORKS[name].up, NETWORKS[name].down):
        line = Line(way, random.Random(0), 0.0)
        came = sum(bool(line.send(200, number * 0.02)) for number in range(1000))
        assert came > 800
