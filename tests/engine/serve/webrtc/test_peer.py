"""Whole calls over loopback with aiortc as the other side: real codecs, real packets."""

from __future__ import annotations

import asyncio
import gc

import pytest
from aiortc.rtp import RTCP_PSFB_APP, RtcpPsfbPacket, pack_remb_fci
from tests.engine.serve.webrtc.calls import Call, calling, open_files, our_threads, run, until
from tests.engine.serve.webrtc.client import Client, Pictures, Tone

from mien.serve.webrtc.broadcast import Broadcast
from mien.serve.webrtc.offer import OfferError
from mien.serve.webrtc.peer import Peer
from mien.serve.webrtc.settings import PeerSettings


def caller(codec: str = "H264", *, sound: bool = True) -> Client:
    tone = Tone() if sound else None
    return Client(video=Pictures(25), audio=tone, wants_video=True, wants_audio=sound, codec=codec)


async def until_seen(call: Call, count: int = 25) -> None:
    await until(lambda: len(call.client.received.pictures) >= count and call.echo.count >= count)


@pytest.mark.parametrize("codec", ["H264", "VP8"])
def test_pictures_and_sound_go_both_ways(codec: str) -> None:
    async def main() -> None:
        async with calling(caller(codec)) as call:
            await until_seen(call)
            await until(lambda: call.echo.sounds > 20 and len(call.client.received.runs) > 20)
            numbers = call.echo.numbers
            assert numbers == sorted(set(numbers))
            shown = [number for _, number in call.client.received.pictures]
            assert set(shown) <= set(numbers)
            assert shown == sorted(shown)
            assert call.client.received.sizes == {(640, 480)}
            told = call.peer.statistics()
            assert told["state"] == "connected"
            assert told["codec"] == codec.lower()
            assert (told["width_in"], told["height_in"]) == (640, 480)
            assert told["frames_broken"] == told["frames_lost"] == 0
            assert call.peer.source.info.sound is not None
            latencies = call.client.latencies()
            assert len(latencies) > 10
            assert min(latencies) > 0

    run(main)


def test_frames_have_the_senders_times() -> None:
    async def main() -> None:
        async with calling(caller(sound=False)) as call:
            await until(lambda: call.echo.count > 20)
            first, last = call.echo.frames[0], call.echo.frames[-1]
            apart = call.echo.numbers[-1] - call.echo.numbers[-len(call.echo.frames)]
            assert last.pts - first.pts == apart * 3600
            assert first.captured_at < last.captured_at
            assert call.peer.source.info.sound is None

    run(main)


def test_the_sound_of_a_call_is_heard_again() -> None:
    async def main() -> None:
        async with calling(caller()) as call:
            heard = call.client.received.runs
            await until(lambda: any(int(run[1].max()) > 8000 for run in heard))

    run(main)


def test_a_client_that_leaves_ends_its_peer_and_all_its_threads() -> None:
    async def main() -> None:
        async with calling(caller()) as call:
            await until_seen(call, 5)
            await call.client.close()
            assert "by the peer" in await call.peer.wait_closed()
            await until(lambda: call.peer.statistics()["state"] == "closed")
            await asyncio.to_thread(call.echo.join)
        await until(lambda: not our_threads())

    run(main)


def test_a_peer_that_is_closed_says_goodbye() -> None:
    async def main() -> None:
        async with calling(caller()) as call:
            await until_seen(call, 5)
            await asyncio.gather(call.peer.close("enough"), call.peer.close("twice"))
            assert await call.peer.wait_closed() == call.peer.closed_because == "enough"
            await until(lambda: call.client.connection.connectionState == "closed")

    run(main)


def test_a_client_that_vanishes_is_noticed() -> None:
    async def main() -> None:
        async with calling(caller(), PeerSettings(idle=1.0)) as call:
            await until_seen(call, 5)
            for protocol in call.wire._connection._protocols:
                protocol.transport.abort()
            assert "nothing came for 1 s" in await call.peer.wait_closed()

    run(main)


def test_a_client_that_never_sends_is_given_up() -> None:
    async def main() -> None:
        client = caller()
        peer = await Peer.answer(await client.offer(), PeerSettings(first_media=0.5), sends=Broadcast())
        assert "nothing came within 0.5 s" in await peer.wait_closed()
        await client.close()

    run(main)


def test_a_viewer_sees_the_last_picture_at_once_and_what_follows() -> None:
    async def main() -> None:
        async with calling(caller()) as call:
            await until_seen(call, 5)
            viewer = Client(wants_video=True, wants_audio=True, codec="VP8")
            peer = await Peer.answer(await viewer.offer(), sends=call.broadcast, receives=False, name="viewer")
            await viewer.accept(peer.answer_sdp)
            assert call.broadcast.peers == 2
            await until(lambda: len(viewer.received.pictures) > 10 and len(viewer.received.runs) > 10)
            assert peer.statistics()["codec"] == "vp8"
            assert list(peer.source) == []
            await viewer.close()
            await peer.wait_closed()
            assert call.broadcast.peers == 1

    run(main)


