"""Live streams received by libav over loopback, as a player would."""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from threading import Event, Thread
from typing import Any

import av
import numpy as np
import pytest

from mien import capture, emit
from mien.cancellation import Cancellation
from mien.capture.synthetic import number_of, pattern_source
from mien.clock import ManualClock
from mien.emit import subprocess_sink
from mien.emit.reconnecting import ReconnectingSink
from mien.emit.sink import Sink, SinkSettings
from mien.emit.stream import LowDelay, StreamSink
from mien.emit.subprocess_sink import SubprocessSink
from mien.emit.wires import PipeWire, SrtWire
from mien.errors import ReaderGone, SettingError, SinkError, SourceError, Stopped
from mien.frame import Frame
from mien.retry import Retry
from mien.sound.sound import Sound, SoundFormat

SOUND = SoundFormat(48000, 2)
SETTINGS = SinkSettings(160, 120, Fraction(25), Fraction(1, 25), SOUND)
SILENT = replace(SETTINGS, sound=None)
LIMIT = 10.0


class Listener:
    """A thread that opens an address as a server and counts what comes; it ends with the stream."""

    def __init__(self, address: str, options: dict[str, str]) -> None:
        self.numbers: list[int] = []
        self.times: list[float] = []
        self.heard = 0
        self.codecs: set[str] = set()
        self._thread = Thread(target=self._run, args=(address, options))
        self._thread.start()

    def join(self) -> None:
        self._thread.join(2 * LIMIT)
        assert not self._thread.is_alive()

    def _run(self, address: str, options: dict[str, str]) -> None:
        try:
            with av.open(address, "r", options=options, timeout=(LIMIT, LIMIT)) as container:
                self.codecs = {stream.codec_context.name for stream in container.streams}
                for packet in container.demux():
                    for frame in packet.decode():
                        if isinstance(frame, av.VideoFrame):
                            self.numbers.append(number_of(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)))
                            self.times.append(frame.time or 0.0)
                        elif isinstance(frame, av.AudioFrame):
                            self.heard += frame.samples
        except (av.FFmpegError, OSError):
            pass  # a stream over a network may end with an error; what came before counts


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def connected(name: str, settings: SinkSettings) -> Sink:
    """As soon as the listener has come up."""
    deadline = time.monotonic() + LIMIT
    while True:
        try:
            return SubprocessSink(name, settings, threads=1)
        except SinkError:
            if time.monotonic() > deadline:
                raise


def play(sink: Sink, count: int = 50, sound: bool = True, begin: int = 0) -> None:
    with sink:
        for item in pattern_source(160, 120, rate=25, count=count, sound=SOUND if sound else None):
            later = replace(item, pts=item.pts + round(begin / item.time_base))
            if isinstance(later, Frame):
                sink.write(later)
            else:
                sink.write_sound(later)


@pytest.mark.parametrize("protocol", ["rtmp", "rtsp"])
def test_servers_are_streamed_to(protocol: str) -> None:
    address = f"{protocol}://127.0.0.1:{free_port()}/live/one"
    options = {"listen": "1"} if protocol == "rtmp" else {"listen_timeout": "10"}
    listener = Listener(address, options)
    play(connected(address, SETTINGS))
    listener.join()
    assert listener.codecs == {"h264", "aac"}
    numbers = listener.numbers
    assert len(numbers) >= 40
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert listener.heard > 40 / 25 * SOUND.rate * 0.9
    steps = np.diff(listener.times[1:])  # the first report of RTSP's clock may move the first picture
    assert np.abs(steps - 0.04).max() < 0.0015


def received_over_tcp(send: Callable[[str], None], path: Path) -> list[int]:
    """The numbers of the frames in what was sent to a plain socket."""
    parts: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def receive() -> None:
            client, _ = server.accept()
            with client:
                while part := client.recv(1 << 16):
                    parts.append(part)

        thread = Thread(target=receive)
        thread.start()
        send(f"tcp://127.0.0.1:{server.getsockname()[1]}")
        thread.join(LIMIT)
        assert not thread.is_alive()
    path.write_bytes(b"".join(parts))
    return numbers_of(path)


def numbers_of(path: Path) -> list[int]:
    with capture.open(path, threads=1) as source:
        return [number_of(item.pixels) for item in source if isinstance(item, Frame)]


