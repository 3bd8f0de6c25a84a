"""WHIP and WHEP as resources; what is in offers and answers is the peers' own affair."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.engine.serve.harness import OFFER, SETTINGS, limited, run, serving

from mien.serve.webrtc.settings import IceServer, PeerSettings

SDP = {"Content-Type": "application/sdp"}
TRICKLE = {"Content-Type": "application/trickle-ice-sdpfrag"}
FRAGMENT = "a=candidate:1 1 udp 1 192.0.2.1 9 typ host"


def test_whip_brings_a_session_and_says_where_it_is_watched() -> None:
    async def main() -> None:
        async with serving() as place:
            answer = await place.ask("POST", "/whip?portrait=teo&room=tea", status=201, headers=SDP, data=OFFER)
            assert answer.headers["Content-Type"].startswith("application/sdp")
            assert answer.body.startswith(b"v=0")
            (session,) = (await place.ask("GET", "/api/v1/sessions")).json["sessions"]
            assert (session["portrait"], session["room"]) == ("teo", "tea")
            at = answer.headers["Location"]
            assert at == f"/whip/{session['id']}"
            assert f'<{session["whep"]}>; rel="urn:ietf:params:whip:ext:whep"' in answer.headers.getall("Link")
            peer = place.answering.peers[0]
            assert answer.headers["ETag"] == f'"{peer.id_of_ice}"'
            match = {"If-Match": answer.headers["ETag"]}
            assert (await place.ask("PATCH", at, status=204, headers=TRICKLE | match, data=FRAGMENT)).body == b""
            await place.ask("PATCH", at, status=204, headers=TRICKLE, data=FRAGMENT)
            assert peer.candidates == [FRAGMENT] * 2
            await place.ask("PATCH", at, status=412, headers=TRICKLE | {"If-Match": '"another"'}, data=FRAGMENT)
            restart = await place.ask("PATCH", at, status=422, headers=TRICKLE | {"If-Match": "*"}, data=FRAGMENT)
            assert "begin anew with resume" in restart.message
            await place.ask("PATCH", at, status=400, headers=TRICKLE, data="garbage")
            await place.ask("PATCH", at, status=415, headers=SDP, data=FRAGMENT)
            assert (await place.ask("DELETE", at)).body == b""
            await place.until_true(lambda: place.server.sessions.all == ())
            await place.ask("DELETE", at, status=404)
            await place.ask("PATCH", at, status=404, headers=TRICKLE, data=FRAGMENT)

    run(main)


def test_without_a_portrait_whip_takes_the_first_sample() -> None:
    async def main() -> None:
        async with serving() as place:
            await place.ask("POST", "/whip", status=201, headers=SDP, data=OFFER)
            first = (await place.ask("GET", "/api/v1/portraits")).json["portraits"][0]["id"]
            assert (await place.ask("GET", "/api/v1/sessions")).json["sessions"][0]["portrait"] == first

    run(main)


def test_a_cut_session_is_taken_over_with_the_token() -> None:
    async def main() -> None:
        async with serving() as place:
            first = await place.ask("POST", "/whip", status=201, headers=SDP, data=OFFER)
            await place.answering.peers[0].close("nothing came for 10 s")
            at = first.headers["Location"]
            await place.until(f"/api/v1/sessions/{at[6:]}", lambda told: told["state"] == "waiting")
            await place.ask("PATCH", at, status=404, headers=TRICKLE, data=FRAGMENT)
            query = f"/whip?resume={first.headers['Mien-Resume']}"
            second = await place.ask("POST", query, status=201, headers=SDP, data=OFFER)
            assert second.headers["Location"] == at
            assert second.headers["ETag"] != first.headers["ETag"]
            await place.ask("POST", query, status=404, headers=SDP, data=OFFER)

    run(main)


def test_whep_watches_a_session_until_somebody_leaves() -> None:
    async def main() -> None:
        async with serving(limited(viewers=2)) as place:
            session = await place.begin()
            at = f"/api/v1/sessions/{session['id']}"
            answer = await place.ask("POST", session["whep"], status=201, headers=SDP, data=OFFER)
            viewer = answer.headers["Location"]
            assert viewer.startswith(f"{session['whep']}/")
            assert not place.answering.peers[1].receives
            await place.ask("PATCH", viewer, status=204, headers=TRICKLE, data=FRAGMENT)
            await place.ask("POST", session["whep"], status=201, headers=SDP, data=OFFER)
            full = await place.ask("POST", session["whep"], status=503, headers=SDP, data=OFFER)
            assert "Retry-After" in full.headers
            assert (await place.ask("GET", at)).json["viewers"] == 2
            await place.ask("DELETE", viewer)
            await place.until(at, lambda told: told["viewers"] == 1)
            await place.ask("DELETE", viewer, status=404)
            await place.answering.peers[2].close("it went by itself")
            await place.until(at, lambda told: told["viewers"] == 0)
            third = await place.ask("POST", session["whep"], status=201, headers=SDP, data=OFFER)
            await place.ask("DELETE", at, status=204)
            await place.until_true(lambda: place.answering.peers[-1].closed_because == "the session ended")
            await place.ask("POST", session["whep"], status=404, headers=SDP, data=OFFER)
            await place.ask("DELETE", third.headers["Location"], status=404)

    run(main)


def test_ice_servers_are_told_in_links_and_to_the_page() -> None:
    turn = IceServer("turn:turn.example.org:3478?transport=udp", 'na"me', "se\\cret")
    peer = PeerSettings(ice_servers=(IceServer("stun:stun.example.org"), turn))

    async def main() -> None:
        async with serving(replace(SETTINGS, peer=peer)) as place:
            answer = await place.ask("POST", "/whip", status=201, headers=SDP, data=OFFER)
            links = answer.headers.getall("Link")
            assert '<stun:stun.example.org>; rel="ice-server"' in links
            assert (
                '<turn:turn.example.org:3478?transport=udp>; rel="ice-server"; '
                'username="na\\"me"; credential="se\\\\cret"; credential-type="password"'
            ) in links
            told = (await place.ask("GET", "/api/v1/server")).json["ice_servers"]
            assert told[0] == {"urls": "stun:stun.example.org"}
            assert told[1] == {"urls": turn.url, "username": turn.username, "credential": turn.credential}
        async with serving(replace(SETTINGS, peer=peer, token="correct-horse-battery")) as place:
            assert (await place.ask("GET", "/api/v1/server")).json["ice_servers"] == []

    run(main)


@pytest.mark.parametrize(
    ("query", "body", "kind", "status"),
    [
        ("", b"garbage", "application/sdp", 400),
        ("", b"", "application/sdp", 400),
        ("", b"v=0\xff\xfe", "application/sdp", 400),
        ("", b"v=0 " + b"a" * 70_000, "application/sdp", 400),
        ("", b"v=0 " + b"a" * 300_000, "application/sdp", 413),
        ("", b"v=0 unmet", "application/sdp", 422),
        ("", b"v=0", "application/json", 415),
        ("", b"v=0", "text/plain", 415),
        ("?portrait=nobody", b"v=0", "application/sdp", 404),
        ("?portrait=../../etc/passwd", b"v=0", "application/sdp", 404),
        ("?room=Tea+Time", b"v=0", "application/sdp", 422),
        (f"?resume={'x' * 200}", b"v=0", "application/sdp", 422),
        ("?resume=%C3%BC%00", b"v=0", "application/sdp", 404),
    ],
)
def test_what_cannot_be_met_is_refused_and_begins_nothing(query: str, body: bytes, kind: str, status: int) -> None:
    async def main() -> None:
        async with serving() as place:
            answer = await place.ask("POST", f"/whip{query}", status=status, headers={"Content-Type": kind}, data=body)
            assert ": expected " in answer.message
            assert place.server.sessions.all == ()

    run(main)
