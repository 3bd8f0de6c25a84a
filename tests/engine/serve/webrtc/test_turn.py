"""Relays by TURN: coturn between a peer and the server, on either side, by UDP and by TCP."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engine.serve.webrtc.calls import run, until
from tests.engine.serve.webrtc.client import Client, Pictures
from tests.engine.serve.webrtc.mirror import Mirror
from tests.engine.serve.webrtc.tab import Tab, with_tab, write_numbers

from mien.serve.webrtc.broadcast import Broadcast
from mien.serve.webrtc.peer import Peer
from mien.serve.webrtc.settings import IceServer, PeerSettings

USER, SECRET = "mien", "a-secret-of-the-test"


@pytest.fixture(scope="module")
def coturn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """HOST:PORT of one on loopback, which ends with the tests."""
    program = shutil.which("turnserver")
    if program is None:
        told = "coturn is not installed (Debian: apt-get install coturn)"
        if os.environ.get("MIEN_REQUIRE_COTURN") == "1":
            pytest.fail(told)
        pytest.skip(told)
    folder = tmp_path_factory.mktemp("coturn")
    port = free_port()
    given = ["-n", "--log-file", "stdout", "--listening-ip", "127.0.0.1", "--listening-port", str(port)]
    given += [
        "--relay-ip",
        "127.0.0.1",
        "--allow-loopback-peers",
        "--cli-password",
        SECRET,
        "--no-cli",
        "--no-tls",
        "--no-dtls",
    ]
    given += ["--lt-cred-mech", "--user", f"{USER}:{SECRET}", "--realm", "mien.test", "--pidfile", str(folder / "pid")]
    given += ["--userdb", str(folder / "turndb")]
    with subprocess.Popen(
        [program, *given], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder
    ) as process:
        try:
            wait_until_open(port, process)
            yield f"127.0.0.1:{port}"
        finally:
            process.kill()


@pytest.fixture(scope="module")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_numbers(tmp_path_factory.mktemp("camera") / "numbers.mjpeg")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_open(port: int, process: subprocess.Popen[bytes]) -> None:
    give_up = time.monotonic() + 30
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            assert process.poll() is None, "coturn ended"
            assert time.monotonic() < give_up, "coturn does not listen"
            time.sleep(0.05)


def settings(coturn: str, transport: str, secret: str = SECRET) -> PeerSettings:
    return PeerSettings(ice_servers=(IceServer(f"turn:{coturn}?transport={transport}", USER, secret),))


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_server_is_reached_through_its_relay(coturn: str, transport: str) -> None:
    async def main() -> None:
        client = Client(video=Pictures(25))
        peer = await Peer.answer(await client.offer(), settings(coturn, transport), sends=Broadcast())
        lines = peer.answer_sdp.splitlines(keepends=True)
        assert sum("typ relay" in line for line in lines) == 1
        await client.accept("".join(line for line in lines if "a=candidate" not in line or "typ relay" in line))
        await until(lambda: peer.statistics()["frames_in"] > 5)
        await client.close()
        await peer.close()

    run(main)


def test_a_relay_that_refuses_leaves_the_other_ways(coturn: str) -> None:
    async def main() -> None:
        client = Client(video=Pictures(25))
        peer = await Peer.answer(await client.offer(), settings(coturn, "udp", "another secret"), sends=Broadcast())
        assert "typ relay" not in peer.answer_sdp
        await client.accept(peer.answer_sdp)
        await until(lambda: peer.statistics()["frames_in"] > 2)
        await client.close()
        await peer.close()

    run(main)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_chromium_comes_through_its_relay_only(coturn: str, camera: Path, transport: str) -> None:
    async def work(tab: Tab, made: Mirror) -> None:
        server = {"urls": f"turn:{coturn}?transport={transport}", "username": USER, "credential": SECRET}
        relayed = {"iceServers": [server], "iceTransportPolicy": "relay"}
        await tab.page.evaluate("(relayed) => { window.configuration = relayed; }", relayed)
        await tab.begin("whip", "video")
        await tab.until_shown(0, 10)
        ((peer, _),) = made.publishers
        assert "typ host" in peer.answer_sdp
        pairs = await tab.page.evaluate(
            "async () => [...(await made[0].connection.getStats()).values()]"
            ".filter((one) => one.type === 'local-candidate').map((one) => one.candidateType)"
        )
        assert set(pairs) == {"relay"}

    with_tab(camera, work)