def test_mpegts_over_tcp(tmp_path: Path) -> None:
    numbers = received_over_tcp(lambda address: play(StreamSink(address, SETTINGS, threads=1)), tmp_path / "a.ts")
    assert numbers == list(range(50))
    with capture.open(tmp_path / "a.ts") as source:
        assert source.info.sound == SOUND


@pytest.mark.parametrize(
    ("family", "host", "named"), [(socket.AF_INET, "127.0.0.1", "127.0.0.1"), (socket.AF_INET6, "::1", "[::1]")]
)
def test_mpegts_over_udp(tmp_path: Path, family: socket.AddressFamily, host: str, named: str) -> None:
    with socket.socket(family, socket.SOCK_DGRAM) as receiver:
        receiver.bind((host, 0))
        receiver.settimeout(LIMIT)
        sink = StreamSink(f"udp://{named}:{receiver.getsockname()[1]}", SILENT, threads=1)
        datagrams: list[bytes] = []
        with sink:
            for frame in pattern_source(160, 120, rate=25, count=10):
                assert isinstance(frame, Frame)
                sink.write(frame)
        receiver.settimeout(0.2)
        try:
            while True:
                datagrams.append(receiver.recv(4096))
        except TimeoutError:
            pass
    assert max(map(len, datagrams)) <= 1316
    assert all(len(data) % 188 == 0 for data in datagrams)
    (tmp_path / "a.ts").write_bytes(b"".join(datagrams))
    assert numbers_of(tmp_path / "a.ts") == list(range(10))


def test_each_frame_leaves_at_once() -> None:
    """Nothing is kept back by encoder or muxer: what a frame became is on the wire when `write` returns."""
    pipe_out, pipe_in = os.pipe()
    os.set_blocking(pipe_out, False)
    with pytest.MonkeyPatch.context() as patch, os.fdopen(pipe_in, "wb") as stdout:
        patch.setattr(sys, "stdout", stdout)
        sink = StreamSink("-", SILENT, threads=1)
        for frame in pattern_source(160, 120, rate=25, count=8):
            assert isinstance(frame, Frame)
            sink.write(frame)
            assert os.read(pipe_out, 1 << 16), f"frame {frame.pts} was kept back"
        sink.discard()
    os.close(pipe_out)


def test_a_named_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "out.ts"
    os.mkfifo(pipe)
    with pytest.raises(SinkError, match="expected somebody to stream to"):
        emit.open(pipe, SILENT)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(reading, True)
    data: list[bytes] = []

    def read() -> None:
        with os.fdopen(reading, "rb") as file:
            data.append(file.read())

    sink = emit.open(pipe, SILENT, mark=False, threads=1)
    thread = Thread(target=read)
    thread.start()
    play(sink, 4, sound=False)
    thread.join(LIMIT)
    (tmp_path / "got.ts").write_bytes(data[0])
    assert numbers_of(tmp_path / "got.ts") == list(range(4))


def test_a_descriptor_is_streamed_into_whatever_it_leads_to(tmp_path: Path) -> None:
    """As /dev/stdout, which the shell has led into a file."""
    with (tmp_path / "got.ts").open("wb") as file:
        play(emit.open(f"/dev/fd/{file.fileno()}", SILENT, mark=False, threads=1), 4, sound=False)
    assert numbers_of(tmp_path / "got.ts") == list(range(4))


@pytest.mark.parametrize("waits", [True, False])
@pytest.mark.parametrize("name", ["/dev/full", "pipe"])
def test_what_has_no_way_back_ends_with_its_first_break(name: str, waits: bool) -> None:
    out, into = os.pipe()
    os.close(out)
    gone = name == "pipe"
    with pytest.raises(ReaderGone if gone else SinkError) as caught:
        play(emit.open(f"/dev/fd/{into}" if gone else name, SILENT, threads=1, waits=waits), 50, sound=False)
    os.close(into)
    assert "\n" not in str(caught.value)


