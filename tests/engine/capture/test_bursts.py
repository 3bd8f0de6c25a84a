"""Senders that give more than time passes, or times that are none: over loopback, on the machine's own clock."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median, quantiles
from threading import Event, Thread
from typing import Any

import pytest
from av.codec.context import CodecContext
from av.video.frame import VideoFrame

from mien import capture
from mien.capture.synthetic import number_of, pattern
from mien.clock import ManualClock, MonotonicClock
from mien.frame import Frame
from mien.sound.sound import Sound, SoundFormat

MakeClip = Any
NEAR = 0.25
"""Seconds that a busy machine may be off by."""


@contextmanager
def served(answer: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[str]:
    """The address of a server on loopback whose requests are answered so."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def give(handler: BaseHTTPRequestHandler, body: bytes, kind: str = "video/mp2t") -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", kind)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def need_in_time(frames: list[Frame], rate: float) -> None:
    """Frames without a gap, each given when its time says, but where the machine stalls."""
    numbers = [number_of(frame.pixels) for frame in frames]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    first = frames[0]
    for number, frame in enumerate(frames):
        assert frame.seconds - first.seconds == pytest.approx(number / rate, abs=0.002)
    late = [frame.captured_at - first.captured_at - number / rate for number, frame in enumerate(frames)]
    assert quantiles([abs(one - median(late)) for one in late])[-1] < NEAR


class LiveList:
    """A play list of segments that become one more every `seconds`, of which the newest few are named."""

    def __init__(self, folder: Path, seconds: float, ending: str) -> None:
        self._segments = sorted(folder.glob(f"*{ending}"), key=lambda path: (len(path.name), path.name))
        self._folder, self._seconds = folder, seconds
        self._began: float | None = None

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        name = handler.path.rpartition("/")[2]
        if name == "live.m3u8":
            give(handler, self._text().encode(), "application/vnd.apple.mpegurl")
        else:
            give(handler, (self._folder / name).read_bytes())

    def _text(self) -> str:
        now = time.monotonic()
        self._began = self._began or now
        there = min(3 + int((now - self._began) / self._seconds), len(self._segments))
        first = max(there - 4, 0)
        head = f"#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:{first}\n"
        if (self._folder / "init.mp4").exists():
            head += '#EXT-X-MAP:URI="init.mp4"\n'
        named = self._segments[first:there]
        return head + "".join(f"#EXTINF:{self._seconds},\n{segment.name}\n" for segment in named)


@pytest.mark.parametrize(("kind", "ending"), [("mpegts", ".ts"), ("fmp4", ".m4s")])
def test_live_segments(make_clip: MakeClip, tmp_path: Path, kind: str, ending: str) -> None:
    options = {"hls_time": "0.4", "hls_playlist_type": "vod", "hls_segment_type": kind}
    sound = SoundFormat(48000, 1)
    make_clip(count=180, sound=sound, container_options=options).write(tmp_path / "list.m3u8")
    (tmp_path / "list.m3u8").unlink()
    items = list[Frame | Sound]()
    with (
        served(LiveList(tmp_path, 0.4, ending).answer) as address,
        capture.open(f"{address}/live.m3u8", in_time=True) as source,
    ):
        for item in source:
            items.append(item)
            if isinstance(item, Frame) and item.seconds > 3:
                break
        assert source.warnings == ()
    need_in_time([item for item in items if isinstance(item, Frame)], 30)
    heard = [item for item in items if isinstance(item, Sound)]
    assert [run.pts for run in heard[1:]] == [run.pts + run.samples.shape[1] for run in heard[:-1]]
    assert heard[-1].seconds > 2.5


def test_a_recording_over_http_ends_as_a_file_does(make_clip: MakeClip, tmp_path: Path) -> None:
    body = make_clip(count=45, sound=SoundFormat(48000, 2)).write(tmp_path / "clip.mp4").read_bytes()
    with (
        served(lambda handler: give(handler, body)) as address,
        capture.open(f"{address}/clip.mp4", in_time=True) as source,
    ):
        items = list(source)
        assert source.warnings == ()
    frames = [item for item in items if isinstance(item, Frame)]
    assert len(frames) == 45
    need_in_time(frames, 30)
    assert sum(run.samples.shape[1] for run in items if isinstance(run, Sound)) == pytest.approx(72_000, abs=3000)


