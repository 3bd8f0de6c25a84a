"""Each protocol over loopback, with a real server of it."""

from __future__ import annotations

import os
import select
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from threading import Event, Thread
from typing import Any, ClassVar, Self

import av
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from tests.engine.capture.rtsp_server import RATE, RtspServer

from mien import capture
from mien.capture.feeds import feed_of
from mien.capture.live import LiveSource
from mien.capture.network import NetworkFeed
from mien.capture.pipe import SrtFeed
from mien.capture.synthetic import number_of
from mien.clock import ManualClock
from mien.errors import SourceError
from mien.frame import Frame
from mien.machine.folders import program_with

MakeClip = Any


class _Quiet(SimpleHTTPRequestHandler):
    asked: ClassVar[list[str]] = []

    def log_message(self, format: str, *args: Any) -> None:
        self.asked.append(self.path)


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    """The address that serves the test's folder."""
    _Quiet.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(tmp_path))) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def numbers_of(address: str, count: int) -> list[int]:
    seen: list[int] = []
    clock = ManualClock()

    def wait(seconds: float) -> bool:
        clock.advance(seconds)
        return False

    with LiveSource(feed_of(address), clock=clock, wait=wait) as source:
        for item in source:
            if isinstance(item, Frame):
                seen.append(number_of(item.pixels))
            if len(seen) == count:
                break
    return seen


def test_hls(make_clip: MakeClip, tmp_path: Path, web: str) -> None:
    options = {"hls_time": "0.4", "hls_playlist_type": "vod", "hls_list_size": "0"}
    make_clip(count=60, rate=30, container_options=options).write(tmp_path / "list.m3u8")
    assert len(list(tmp_path.glob("*.ts"))) == 5
    assert numbers_of(f"{web}/list.m3u8", 60) == list(range(60))


def test_of_several_qualities_one_is_loaded(make_clip: MakeClip, tmp_path: Path, web: str) -> None:
    options = {"hls_time": "0.4", "hls_playlist_type": "vod", "hls_list_size": "0"}
    text, names = "#EXTM3U\n", {"low": 96, "high": 160}
    for name, side in names.items():
        (tmp_path / name).mkdir()
        clip = make_clip(count=60, rate=30, width=side, height=side, container_options=options)
        clip.write(tmp_path / name / "list.m3u8")
        text += f"#EXT-X-STREAM-INF:BANDWIDTH={side * 1000},RESOLUTION={side}x{side}\n{name}/list.m3u8\n"
    (tmp_path / "all.m3u8").write_text(text)
    assert numbers_of(f"{web}/all.m3u8", 60) == list(range(60))
    loaded = [sum(path.startswith(f"/{name}/") and path.endswith(".ts") for path in _Quiet.asked) for name in names]
    assert max(loaded) == 5
    assert min(loaded) <= 2, "looked at, not loaded"


def test_a_play_list_cannot_name_this_machines_own_files(make_clip: MakeClip, tmp_path: Path, web: str) -> None:
    own = make_clip(count=10).write(tmp_path / "own.ts")
    served = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://{own}\n#EXT-X-ENDLIST\n"
    (tmp_path / "list.m3u8").write_text(served)
    with pytest.raises(SourceError, match="expected a stream"):
        capture.open(f"{web}/list.m3u8")


def test_a_file_over_http(make_clip: MakeClip, tmp_path: Path, web: str) -> None:
    make_clip(count=10).write(tmp_path / "clip.mp4")
    assert numbers_of(f"{web}/clip.mp4", 10) == list(range(10))


def test_no_such_stream(web: str) -> None:
    with pytest.raises(SourceError, match="no stream of that name there"):
        capture.open(f"{web}/nothing.m3u8")


class Answers:
    """A server that answers each connection's first words so, then closes it, or says nothing."""

    def __init__(self, answer: Callable[[bytes], bytes] | None) -> None:
        self._answer = answer
        self._over = Event()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._thread = Thread(target=self._serve)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join(10)
        assert not self._thread.is_alive()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            with client:
                if self._answer is None:
                    self._over.wait(20)
                    continue
                try:
                    client.sendall(self._answer(client.recv(4096)))
                except OSError:
                    continue


def http(status: str) -> Callable[[bytes], bytes]:
    return lambda asked: f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()