def test_a_stream_that_is_waited_for_leaves_nothing_out(tmp_path: Path) -> None:
    """To a reader that is slower than the encoder, behind a pipe that holds next to nothing."""
    out, into = os.pipe()
    fcntl.fcntl(into, fcntl.F_SETPIPE_SZ, 4096)
    reader = Thread(target=lambda: (tmp_path / "got.ts").write_bytes(b"".join(iter(lambda: os.read(out, 188), b""))))
    reader.start()
    rng = np.random.default_rng(0)
    with emit.open(f"/dev/fd/{into}", SILENT, mark=False, threads=1, waits=True) as sink:
        os.close(into)
        for number in range(40):
            sink.write(Frame(rng.integers(0, 256, (120, 160, 3), np.uint8), number, Fraction(1, 25)))
    reader.join(LIMIT)
    with av.open(str(tmp_path / "got.ts")) as made:
        assert len(list(made.decode(video=0))) == 40
    os.close(out)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("rtmp://user:secret@127.0.0.1:{port}/live/secret", "is the server running?"),
        ("rtsp://user:secret@127.0.0.1:{port}/live", "is the server running?"),
        ("tcp://127.0.0.1:{port}", "is the server running?"),
        ("udp://127.0.0.1", "expected host and port"),
        ("tcp://[::1/x", "expected host and port"),
        ("udp://127.0.0.1:port", "expected host and port"),
        ("udp://nobody.invalid:5000", "expected somebody to stream to"),
        ("udp://a..b:5000", "no host can have such a name"),
        (f"tcp://{'a' * 64}.example:5000", "no host can have such a name"),
        ("gopher://127.0.0.1:{port}", "expected an address with one of rtmp"),
    ],
)
def test_nobody_to_stream_to(name: str, told: str) -> None:
    with pytest.raises(SinkError) as caught:
        emit.open(name.format(port=free_port()), SILENT)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_stream_has_no_transparency() -> None:
    with pytest.raises(SinkError, match="for a transparent background, got a stream"):
        emit.open("udp://127.0.0.1:9", replace(SILENT, alpha=True))


def test_without_a_program_srt_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SinkError, match="expected an ffmpeg program with SRT, got none"):
        SrtWire("srt://127.0.0.1:9000", "srt://127.0.0.1:9000")