def test_a_key_frame_comes_when_a_viewer_asks() -> None:
    async def main() -> None:
        async with calling(caller()) as call:
            await until_seen(call, 10)
            before = call.peer.statistics()["key_frames_out"]
            receiver = call.client.connection.getTransceivers()[0].receiver
            (ssrc,) = (source.source for source in receiver.getSynchronizationSources())
            await receiver._send_rtcp_pli(ssrc)
            await until(lambda: call.peer.statistics()["key_frames_out"] > before)

    run(main)


def test_what_the_receiver_can_get_reaches_the_encoder() -> None:
    async def main() -> None:
        async with calling(caller()) as call:
            await until_seen(call, 10)
            receiver = call.client.connection.getTransceivers()[0].receiver
            (ssrc,) = (source.source for source in receiver.getSynchronizationSources())
            fci = pack_remb_fci(300_000, [ssrc])
            await receiver._send_rtcp(RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=1, media_ssrc=0, fci=fci))
            await until(lambda: call.peer.statistics()["target_bitrate_out"] == PeerSettings().bitrate.easy)

    run(main)


def test_a_broadcast_that_ends_leaves_the_peer() -> None:
    async def main() -> None:
        async with calling(caller()) as call:
            await until_seen(call, 5)
            call.broadcast.finish()
            count = call.echo.count
            await until(lambda: call.echo.count > count + 10)
            assert call.peer.closed_because == ""

    run(main)


@pytest.mark.parametrize("receives", [True, False])
def test_an_offer_of_the_wrong_direction_is_refused(receives: bool) -> None:
    async def main() -> None:
        client = Client(wants_video=True) if receives else Client(video=Pictures(25))
        with pytest.raises(OfferError) as caught:
            await Peer.answer(await client.offer(), sends=Broadcast(), receives=receives)
        assert caught.value.status == 422
        await client.close()

    run(main)


def test_an_offer_without_a_codec_in_common_is_refused_and_leaves_nothing_open() -> None:
    async def main() -> None:
        client = Client(video=Pictures(25))
        offer = (await client.offer()).replace("H264/90000", "AV1/90000")
        await asyncio.sleep(0)
        files, tasks = open_files(), len(asyncio.all_tasks())
        for broken in (offer, offer.replace("a=rtcp-mux\r\n", ""), offer.replace("a=fingerprint", "a=x")):
            with pytest.raises(OfferError) as caught:
                await Peer.answer(broken, sends=Broadcast())
            assert caught.value.status == 422
            assert "\n" not in str(caught.value)
        with pytest.raises(OfferError, match="expected H264 or VP8"):
            await Peer.answer(offer)
        await until(lambda: len(asyncio.all_tasks()) <= tasks)
        assert open_files() <= files
        await client.close()

    run(main)


@pytest.mark.parametrize("first", ["video", "audio"])
def test_candidates_may_come_later(first: str) -> None:
    async def main() -> None:
        client = caller() if first == "video" else Client(audio=Tone(), video=Pictures(25), order=("audio", "video"))
        offer = await client.offer()
        lines = offer.splitlines(keepends=True)
        bare = "".join(line for line in lines if not line.startswith(("a=candidate", "a=end-of")))
        peer = await Peer.answer(bare, sends=Broadcast())
        ufrag = next(line for line in lines if line.startswith("a=ice-ufrag"))
        candidates = "".join(line for line in lines if line.startswith("a=candidate"))
        with pytest.raises(OfferError, match="restart"):
            await peer.add_candidates("a=ice-ufrag:other\r\na=ice-pwd:x\r\n")
        with pytest.raises(OfferError, match="candidates"):
            await peer.add_candidates("a=mid:0\r\na=candidate:nonsense\r\n")
        await peer.add_candidates(f"{ufrag}m=video 9 RTP/AVP 0\r\na=mid:1\r\n{candidates}a=end-of-candidates\r\n")
        await client.accept(peer.answer_sdp)
        await until(lambda: peer.statistics()["frames_in"] > 5)
        await client.close()
        await peer.close()
        await peer.add_candidates(f"a=mid:0\r\n{candidates}")

    run(main)


def test_each_peer_has_a_name_of_its_own() -> None:
    async def main() -> None:
        clients = [caller(), caller()]
        peers = [await Peer.answer(await client.offer(), sends=Broadcast()) for client in clients]
        assert len({peer.id_of_ice for peer in peers}) == 2
        await asyncio.gather(*(one.close() for one in clients), *(one.close() for one in peers))

    run(main)


@pytest.mark.parametrize("count", [10, pytest.param(200, marks=pytest.mark.long)])
def test_calls_that_come_and_go_leave_nothing(count: int) -> None:
    async def one() -> None:
        async with calling(caller(sound=False)) as call:
            await until(lambda: call.echo.count > 0)

    async def main() -> None:
        await one()
        gc.collect()
        await until(lambda: not our_threads())
        files = open_files()
        for _ in range(count):
            await one()
        await until(lambda: not our_threads())
        gc.collect()
        assert open_files() <= files

    asyncio.run(main())
