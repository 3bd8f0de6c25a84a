"""Offers as real programs write them, each a way of its own: answered, or refused with the true reason."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from tests.engine.serve.webrtc.calls import run, until
from tests.engine.serve.webrtc.client import Client, Pictures, Tone

from mien.serve.webrtc.broadcast import Broadcast
from mien.serve.webrtc.offer import OfferError, read_offer
from mien.serve.webrtc.peer import Peer
from mien.serve.webrtc.sending import PLAYOUT_URI as PLAYOUT_DELAY

PRINT = ":".join(["AB"] * 32)
SESSION = ["v=0", "o=- 1 2 IN IP4 0.0.0.0", "s=-", "t=0 0"]
TRANSPORT = [
    "a=ice-ufrag:JYqJ",
    "a=ice-pwd:fUSOGBAOREerXgVepvvkXIfX",
    f"a=fingerprint:sha-256 {PRINT}",
    "a=setup:actpass",
]
H264 = ["a=rtpmap:125 H264/90000", "a=fmtp:125 packetization-mode=1;profile-level-id=42e01f"]
OTHERS = ["a=rtpmap:98 VP9/90000", "a=fmtp:98 profile-id=0", "a=rtpmap:35 AV1/90000"]
UNKNOWN = ["a=ssrc:1", "a=extmap:4 urn:x y z", "a=fmtp:77 a=b", "a=fmtp:125", "a=rtcp:9", "a=rid:h send", "a=:"]
UNKNOWN += ["a=rtpmap:9999 H264/90000", "a=max-message-size:many", "a=ssrc-group:FID one two", "k=prompt", "a=ptime:x"]
GOOD = "a=candidate:1 1 udp 2122260223 192.0.2.7 50000 typ host"


def media(kind: str, numbers: str, *lines: str, mid: str = "0", port: int = 9, say: str = "a=sendonly") -> list[str]:
    """A section that says which way it goes, unless `say` is empty."""
    named = [f"a=mid:{mid}"] if mid else []
    said = [say] if say else []
    return [f"m={kind} {port} UDP/TLS/RTP/SAVPF {numbers}", "c=IN IP4 0.0.0.0", *named, "a=rtcp-mux", *said, *lines]


def offer(*sections: list[str], bundle: str = "a=group:BUNDLE 0", end: str = "\r\n") -> str:
    lines = [*SESSION, *([bundle] if bundle else []), *(line for section in sections for line in section)]
    return "".join(f"{line}{end}" for line in lines)


VIDEO = media("video", "125", *TRANSPORT, *H264)
AUDIO = media("audio", "111", *TRANSPORT, "a=rtpmap:111 opus/48000/2", mid="1")
ANSWERED: dict[str, tuple[str, str]] = {
    "H.264 without fmtp": (offer(media("video", "125", *TRANSPORT, H264[0])), "packetization-mode=0"),
    "H.264 without fmtp, no direction": (offer(media("video", "125", *TRANSPORT, H264[0], say="")), "a=recvonly"),
    "H.264 of mode 0": (
        offer(media("video", "125", *TRANSPORT, H264[0], "a=fmtp:125 packetization-mode=0")),
        "-mode=0",
    ),
    "how long to hold pictures back": (
        offer(media("video", "125", *TRANSPORT, *H264, f"a=extmap:14 {PLAYOUT_DELAY}")),
        f"a=extmap:14 {PLAYOUT_DELAY}",
    ),
    "no direction": (offer(media("video", "125", *TRANSPORT, *H264, say="")), "a=sendrecv"),
    "the session's direction": (offer(["a=sendonly"], media("video", "125", *TRANSPORT, *H264, say="")), "a=recvonly"),
    "small letters": (offer(media("video", "125", *TRANSPORT, "a=rtpmap:125 h264/90000", H264[1].lower())), "H264"),
    "line feeds": (offer(VIDEO, end="\n"), "a=rtpmap:125 H264"),
    "no bundle, no mid": (offer(media("video", "125", *TRANSPORT, *H264, mid=""), bundle=""), "a=recvonly"),
    "VP9 and AV1 first": (
        offer(media("video", "98 35 96", *TRANSPORT, *OTHERS, "a=rtpmap:96 VP8/90000")),
        "a=rtpmap:96 VP8",
    ),
    "fingerprint of the session": (
        offer([TRANSPORT[2]], [line for line in VIDEO if "fingerprint" not in line]),
        "H264",
    ),
    "fingerprints of several digests": (
        offer([*VIDEO, f"a=fingerprint:sha-1 {PRINT[:59]}", f"a=fingerprint:SHA-512 {PRINT}:{PRINT}", "a=fingerprint"]),
        "H264",
    ),
    "no setup": (offer([line for line in VIDEO if "setup" not in line]), "a=setup:passive"),
    "unknown attributes and forms": (
        offer(
            ["b=AS:500", "a=msid-semantic: WMS *", "a=extmap-allow-mixed", "a=x"],
            [*VIDEO, *UNKNOWN],
        ),
        "H264",
    ),
    "a data channel before it": (
        offer(
            ["m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "a=mid:0", *TRANSPORT, "a=sctp-port:5000"],
            media("video", "125", *TRANSPORT, *H264, mid="v"),
            bundle="a=group:BUNDLE 0 v",
        ),
        "m=application 0 UDP/DTLS/SCTP webrtc-datachannel",
    ),
    "a rejected section beside it": (offer(media("audio", "0", mid="a", port=0), VIDEO), "m=audio 0"),
    "two of video": (
        offer(
            media("video", "96", *TRANSPORT, "a=rtpmap:96 VP8/90000", say="a=recvonly"),
            media("video", "125", *TRANSPORT, *H264, mid="1"),
            bundle="a=group:BUNDLE 0 1",
        ),
        "m=video 0 UDP/TLS/RTP/SAVPF 96",
    ),
    "sound of another codec": (
        offer(VIDEO, media("audio", "8", *TRANSPORT, "a=rtpmap:8 PCMA/8000", mid="1")),
        "m=audio 0",
    ),
    "a bundle that says its transport once": (
        offer(
            VIDEO,
            media("audio", "111", "a=rtpmap:111 opus/48000/2", "a=bundle-only", mid="1", port=0),
            bundle="a=group:BUNDLE 0 1",
        ),
        "a=group:BUNDLE 0 1",
    ),
    "another bundle": (offer(VIDEO, AUDIO, bundle="a=group:BUNDLE 0 1 7"), "a=group:BUNDLE 0 1"),
    "the older protocol": (offer(["m=video 9 RTP/SAVPF 125", *VIDEO[1:]]), " RTP/SAVPF 125"),
}
CANDIDATES = (
    "a=candidate:",
    "a=candidate",
    "a=candidate:nonsense",
    "a=candidate:1 1 tcp 1 192.0.2.1 9 typ host tcptype active",
    "a=candidate:1 1 TLS 1 192.0.2.1 443 typ host",
    "a=candidate:1 2 udp 1 192.0.2.1 50001 typ host",
    "a=candidate:1 1 udp 1 3a7e-11.local 50000 typ host",
    "a=candidate:1 1 udp 1 peer.example.org 50000 typ host",
    "a=candidate:1 1 udp 1 fe80::1%eth0 50000 typ host",
    "a=candidate:1 1 udp 1 999.0.0.1 50000 typ host",
    "a=candidate:1 1 udp 1 192.0.2.1 70000 typ host",
    "a=candidate:1 1 udp 1 192.0.2.1 0 typ host",
    "a=candidate:1 1 udp 1 192.0.2.1 50000 typ imagined",
    "a=candidate:1 1 udp 99999999999 192.0.2.1 50000 typ host",
    "a=candidate:1 1 udp 1 0.0.0.0 50000 typ host",
)
REFUSED = {
    "no fingerprint": (offer([line for line in VIDEO if "fingerprint" not in line]), "fingerprint"),
    "a weak fingerprint": (
        offer([f"a=fingerprint:sha-1 {PRINT[:59]}" if "fingerprint" in line else line for line in VIDEO]),
        "sha-256.*got sha-1",
    ),
    "a cut fingerprint": (offer([line.replace(":AB:AB:AB", "", 1) for line in VIDEO]), "fingerprint"),
    "no credentials": (offer([line for line in VIDEO if "ice-" not in line]), "ICE credentials"),
    "no multiplexing": (offer([line for line in VIDEO if "rtcp-mux" not in line]), "rtcp-mux"),
    "an unknown setup": (offer([line.replace("actpass", "holdconn") for line in VIDEO]), "setup.*holdconn"),
    "sound only": (offer(AUDIO), "expected a video section, got audio"),
    "only rejected": (offer(media("video", "125", port=0)), "video .rejected."),
    "no codec of ours": (offer(media("video", "98", *TRANSPORT, "a=rtpmap:98 VP9/90000")), "H264 or VP8.*got VP9"),
    "no codec that is named": (offer(media("video", "98", *TRANSPORT)), "none that is named"),
    "nothing that comes": (offer(media("video", "125", *TRANSPORT, *H264, say="a=inactive")), "sends a picture"),
}


@pytest.mark.parametrize("name", ANSWERED)
def test_it_is_answered(name: str) -> None:
    text, told = ANSWERED[name]

    async def main() -> None:
        peer = await Peer.answer(text, sends=Broadcast())
        answer = peer.answer_sdp
        await peer.close()
        assert told in answer
        lines = text.splitlines()
        assert kinds(answer.splitlines()) == kinds(lines)
        assert ("a=mid:" in answer, "BUNDLE" in answer) == ("a=mid:" in text, "BUNDLE" in text)

    run(main)


def kinds(lines: list[str]) -> list[str]:
    return [line.split(" ")[0] for line in lines if line.startswith("m=")]


@pytest.mark.parametrize("bad", CANDIDATES)
def test_a_candidate_of_no_use_is_left_out_and_no_other(bad: str) -> None:
    taken = read_offer(offer([*VIDEO, bad, GOOD])).sdp
    assert [line for line in taken.splitlines() if line.startswith("a=candidate")][-1] == GOOD
    assert bad not in taken.splitlines()


@pytest.mark.parametrize(
    "good", [GOOD, "a=candidate:a 1 UDP 1 2001:db8::7 50000 typ srflx raddr :: rport 9 generation 0"]
)
def test_a_candidate_of_use_is_taken(good: str) -> None:
    assert good.split(" ")[4] in read_offer(offer([*VIDEO, good, "a=end-of-candidates"])).sdp


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_with_the_true_reason(name: str) -> None:
    text, told = REFUSED[name]

    async def main() -> None:
        with pytest.raises(OfferError, match=told) as caught:
            await Peer.answer(text, sends=Broadcast())
        assert caught.value.status == 422
        assert "\n" not in str(caught.value)

    run(main)


def session_wide(text: str) -> str:
    """Fingerprints before the sections, one of another certificate first, and candidates of no use."""
    lines = text.splitlines()
    prints = dict.fromkeys(line for line in lines if line.startswith("a=fingerprint:sha-256"))
    rest = [line for line in lines if not line.startswith("a=fingerprint")]
    at = next(place for place, line in enumerate(rest) if line.startswith("m="))
    return "\n".join([*rest[:at], f"a=fingerprint:sha-256 {PRINT}", *prints, *rest[at:], *CANDIDATES])


def without_attributes(text: str) -> str:
    """No direction, no parameters, no feedback, no stream ids."""
    gone = ("a=sendrecv", "a=fmtp", "a=rtcp-fb", "a=msid", "a=ssrc", "a=extmap")
    return "".join(f"{line}\r\n" for line in text.splitlines() if not line.startswith(gone))


@pytest.mark.parametrize("changed", [session_wide, without_attributes])
def test_media_come_after_an_odd_offer(changed: Callable[[str], str]) -> None:
    async def main() -> None:
        client = Client(video=Pictures(25), audio=Tone(), wants_video=True, wants_audio=True)
        peer = await Peer.answer(changed(await client.offer()), sends=Broadcast())
        # the client's own library, too, only knows mode 1
        await client.accept(peer.answer_sdp.replace("packetization-mode=0", "packetization-mode=1"))
        await until(lambda: peer.statistics()["frames_in"] > 3)
        await asyncio.gather(client.close(), peer.close())

    run(main)


def test_a_certificate_that_was_not_offered_is_refused() -> None:
    async def main() -> None:
        client = Client(video=Pictures(25))
        lines = (await client.offer()).splitlines()
        foreign = [
            f"a=fingerprint:sha-256 {PRINT}" if line.startswith("a=fingerprint:sha-256") else line for line in lines
        ]
        kept = "".join(
            f"{line}\r\n" for line in foreign if not line.startswith(("a=fingerprint:sha-3", "a=fingerprint:sha-5"))
        )
        peer = await Peer.answer(kept, sends=Broadcast())
        await client.accept(peer.answer_sdp)
        assert "certificate must be the offered one" in await asyncio.wait_for(peer.wait_closed(), 20)
        await client.close()

    run(main)