@pytest.fixture
def srt_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Has a shell script be the program that sends and receives SRT."""

    def be(script: str) -> None:
        program = tmp_path / "program"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        for room in ("emit.wires", "capture.pipe"):
            monkeypatch.setattr(f"mien.{room}.program_with", lambda protocol: str(program))

    return be


@pytest.mark.parametrize("taken", ["cat > /dev/null", "exec 0< /dev/null"], ids=["at the end", "midway"])
def test_srt_that_does_not_arrive_is_told(srt_program: Callable[[str], None], taken: str) -> None:
    srt_program(f'{taken}\nfor last; do :; done\necho "no way to $last" >&2\nexit 1')
    with pytest.raises(SinkError, match=r"got an error \(no way to srt://127.0.0.1:9000\)"):
        play(emit.open("srt://127.0.0.1:9000?passphrase=secret", SILENT, threads=1, waits=True), 300, sound=False)


def test_a_host_that_nobody_knows_is_told_of_srt_too(srt_program: Callable[[str], None]) -> None:
    srt_program("exit 1")
    with pytest.raises(SinkError, match="expected somebody to stream to"):
        emit.open("srt://nobody.invalid:9000", SILENT)
    with pytest.raises(SourceError, match=r"no host of the name 'nobody\.invalid'"):
        capture.open("srt://nobody.invalid:9000")


def test_srt_that_nobody_sends_is_told(srt_program: Callable[[str], None]) -> None:
    srt_program("echo refused >&2\nexit 1")
    with pytest.raises(SourceError, match=r"expected a stream by SRT, got none \(refused\)"):
        capture.open("srt://127.0.0.1:9000")


def test_an_interrupt_while_libav_writes_ends_the_stream(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Libav writes on after it, and what is raised in a call out of C is lost."""
    sink = emit.open(f"/dev/fd/{os.open(tmp_path / 'got.ts', os.O_WRONLY | os.O_CREAT)}", SILENT, waits=True, threads=1)

    def interrupted(wire: PipeWire, data: bytes) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(PipeWire, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        play(sink, 4, sound=False)


@pytest.mark.parametrize("wrong", [{"kilobits": 1}, {"crf": 60}, {"key_frame_seconds": 0}])
def test_low_delay_is_checked(wrong: dict[str, int]) -> None:
    with pytest.raises(SettingError):
        LowDelay(**wrong)  # type: ignore[arg-type]


def test_a_break_of_the_network_is_survived(tmp_path: Path) -> None:
    """The first client connection is cut by the server; the second one gets a stream that begins anew."""
    clock, told = ManualClock(), list[str]()
    parts: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        sink = ReconnectingSink(
            lambda: StreamSink(address, SILENT, threads=1), address, clock=clock, retry=Retry(1), told=told.append
        )
        first, _ = server.accept()
        first.close()
        source = iter(pattern_source(160, 120, rate=25, count=1000))
        while not told:  # until the system has noticed
            sink.write(only_frame(next(source)))
        clock.advance(2)
        sink.write(only_frame(next(source)))
        second, _ = server.accept()
        with second:
            for _ in range(10):
                sink.write(only_frame(next(source)))
            sink.finish()
            while part := second.recv(1 << 16):
                parts.append(part)
    assert "expected to go on streaming" in told[0]
    assert told[1] == f"{address}: is back"
    (tmp_path / "a.ts").write_bytes(b"".join(parts))
    numbers = numbers_of(tmp_path / "a.ts")
    assert len(numbers) == 11
    assert numbers == list(range(numbers[0], numbers[0] + 11))


def only_frame(item: Frame | Sound) -> Frame:
    assert isinstance(item, Frame)
    return item


@pytest.fixture
def silent_server() -> Iterator[str]:
    """Where connections are taken and nothing is ever said."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize("protocol", ["rtmp", "rtsp"])
def test_a_server_that_never_answers_is_given_up(
    protocol: str, silent_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Libav alone would hold the whole process for minutes."""
    started: list[subprocess.Popen[bytes]] = []

    class Noted(subprocess.Popen[bytes]):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            started.append(self)

    monkeypatch.setattr(subprocess_sink, "OPENING", 0.3)
    monkeypatch.setattr(subprocess, "Popen", Noted)
    with pytest.raises(SinkError, match="expected an answer within"):
        SubprocessSink(f"{protocol}://{silent_server}/live/one", SILENT)
    assert [process.poll() is not None for process in started] == [True]


def test_a_wait_for_a_server_that_never_answers_is_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    cancellation, started = Cancellation(), list[subprocess.Popen[bytes]]()

    class Noted(subprocess.Popen[bytes]):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            started.append(self)

    def cancel_once_connected() -> None:
        connection, _ = server.accept()
        with connection:
            cancellation.cancel()
            started[0].wait(LIMIT)

    monkeypatch.setattr(subprocess, "Popen", Noted)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(LIMIT)
        cancelling = Thread(target=cancel_once_connected)
        cancelling.start()
        with pytest.raises(Stopped):
            emit.open(f"rtmp://127.0.0.1:{server.getsockname()[1]}/live/one", SILENT, cancellation=cancellation)
        cancelling.join()
    assert started[0].poll() is not None


def test_the_process_of_a_stream_imports_nothing_from_the_folder_it_stands_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "numpy.py").write_text("print('of the folder')")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SinkError, match="rtmp://127"):
        SubprocessSink(f"rtmp://127.0.0.1:{free_port()}/live/one", SILENT)


def test_discarding_ends_the_process_of_a_stream_that_nobody_reads() -> None:
    """The listener takes the connection and reads nothing more; whether a write waits by then, it ends."""
    address = f"rtmp://127.0.0.1:{free_port()}/live/one"
    over = Event()

    def listen() -> None:
        with av.open(address, "r", options={"listen": "1"}, timeout=(LIMIT, LIMIT)):
            over.wait(3 * LIMIT)

    listening = Thread(target=listen)
    listening.start()
    sink = connected(address, SILENT)
    written = Event()

    def write() -> None:
        with pytest.raises(SinkError):
            for number in range(1_000_000):
                sink.write(Frame(np.zeros((120, 160, 3), np.uint8), number, Fraction(1, 25)))
                if number == 100:
                    written.set()

    writing = Thread(target=write)
    writing.start()
    assert written.wait(LIMIT)
    sink.discard()
    writing.join(LIMIT)
    assert not writing.is_alive()
    over.set()
    listening.join(LIMIT)
    assert not listening.is_alive()
