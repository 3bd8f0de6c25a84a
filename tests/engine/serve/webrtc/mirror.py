"""The smallest server around peers: what comes by WHIP goes back, and out by WHEP, as it is."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from threading import Thread

from aiohttp import web
from tests.engine.serve.webrtc.client import number_in

from mien.frame import Frame
from mien.serve.webrtc.broadcast import Broadcast
from mien.serve.webrtc.offer import OfferError
from mien.serve.webrtc.peer import Peer
from mien.serve.webrtc.settings import PeerSettings
from mien.serve.webrtc.source import PeerSource
from mien.sound.sound import Sound

SDP = "application/sdp"


class Echo:
    """Shows a source's pictures and sound to whoever looks, on a thread of its own."""

    def __init__(self, source: PeerSource, broadcast: Broadcast) -> None:
        self.frames: list[Frame] = []
        """The newest few."""
        self.count = self.sounds = 0
        self.numbers: list[int] = []
        """What `number_in` read in each picture."""
        self.longest = 0.0
        """Seconds between two pictures at most."""
        self._source, self._broadcast = source, broadcast
        self._thread = Thread(target=self._run, name="echo", daemon=True)
        self._thread.start()

    def join(self) -> None:
        self._thread.join(10.0)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        for item in self._source:
            if isinstance(item, Sound):
                self.sounds += 1
                self._broadcast.write_sound(item)
                continue
            if self.frames:
                self.longest = max(self.longest, item.captured_at - self.frames[-1].captured_at)
            self.count += 1
            self.frames = [*self.frames[-9:], item]
            self.numbers.append(number_in(item.pixels))
            self._broadcast.write(item)


class Mirror:
    """Peers that came so far, by what they did."""

    def __init__(self, settings: PeerSettings) -> None:
        self.settings = settings
        self.broadcast = Broadcast()
        self.publishers: list[tuple[Peer, Echo]] = []
        self.viewers: list[Peer] = []
        self.requests: list[str] = []
        self.url = ""

    async def close(self) -> None:
        for peer, echo in self.publishers:
            await peer.close()
            await asyncio.to_thread(echo.join)
        for viewer in self.viewers:
            await viewer.close()

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/whip", self._publish)
        app.router.add_post("/whep", self._view)
        app.router.add_route("*", "/{kind:whip|whep}/{number}", self._change)
        app.router.add_get("/", _page)
        return app

    async def _publish(self, request: web.Request) -> web.Response:
        self.requests.append("POST /whip")
        try:
            peer = await Peer.answer(await request.text(), self.settings, sends=self.broadcast)
        except OfferError as error:
            return web.Response(status=error.status, text=str(error))
        self.publishers.append((peer, Echo(peer.source, self.broadcast)))
        return _created(f"/whip/{len(self.publishers) - 1}", peer)

    async def _view(self, request: web.Request) -> web.Response:
        self.requests.append("POST /whep")
        try:
            peer = await Peer.answer(
                await request.text(), self.settings, sends=self.broadcast, receives=False, name="viewer"
            )
        except OfferError as error:
            return web.Response(status=error.status, text=str(error))
        self.viewers.append(peer)
        return _created(f"/whep/{len(self.viewers) - 1}", peer)

    async def _change(self, request: web.Request) -> web.Response:
        self.requests.append(f"{request.method} /{request.match_info['kind']}")
        number = int(request.match_info["number"])
        peer = self.publishers[number][0] if request.match_info["kind"] == "whip" else self.viewers[number]
        if request.method == "DELETE":
            await peer.close("it said goodbye")
            return web.Response()
        if request.method != "PATCH":
            return web.Response(status=405)
        try:
            await peer.add_candidates(await request.text())
        except OfferError as error:
            return web.Response(status=error.status, text=str(error))
        return web.Response(status=204)


def _created(location: str, peer: Peer) -> web.Response:
    headers = {"Location": location, "ETag": f'"{peer.id_of_ice}"'}
    return web.Response(status=201, text=peer.answer_sdp, content_type=SDP, headers=headers)


async def _page(request: web.Request) -> web.Response:
    return web.Response(text="<!doctype html><title>mirror</title>", content_type="text/html")


@contextlib.asynccontextmanager
async def mirror(settings: PeerSettings | None = None) -> AsyncIterator[Mirror]:
    """A mirror that listens on loopback at its `url`."""
    made = Mirror(settings or PeerSettings())
    runner = web.AppRunner(made.app())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server = site._server
    assert isinstance(server, asyncio.Server)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield made
    finally:
        await made.close()
        await runner.cleanup()
