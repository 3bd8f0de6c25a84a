"""No command and no program that uses mien asks for anyone over the network, or writes outside of mien's folders."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.engine import alone

MIEN = str(Path(sys.executable).with_name("mien"))
LIBRARY = """
import mien
from mien.bundles import find
from mien.manifest import read_bundle
from mien.runtime.opening import open_session
portrait = mien.prepare(mien.samples.portraits()["mira"])
frame = next(iter(mien.animate(portrait, mien.capture.open(mien.samples.driver()))))
for backend in "onnxruntime", "openvino":
    open_session(read_bundle(find("oneshot-live")), "generator", backend, "fp32").run()
"""
SERVED = """
import asyncio, re, signal, sys
from aiohttp import ClientSession
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

async def connect(url):
    peer, connected = RTCPeerConnection(RTCConfiguration(iceServers=[])), asyncio.Event()
    peer.on("connectionstatechange", lambda: peer.connectionState == "connected" and connected.set())
    peer.addTransceiver("video", direction="sendrecv")
    await peer.setLocalDescription(await peer.createOffer())
    offer = {"data": peer.localDescription.sdp, "headers": {"Content-Type": "application/sdp"}}
    async with ClientSession() as client:
        while (await client.get(url + "readyz")).status != 200:
            await asyncio.sleep(0.1)
        async with client.post(url + "whip", **offer) as answer:
            await peer.setRemoteDescription(RTCSessionDescription(await answer.text(), "answer"))
    await connected.wait()
    await peer.close()

async def main(command):
    server = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    try:
        told = re.search(r"http://\\S+", (await server.stdout.readline()).decode())
        await asyncio.wait_for(connect(told.group()), 30)
    finally:
        server.send_signal(signal.SIGINT)
        await server.stdout.read()
    sys.exit(await server.wait())

asyncio.run(main(sys.argv[1:]))
"""


def _may_be_alone() -> bool:
    trial = ["unshare", "--net", "--mount", "true"]
    return shutil.which("unshare") is not None and subprocess.run(trial, capture_output=True).returncode == 0


@pytest.mark.skipif(not _may_be_alone(), reason="needs the right to make network and mount namespaces (root)")
def test_nobody_is_asked_for_and_nothing_is_written_outside(tmp_path: Path) -> None:
    home, asked = tmp_path / "home", tmp_path / "asked"
    home.mkdir()
    driven = ["sample:mira", "--quiet", "--threads", "1", "--duration", "0.2", "--size", "256"]
    commands = [
        [MIEN, "doctor"],
        [MIEN, "reenact", *driven, "--driver", "sample:driver", "--output", str(tmp_path / "reenacted.mp4")],
        [MIEN, "live", *driven, "--camera", "sample:driver", "--output", str(tmp_path / "live.mp4")],
        [MIEN, "bench", "stages", "--frames", "2", "--warm-up", "1", "--repetitions", "1", "--model", "warp"],
        [sys.executable, "-c", LIBRARY],
        [sys.executable, "-c", "import mien_export.graphs.int8"],
        [sys.executable, "-c", SERVED, MIEN, "serve", "--port", "0", "--size", "256"],
    ]
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "MPL", "ORT_"))}
    done = subprocess.run(
        ["unshare", "--net", "--mount", sys.executable, alone.__file__, str(asked), json.dumps(commands)],
        env={**variables, "HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.stdout.split() == ["0"] * len(commands), done.stderr
    assert asked.read_text().splitlines() == [alone.CONTROL]
    folders = (".cache/mien/", ".local/share/mien/")
    written = [str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()]
    assert [path for path in written if not path.startswith(folders)] == []


def test_the_switches_reach_children_and_the_native_libraries() -> None:
    program = "import mien, os, sys; print(os.environ['ORT_DISABLE_TELEMETRY'], sys.modules['openvino_telemetry'])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "1 None\n"


def test_a_program_that_imported_openvino_first_is_told_by_the_doctor() -> None:
    program = (
        "import sys; sys.modules['openvino_telemetry'] = sys; "
        "from mien.machine.telemetry import is_off; print(is_off())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
