"""How offers get their answers: a session of the server's own API, WHIP, WHEP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import aiohttp
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from mien.errors import MienError

_SDP: Final = {"Content-Type": "application/sdp"}
CREATED: Final = 201
FULL: Final = 503


class Refused(MienError):
    """The server is full."""


@dataclass(slots=True)
class Door:
    """A server's API."""

    http: aiohttp.ClientSession
    url: str
    """Without a slash at the end."""

    async def session(self, connection: RTCPeerConnection, portrait: str | None) -> str:
        """Begin one that goes both ways; its id."""
        body: dict[str, Any] = {"sdp": await offer_of(connection)}
        if portrait is not None:
            body["portrait"] = portrait
        async with self.http.post(f"{self.url}/api/v1/sessions", json=body) as response:
            await self._need_created(response)
            told = await response.json()
        await _accept(connection, told["sdp"])
        return str(told["id"])

    async def publish(self, connection: RTCPeerConnection, portrait: str | None) -> str:
        """Send by WHIP; the session's id."""
        query = {} if portrait is None else {"portrait": portrait}
        location = await self._offered("/whip", connection, query)
        return location.rpartition("/")[2]

    async def play(self, connection: RTCPeerConnection, session: str) -> None:
        """Watch by WHEP."""
        await self._offered(f"/whep/{session}", connection, {})

    async def statistics(self, session: str) -> dict[str, Any]:
        """Of a session; empty where it has ended."""
        async with self.http.get(f"{self.url}/api/v1/sessions/{session}/statistics") as response:
            return dict(await response.json()) if response.status == 200 else {}

    async def end(self, session: str) -> None:
        async with self.http.delete(f"{self.url}/api/v1/sessions/{session}"):
            pass

    async def _offered(self, path: str, connection: RTCPeerConnection, query: dict[str, str]) -> str:
        """Bring an offer and take the answer; the new resource's path."""
        sdp = await offer_of(connection)
        async with self.http.post(self.url + path, params=query, data=sdp, headers=_SDP) as response:
            await self._need_created(response)
            answer, location = await response.text(), response.headers["Location"]
        await _accept(connection, answer)
        return location

    async def _need_created(self, response: aiohttp.ClientResponse) -> None:
        if response.status == FULL:
            raise Refused(f"{self.url}: expected room for a session, got none")
        if response.status != CREATED:
            text = (await response.text())[:200]
            raise MienError(f"{self.url}: expected an answer to an offer, got {response.status} {text}")


def connection_of() -> RTCPeerConnection:
    """One that needs no server to find its candidates: all is on this machine."""
    return RTCPeerConnection(RTCConfiguration(iceServers=[]))


async def offer_of(connection: RTCPeerConnection) -> str:
    """With all candidates in it."""
    await connection.setLocalDescription(await connection.createOffer())
    return str(connection.localDescription.sdp)


async def _accept(connection: RTCPeerConnection, answer: str) -> None:
    await connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
