"""GStreamer's webrtcbin, which brings an RSA certificate, publishes and plays."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.engine.serve.webrtc.calls import PATIENCE, until
from tests.engine.serve.webrtc.client import Client, Pictures, Tone
from tests.engine.serve.webrtc.mirror import Mirror, mirror

SCRIPT = Path(__file__).with_name("gstreamer_peer.py")
PYTHON = os.environ.get("MIEN_GSTREAMER_PYTHON", "/usr/bin/python3")
"""The system's own, which has GStreamer's bindings."""
NEEDED = "webrtcbin nicesrc x264enc vp8enc openh264dec vp8dec opusenc dtlssrtpenc"
LONG = pytest.param(60.0, marks=pytest.mark.long)


@pytest.fixture(scope="module", autouse=True)
def _gstreamer() -> None:
    asked = (
        "import gi; gi.require_version('Gst', '1.0'); gi.require_version('GstWebRTC', '1.0'); "
        f"from gi.repository import Gst, GstWebRTC; Gst.init(None); "
        f"print(*[name for name in '{NEEDED}'.split() if Gst.ElementFactory.find(name) is None])"
    )
    try:
        found = subprocess.run([PYTHON, "-c", asked], capture_output=True, text=True, check=True, timeout=60)
        missing = found.stdout.strip()
    except (OSError, subprocess.SubprocessError):
        missing = "python3-gst-1.0"
    if not missing:
        return
    told = f"GStreamer lacks {missing} (Debian: see .ci/run)"
    if os.environ.get("MIEN_REQUIRE_GSTREAMER") == "1":
        pytest.fail(told)
    pytest.skip(told)


async def gstreamer(what: str, made: Mirror, codec: str, seconds: float, *more: str) -> dict[str, Any]:
    """What it tells at its end."""
    url = f"{made.url}/{'whip' if what == 'publish' else 'whep'}"
    process = await asyncio.create_subprocess_exec(
        PYTHON, str(SCRIPT), what, url, codec, str(seconds), *more, stdout=asyncio.subprocess.PIPE
    )
    told, _ = await asyncio.wait_for(process.communicate(), seconds + PATIENCE)
    figures: dict[str, Any] = json.loads(told)
    assert figures["error"] == ""
    return figures


@pytest.mark.parametrize(
    ("codec", "profile", "seconds"),
    [
        ("h264", "constrained-baseline", 4.0),
        ("h264", "high", 4.0),
        ("vp8", "", 4.0),
        pytest.param("h264", "main", 60.0, marks=pytest.mark.long),
        pytest.param("h264", "high", 60.0, marks=pytest.mark.long),
        pytest.param("vp8", "", 60.0, marks=pytest.mark.long),
    ],
)
def test_it_publishes_without_a_break(codec: str, profile: str, seconds: float) -> None:
    async def main() -> None:
        async with mirror() as made:
            figures = await gstreamer("publish", made, codec, seconds, profile)
            ((peer, echo),) = made.publishers
            await asyncio.wait_for(peer.wait_closed(), PATIENCE)
            told = peer.statistics()
            assert told["codec"] == codec
            # what it encodes before the connection stands is lost
            assert told["frames_in"] > 0.5 * figures["pictures"]
            assert (told["width_in"], told["height_in"]) == (640, 480)
            assert told["frames_broken"] == 0
            assert echo.sounds > 20 * seconds
            assert made.requests == ["POST /whip", "DELETE /whip"]

    asyncio.run(main())


@pytest.mark.parametrize("seconds", [4.0, LONG])
@pytest.mark.parametrize("codec", ["h264", "vp8"])
def test_it_plays_without_a_break(codec: str, seconds: float) -> None:
    async def main() -> None:
        async with mirror() as made:
            client = await sending(made)
            figures = await gstreamer("play", made, codec, seconds)
            (viewer,) = made.viewers
            assert viewer.statistics()["codec"] == codec
            assert figures["size"] == [640, 480]
            assert figures["pictures"] > 5 * seconds
            assert figures["sounds"] > 20 * seconds
            assert figures["longest"] < 5.0
            await client.close()

    asyncio.run(main())


async def sending(made: Mirror) -> Client:
    """Somebody who publishes to the mirror, and goes on."""
    import aiohttp

    client = Client(video=Pictures(25), audio=Tone())
    async with aiohttp.ClientSession() as http, http.post(f"{made.url}/whip", data=await client.offer()) as answer:
        assert answer.status == 201
        await client.accept(await answer.text())
    await until(lambda: made.publishers[0][1].count > 0)
    return client