def rtsp(status: str) -> Callable[[bytes], bytes]:
    return lambda asked: f"RTSP/1.0 {status}\r\nCSeq: 1\r\n\r\n".encode()


@pytest.mark.parametrize(
    ("scheme", "answer", "told"),
    [
        ("http", http("404 Not Found"), "no stream of that name there; check the path"),
        ("http", http("401 Unauthorized"), "give user and password in the address (http://user:password@...)"),
        ("http", http("403 Forbidden"), "no permission"),
        ("http", http("503 Service Unavailable"), "a refusal (server returned 5xx server error reply)"),
        ("http", http("429 Too Many Requests"), "a refusal (server returned 429 too many requests)"),
        ("http", http("200 OK"), "an answer that is no stream"),
        ("https", lambda asked: b"this is no TLS" * 20, "try http:// without TLS"),
        ("https", lambda asked: b"", "try http:// without TLS"),
        ("rtsp", rtsp("404 Not Found"), "no stream of that name there; check the path"),
        ("rtsp", rtsp("401 Unauthorized"), "give user and password in the address (rtsp://user:password@...)"),
        ("rtsp", rtsp("453 Not Enough Bandwidth"), "a refusal"),
        ("rtsp", http("200 OK"), "an answer that is no stream"),
        ("rtmp", lambda asked: b"", "a connection that was closed without an answer"),
        ("rtsp", None, "no answer within 0.5 s; check address and network"),
        ("http", None, "no answer within 0.5 s; check address and network"),
        ("https", None, "no answer within 0.5 s; check address and network"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(scheme: str, answer: Callable[[bytes], bytes] | None, told: str) -> None:
    with Answers(answer) as server:
        address = f"{scheme}://user:secret@127.0.0.1:{server.port}/one"
        with pytest.raises(SourceError) as caught:
            NetworkFeed(address, patience=0.5 if answer is None else 10.0).open()
    line = str(caught.value)
    assert line.startswith(f"{scheme}://127.0.0.1:{server.port}/one: expected a stream, got ")
    assert told in line
    assert "\n" not in line
    assert "secret" not in line


@pytest.mark.parametrize("scheme", ["http", "rtsp", "rtmp", "tcp", "udp"])
def test_no_such_host(scheme: str) -> None:
    """The top-level domain is reserved for names that do not exist (RFC 2606)."""
    with pytest.raises(SourceError, match=r"got no host of the name 'nobody\.invalid'; check its spelling"):
        NetworkFeed(f"{scheme}://nobody.invalid:5000/live/one").open()


def test_hls_over_tls_by_a_proxy(
    make_clip: MakeClip, tmp_path: Path, web_over_tls: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"hls_time": "0.4", "hls_playlist_type": "vod", "hls_list_size": "0"}
    make_clip(count=24, rate=30, container_options=options).write(tmp_path / "list.m3u8")
    asked = list[str]()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Proxy, asked)) as proxy:
        thread = Thread(target=proxy.serve_forever, args=(0.01,))
        thread.start()
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.server_address[1]}")
        assert numbers_of(f"https://127.0.0.1:{web_over_tls}/list.m3u8", 24) == list(range(24))
        proxy.shutdown()
        thread.join()
    assert set(asked) == {f"127.0.0.1:{web_over_tls}"}
    assert len(asked) >= 3, "the list and each segment"