def jpeg(number: int) -> bytes:
    context = CodecContext.create("mjpeg", "w")
    context.width, context.height, context.pix_fmt, context.time_base = 160, 120, "yuvj420p", Fraction(1, 25)
    frame = VideoFrame.from_ndarray(pattern(160, 120, number)).reformat(format="yuvj420p")
    return b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode(None)])


@pytest.mark.parametrize("rate", [12, 40])
def test_an_ip_camera_whose_pictures_carry_no_time(rate: int) -> None:
    over, sent = Event(), list[float]()

    def play(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        handler.end_headers()
        while not over.wait(1 / rate):
            data = jpeg(len(sent))
            head = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(data)
            handler.wfile.write(head + data + b"\r\n")
            sent.append(time.monotonic())

    with served(play) as address, capture.open(address, in_time=True) as source:
        frames = first_seconds(source, 3.0)
        over.set()
    need_arrival(frames, sent)


def test_a_pipe_whose_header_says_another_rate(tmp_path: Path) -> None:
    """Y4M at 12 pictures a second where 25 are said."""
    rate, pipe, over, sent = 12, tmp_path / "pipe", Event(), list[float]()
    os.mkfifo(pipe)

    def write() -> None:
        with pipe.open("wb", buffering=0) as stream:
            stream.write(b"YUV4MPEG2 W160 H120 F25:1 Ip A1:1 C444\n")
            while not over.wait(1 / rate):
                planes = pattern(160, 120, len(sent)).transpose(2, 0, 1)
                try:
                    stream.write(b"FRAME\n" + planes.tobytes())
                except BrokenPipeError:
                    return
                sent.append(time.monotonic())

    writer = Thread(target=write)
    writer.start()
    with capture.open(pipe, in_time=True) as source:
        frames = first_seconds(source, 3.0)
        over.set()
    writer.join(10)
    assert not writer.is_alive()
    need_arrival(frames, sent)


def first_seconds(source: capture.Source, seconds: float) -> list[Frame]:
    clock, frames = MonotonicClock(), list[Frame]()
    began = clock.now()
    for item in source:
        assert isinstance(item, Frame)
        frames.append(item)
        if clock.now() - began > seconds:
            break
    return frames


def need_arrival(frames: list[Frame], sent: list[float]) -> None:
    """From the second second on each frame has the time at which it was sent, on one line."""
    settled = [frame for frame in frames if frame.seconds > 1]
    numbers = [number_of(frame.pixels) for frame in settled]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    off = [frame.seconds - sent[number] for frame, number in zip(settled, numbers, strict=True)]
    assert quantiles([abs(one - median(off)) for one in off])[-1] < NEAR, "but where the machine stalls"
    shown, real = settled[-1].seconds - settled[0].seconds, sent[numbers[-1]] - sent[numbers[0]]
    assert shown == pytest.approx(real, abs=2 * NEAR), "as fast as they are sent, also where that is not even"


def test_pictures_that_are_written_as_fast_as_they_are_taken(tmp_path: Path) -> None:
    """Stored JPEGs in a row, without times: at the rate that libav takes for them, and all of them."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = Thread(target=lambda: pipe.write_bytes(b"".join(jpeg(n) for n in range(50))))
    writer.start()
    with capture.open(pipe, in_time=True) as source:
        frames = [item for item in source if isinstance(item, Frame)]
    writer.join(10)
    assert len(frames) == 50
    need_in_time(frames, 25)
    assert frames[1].pts * Fraction(1, 90_000) == pytest.approx(Fraction(1, 25), abs=0.001)


def test_offline_a_recording_is_taken_whole_as_fast_as_it_comes(make_clip: MakeClip, tmp_path: Path) -> None:
    body = make_clip(count=45, sound=SoundFormat(48000, 2)).write(tmp_path / "clip.mp4").read_bytes()
    clock = ManualClock()
    with (
        served(lambda handler: give(handler, body)) as address,
        capture.open(f"{address}/clip.mp4", clock=clock) as source,
    ):
        items = list[Frame | Sound]()
        for item in source:
            items.append(item)
            clock.advance(0.5)  # whoever takes them is slow
    frames = [item for item in items if isinstance(item, Frame)]
    assert [number_of(frame.pixels) for frame in frames] == list(range(45))
    assert [frame.seconds for frame in frames] == pytest.approx([n / 30 for n in range(45)], abs=0.002)
    assert sum(run.samples.shape[1] for run in items if isinstance(run, Sound)) == pytest.approx(72_000, abs=3000)
