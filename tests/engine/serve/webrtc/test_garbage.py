"""Offers that were real once."""

from __future__ import annotations

import asyncio
import random

import pytest
from tests.engine.serve.webrtc.calls import open_files, our_threads, run, until
from tests.engine.serve.webrtc.client import Client, Pictures, Tone

from mien.serve.webrtc.broadcast import Broadcast
from mien.serve.webrtc.offer import OfferError
from mien.serve.webrtc.peer import Peer
from mien.serve.webrtc.settings import IceServer, PeerSettings


def mutated(offer: str, rng: random.Random) -> str:
    """With some of its lines lost, doubled, swapped, cut or scribbled on."""
    lines = offer.splitlines()
    for _ in range(rng.randrange(1, 4)):
        at, other = rng.randrange(1, len(lines)), rng.randrange(1, len(lines))
        kind = rng.randrange(6)
        if kind == 0 and len(lines) > 3:
            del lines[at]
        elif kind == 1:
            lines.insert(at, lines[other])
        elif kind == 2:
            lines[at], lines[other] = lines[other], lines[at]
        elif kind == 3:
            lines[at] = lines[at][: rng.randrange(len(lines[at]) + 1)]
        elif kind == 4:
            place = rng.randrange(len(lines[at]) + 1)
            lines[at] = lines[at][:place] + rng.choice("0:=;/ \tä-") + lines[at][place:]
        else:
            lines[at] = lines[at].replace(rng.choice("0123456789"), rng.choice(["99999999999", "-1", "x", ""]))
    return "\r\n".join(lines) + "\r\n"


def test_whatever_becomes_of_an_offer_it_is_answered_or_refused_and_nothing_stays_open() -> None:
    async def main() -> None:
        client = Client(video=Pictures(25), audio=Tone(), wants_video=True, wants_audio=True)
        offer = await client.offer()
        await client.close()
        rng = random.Random(0)
        await (await Peer.answer(offer, sends=Broadcast())).close()
        files, tasks = open_files(), len(asyncio.all_tasks())
        answered, refusals = 0, []
        for _ in range(80):
            try:
                peer = await Peer.answer(mutated(offer, rng), sends=Broadcast())
            except OfferError as error:
                refusals.append(error)
            else:
                answered += 1
                await peer.close()
        assert answered > 0
        assert {error.status for error in refusals} == {400, 422}
        assert not [error for error in refusals if "\n" in str(error)]
        await until(lambda: len(asyncio.all_tasks()) <= tasks)
        assert open_files() <= files
        assert our_threads() == []

    run(main)


def test_an_answer_that_is_given_up_leaves_nothing_open() -> None:
    async def main() -> None:
        client = Client(video=Pictures(25))
        offer = await client.offer()
        files = open_files()
        settings = PeerSettings(ice_servers=(IceServer("stun:127.0.0.1:9"),))  # which never answers
        asked = asyncio.create_task(Peer.answer(offer, settings))
        await until(lambda: open_files() > files)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        await until(lambda: open_files() <= files)
        await client.close()

    run(main)
