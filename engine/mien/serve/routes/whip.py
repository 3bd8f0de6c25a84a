"""Routes of WHIP (RFC 9725), which publishes to a session, and WHEP, which watches one."""

from __future__ import annotations

from aiohttp import web
from multidict import CIMultiDict

from mien.serve.fields import SDP_CHARACTERS, Opening
from mien.serve.peering import Peering
from mien.serve.refusal import Refusal, missing, room_of
from mien.serve.routes.answers import SDP, TRICKLE, ice_links, read_text
from mien.serve.server import SERVER, Server
from mien.serve.session import Session

WHEP = "urn:ietf:params:whip:ext:whep"
"""Rel of the link that leads from what is brought to where it is watched."""
QUERY = ("portrait", "room", "resume")


async def bring(request: web.Request) -> web.Response:
    """POST /whip: begin or resume a session with an offer."""
    server = request.app[SERVER]
    server.need_pace(server.openings, request.remote)
    server.need_ready()
    query = _query(request)
    opening = Opening(
        sdp=await _offer(request),
        portrait=query.get("portrait"),
        room=query.get("room"),
        resume=query.get("resume"),
    )
    session = await server.sessions.open(opening)
    assert session.peer is not None
    response = _answer(server, session.peer, f"/whip/{session.id}")
    response.headers.add("Link", f'</whep/{session.id}>; rel="{WHEP}"')
    response.headers["Mien-Resume"] = session.resume_token
    return response


async def trickle(request: web.Request) -> web.Response:
    """PATCH /whip/ID: further candidates."""
    session = _session(request)
    if session.peer is None:
        raise missing("peer", "it is gone; begin anew with resume")
    return await _trickle(request, session.peer)


async def leave(request: web.Request) -> web.Response:
    """DELETE /whip/ID: end the session."""
    _session(request).end("its peer ended it")
    return web.Response()


async def watch(request: web.Request) -> web.Response:
    """POST /whep/ID: watch a session."""
    server = request.app[SERVER]
    server.need_pace(server.openings, request.remote)
    session = _session(request)
    offer = await _offer(request)
    viewer, peer = await server.sessions.watch(session, offer)
    return _answer(server, peer, f"/whep/{session.id}/{viewer}")


async def trickle_viewer(request: web.Request) -> web.Response:
    """PATCH /whep/ID/VIEWER: further candidates."""
    return await _trickle(request, _viewer(request))


async def leave_viewer(request: web.Request) -> web.Response:
    """DELETE /whep/ID/VIEWER: stop watching."""
    await _viewer(request).close("it left")
    return web.Response()


def _session(request: web.Request) -> Session:
    return request.app[SERVER].sessions.find(request.match_info["id"])


def _viewer(request: web.Request) -> Peering:
    id = request.match_info["viewer"]
    peer = _session(request).viewers.get(id)
    if peer is None:
        raise missing(f"viewer {id[:40]!r}", "it has left, or never was")
    return peer


def _query(request: web.Request) -> dict[str, str]:
    query = {name: request.query[name] for name in QUERY if request.query.get(name)}
    if any(len(value) > 128 for value in query.values()):
        raise Refusal(422, "query: expected values of at most 128 characters, got a longer one; shorten it")
    room_of(query.get("room"))
    return query


async def _offer(request: web.Request) -> str:
    offer = await read_text(request, SDP)
    if not 0 < len(offer) <= SDP_CHARACTERS:
        raise Refusal(400, f"offer: expected SDP of 1 to {SDP_CHARACTERS:,} characters, got {len(offer):,}")
    return offer


def _answer(server: Server, peer: Peering, place: str) -> web.Response:
    headers = CIMultiDict({"Location": place, "ETag": _tag(peer)})
    for link in ice_links(server):
        headers.add("Link", link)
    return web.Response(status=201, text=peer.answer_sdp, content_type=SDP, headers=headers)


def _tag(peer: Peering) -> str:
    return f'"{peer.id_of_ice}"'


async def _trickle(request: web.Request, peer: Peering) -> web.Response:
    """If-Match may be left out, as many clients do; one that names another ICE session is refused."""
    match = request.headers.get("If-Match")
    if match == "*":
        raise Refusal(422, "If-Match: expected an entity tag, got *, an ICE restart; begin anew with resume")
    if match is not None and _tag(peer) not in (tag.strip() for tag in match.split(",")):
        raise Refusal(412, f"If-Match: expected {_tag(peer)}, got {match[:80]}; another peer took over")
    await peer.add_candidates(await read_text(request, TRICKLE))
    return web.Response(status=204, headers={"ETag": _tag(peer)})


ROUTES = (
    web.post("/whip", bring),
    web.patch("/whip/{id}", trickle),
    web.delete("/whip/{id}", leave),
    web.post("/whep/{id}", watch),
    web.patch("/whep/{id}/{viewer}", trickle_viewer),
    web.delete("/whep/{id}/{viewer}", leave_viewer),
)