class _Proxy(BaseHTTPRequestHandler):
    """Passes on what a client that asked to be connected sends and gets; notes to where."""

    def __init__(self, asked: list[str], *rest: Any) -> None:
        self._asked = asked
        super().__init__(*rest)

    def do_CONNECT(self) -> None:
        self._asked.append(self.path)
        host, _, port = self.path.partition(":")
        self.send_response(200)
        self.end_headers()
        with socket.create_connection((host, int(port))) as there:
            ends = {self.connection: there, there: self.connection}
            while True:
                for ready in select.select(list(ends), [], [])[0]:
                    data = ready.recv(1 << 16)
                    if not data:
                        return
                    ends[ready].sendall(data)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def web_over_tls(tmp_path: Path) -> Iterator[int]:
    """The port at which the test's folder is served over TLS."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "here")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(days=1), now + timedelta(days=1))
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pair = tmp_path / "pair.pem"
    pair.write_bytes(private + made.sign(key, SHA256()).public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(tmp_path))) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield int(server.server_address[1])
        server.shutdown()
        thread.join()


def test_rtsp() -> None:
    server = RtspServer(2 * RATE)
    try:
        clock = ManualClock()
        with capture.open(server.address, clock=clock, threads=1) as source:
            assert (source.info.width, source.info.height) == (160, 120)
            frames = []
            for item in source:
                assert isinstance(item, Frame)
                frames.append(item)
                clock.advance(1 / RATE)
                if number_of(item.pixels) == 2 * RATE - 2:  # the decoder keeps the last one back
                    break
    finally:
        server.close()
    numbers = [number_of(frame.pixels) for frame in frames]
    assert numbers == list(range(numbers[0], 2 * RATE - 1))
    steps = {b.pts - a.pts for a, b in pairwise(frames)}
    assert steps == {90_000 // RATE}


def test_without_a_program_srt_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SourceError, match="expected an ffmpeg program with SRT, got none"):
        SrtFeed("srt://127.0.0.1:9000")


def test_srt(make_clip: MakeClip, tmp_path: Path) -> None:
    program = program_with("srt")
    if program is None:
        pytest.skip("no ffmpeg program with SRT is installed")
    clip = make_clip(count=90).write(tmp_path / "clip.ts")
    address = f"srt://127.0.0.1:{free_port(socket.SOCK_DGRAM)}"
    serve = [program, "-nostdin", "-loglevel", "quiet", "-re", "-i", str(clip), "-c", "copy", "-f", "mpegts"]
    with subprocess.Popen([*serve, f"{address}?mode=listener"]) as server:
        try:
            numbers = numbers_of(address, 20)
        finally:
            server.terminate()
    assert numbers == list(range(numbers[0], numbers[0] + 20))


def test_rtmp(make_clip: MakeClip, tmp_path: Path) -> None:
    program = shutil.which("ffmpeg")
    if program is None:
        pytest.skip("no ffmpeg program is installed that could be a server of RTMP")
    clip = make_clip(count=90).write(tmp_path / "clip.mp4")
    address = f"rtmp://127.0.0.1:{free_port()}/live/one"
    serve = [program, "-nostdin", "-loglevel", "quiet", "-re", "-i", str(clip), "-c", "copy", "-f", "flv"]
    with subprocess.Popen([*serve, "-listen", "1", address]) as server:
        try:
            numbers = retried(address, 20)
        finally:
            server.terminate()
    assert numbers == list(range(numbers[0], numbers[0] + 20))


def test_screen(tmp_path: Path) -> None:
    program = shutil.which("Xvfb")
    if program is None or sys.platform != "linux":
        pytest.skip("no Xvfb is installed that could be a screen")
    if "x11grab" not in av.formats_available:
        pytest.skip("this libav cannot take an X11 screen")
    from mien.capture.screen import ScreenFeed

    told, tells = os.pipe()
    command = [program, "-displayfd", str(tells), "-screen", "0", "320x240x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, pass_fds=[tells], stderr=subprocess.DEVNULL) as server:
        os.close(tells)
        with os.fdopen(told) as answer:
            display = f":{answer.readline().strip()}"
        try:
            with LiveSource(ScreenFeed("screen:8,16,96x64", display=display), clock=ManualClock()) as source:
                assert (source.info.width, source.info.height) == (96, 64)
                assert source.info.rate == 25
            with pytest.raises(SourceError, match="check that the region lies on the screen"):
                ScreenFeed("screen:300,200,96x64", display=display).open()
        finally:
            server.terminate()


@pytest.mark.parametrize(("system", "told"), [("linux", "got none"), ("darwin", "got macOS")])
def test_no_screen_to_take(system: str, told: str) -> None:
    from mien.capture.screen import ScreenFeed

    with pytest.raises(SourceError, match=told):
        ScreenFeed("screen:0,0,96x64", system=system, display="").open()


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def retried(address: str, count: int) -> list[int]:
    """Asked for until the server has come up."""
    deadline = time.monotonic() + 10
    while True:
        try:
            return numbers_of(address, count)
        except SourceError:
            if time.monotonic() > deadline:
                raise
