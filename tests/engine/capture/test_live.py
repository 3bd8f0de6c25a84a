"""Live sources over real demuxers: libav's own test source, streams over loopback, pipes."""

from __future__ import annotations

import gc
import os
import socket
import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from threading import Event, Thread
from threading import enumerate as enumerate_threads
from typing import Any

import av
import pytest
from av.container.input import InputContainer

from mien import capture
from mien.capture.connection import Connection
from mien.capture.feeds import Feed
from mien.capture.interrupt import Interrupt
from mien.capture.live import LiveSource
from mien.capture.network import NetworkFeed
from mien.capture.pipe import PipeFeed, PipeReader, named_pipe
from mien.capture.playing import BEHIND
from mien.capture.synthetic import number_of
from mien.clock import ManualClock, MonotonicClock
from mien.errors import SettingError, SourceError
from mien.frame import Frame
from mien.retry import Retry
from mien.sound.sound import Sound, SoundFormat
from mien.timeline import START

MakeClip = Any
ENDS_WITHIN = 5.0
"""Seconds within which whatever was stopped must have ended; it takes a tenth of one."""


class Pattern:
    """A device that shows libav's test pictures, a list of (size, rate, seconds) at each opening, then is gone."""

    name = "pattern"
    patient = False
    received = None

    def __init__(self, *plugged: tuple[str, int, float] | None, lasting: bool = True) -> None:
        self.lasting = lasting
        self.left = list(plugged)
        self.closed = 0

    def open(self) -> InputContainer:
        shown = self.left.pop(0) if self.left else None
        if shown is None:
            raise SourceError("pattern: expected a device, got none")
        size, rate, seconds = shown
        return av.open(f"testsrc=size={size}:rate={rate}:duration={seconds}", format="lavfi", timeout=(5, 5))

    def stop(self) -> None:
        pass

    def close(self) -> None:
        self.closed += 1


def go_on(seconds: float) -> bool:
    return False


def played(
    feed: Feed, *, duration: Fraction | None = None, told: Callable[[Sequence[str]], object] = lambda warnings: None
) -> list[Frame | Sound]:
    """All that a feed gives, on a clock that a wait moves; `told` gets the warnings."""
    clock = ManualClock()

    def wait(seconds: float) -> bool:
        clock.advance(seconds)
        return False

    with LiveSource(feed, clock=clock, wait=wait, duration=duration, retry=Retry(patience=0)) as source:
        items = list(source)
        told(source.warnings)
    return items


def test_frames_have_the_time_at_which_they_came() -> None:
    clock = ManualClock(100.0)
    feed = Pattern(("160x120", 25, 0.4), lasting=False)
    with LiveSource(feed, clock=clock) as source:
        assert (source.info.width, source.info.height) == (160, 120)
        assert source.info.rate == 25
        assert source.info.live
        assert not source.info.seekable
        with pytest.raises(SourceError, match="live one"):
            source.sample(3)
        frames = []
        for item in source:
            assert isinstance(item, Frame)
            frames.append(item)
            clock.advance(0.04)
    assert [frame.captured_at for frame in frames] == pytest.approx([100 + n / 25 for n in range(10)])
    assert [frame.seconds for frame in frames] == pytest.approx([n / 25 for n in range(10)])
    assert feed.closed == 1


def test_a_device_that_comes_back_is_opened_again_and_tells_its_new_size() -> None:
    clock, waits = ManualClock(), list[float]()

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        clock.advance(seconds)
        return False

    feed = Pattern(("160x120", 25, 0.2), None, None, ("320x240", 30, 0.2))
    frames = []
    with LiveSource(feed, clock=clock, wait=wait, retry=Retry(first=1, factor=3, most=5)) as source:
        for item in source:
            assert isinstance(item, Frame)
            frames.append(item)
            clock.advance(0.04)
            if len(frames) == 11:
                break
        assert waits == [1, 3, 5]
        assert [frame.size for frame in frames] == [(160, 120)] * 5 + [(320, 240)] * 6
        assert frames[5].seconds == pytest.approx(9.2), "the time that has passed shows"
        assert source.info.width == 320
        assert source.info.rate == 30
        told = "\n".join(source.warnings)
    assert "pattern broke off" in told
    assert "pattern is back" in told
    assert "changed to 320 x 240 at 30" in told


@pytest.mark.parametrize("pace", [0.06, 0.1, 0.3])
def test_who_is_slower_than_a_recording_misses_some_of_it(pace: float) -> None:
    clock, feed = ManualClock(50.0), Pattern(("160x120", 25, 7), lasting=False)
    feed.patient = True

    def wait(seconds: float) -> bool:
        clock.advance(seconds)
        return False

    with LiveSource(feed, clock=clock, wait=wait) as source:
        all_is_read()
        for item in source:
            assert isinstance(item, Frame)
            assert abs(item.seconds - (clock.now() - 50)) <= BEHIND + pace + START
            clock.advance(pace)
        assert clock.now() - 50 == pytest.approx(7, abs=BEHIND + pace + START)
        assert source.missed == pytest.approx(175 - 7 / pace, abs=25)


def all_is_read() -> None:
    """Wait until a feed that has an end is read ahead to it: the test's clock knows nothing of how long that takes."""
    for thread in enumerate_threads():
        if thread.name == "mien-read-ahead":
            thread.join(ENDS_WITHIN)
            assert not thread.is_alive()


def test_a_reader_that_nothing_helps_is_given_what_there_is() -> None:
    """Decoding alone takes longer than there is time: leaving frames out does not catch up."""
    feed = Pattern(("160x120", 25, 7), lasting=False)
    feed.patient = True
    clock = Slowing(0.05)
    with LiveSource(feed, clock=clock, wait=lambda seconds: False) as source:
        all_is_read()
        frames = [item for item in source if isinstance(item, Frame)]
    assert len(frames) > 10
    assert len(frames) + source.missed == 175
    assert max(b.seconds - a.seconds for a, b in pairwise(frames)) < 2.5


class Slowing(ManualClock):
    """A clock by which each look at it takes a while."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    def now(self) -> float:
        self.advance(self._seconds)
        return super().now()


def test_patience_has_an_end() -> None:
    with (
        LiveSource(
            Pattern(("160x120", 25, 0.2)), clock=ManualClock(), wait=go_on, retry=Retry(1, 2, 8, patience=20)
        ) as source,
        pytest.raises(SourceError, match="expected it to come back, got nothing"),
    ):
        for _ in source:
            pass


def test_a_duration_ends_it() -> None:
    feed = Pattern(("160x120", 25, 5))
    with LiveSource(feed, clock=ManualClock(), duration=Fraction(1, 5)) as source:
        assert len(list(source)) == 5
        assert source.info.frame_count == 5


def test_closing_ends_a_wait_for_a_device_to_come_back() -> None:
    waiting = Event()
    source = LiveSource(Pattern(("160x120", 25, 0.2)), clock=MonotonicClock(), retry=Retry(60, 1, 60))
    thread = reading(source, lambda: waiting.set() if source.warnings else None)
    deadline = time.monotonic() + ENDS_WITHIN
    while not source.warnings and time.monotonic() < deadline:
        thread.join(0.001)
    source.close()
    thread.join(ENDS_WITHIN)
    assert not thread.is_alive()


def test_a_read_that_waits_for_the_network_is_ended_by_closing(ts_server: Callable[..., str]) -> None:
    """The server has sent its frames and keeps the connection open: the next read waits."""
    source = LiveSource(NetworkFeed(ts_server(stall=True)), clock=MonotonicClock())
    seen = Event()
    thread = reading(source, seen.set)
    assert seen.wait(ENDS_WITHIN)
    began = time.monotonic()
    source.close()
    thread.join(ENDS_WITHIN)
    assert not thread.is_alive()
    assert time.monotonic() - began < 1.0, "far below the timeout of a read"
    source.close()


def test_a_stream_over_tcp_with_sound(ts_server: Callable[..., str]) -> None:
    items = played(NetworkFeed(ts_server()), duration=Fraction(1, 2))
    frames = [item for item in items if isinstance(item, Frame)]
    assert [number_of(frame.pixels) for frame in frames] == list(range(15))
    heard = [item for item in items if isinstance(item, Sound)]
    assert {sound.format for sound in heard} == {SoundFormat(48000, 2)}
    ends = [sound.pts + sound.samples.shape[1] for sound in heard]
    assert [sound.pts for sound in heard[1:]] == ends[:-1], "without gaps"


def test_nobody_answers() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"rtmp://user:secret@127.0.0.1:{taken.getsockname()[1]}/live/key"
        with pytest.raises(SourceError) as caught:
            capture.open(address)
    assert "the connection refused" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "key" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("gopher://a/b", "expected an address with one of"),
        ("screen:1,2", "expected screen:X,Y,WxH"),
        ("screen:0,0,2x2", "expected at least 16 x 16 pixels"),
        ("screen:0,0,16x" + "9" * 5000, "expected screen:X,Y,WxH"),
        ("camera:" + "9" * 5000, "expected a camera"),
        ("camera:0@1x" + "9" * 5000, "expected camera:0"),
        ("camera:", "expected camera:0"),
        ("camera:none of this name", "expected a camera"),
    ],
)
def test_names_that_cannot_be(name: str, told: str) -> None:
    with pytest.raises(SourceError, match=told) as caught:
        capture.open(name)
    assert "\n" not in str(caught.value)
    assert name in str(caught.value)


def test_what_is_live_has_no_start() -> None:
    with pytest.raises(SettingError, match="start must be 0 for what is live"):
        capture.open("rtsp://a/b", start=3)


def test_a_pipe_gives_what_is_written(make_clip: MakeClip, tmp_path: Path) -> None:
    data = make_clip(count=20).write(tmp_path / "clip.ts").read_bytes()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = Thread(target=lambda: pipe.write_bytes(data))
    writer.start()
    frames = [item for item in played(named_pipe(pipe, str(pipe))) if isinstance(item, Frame)]
    writer.join()
    assert [number_of(frame.pixels) for frame in frames] == list(range(20))


@pytest.mark.parametrize("jump", [3600.0, -3600.0, 20.0])
def test_a_clock_that_jumps_is_closed_in_pictures_and_sound(make_clip: MakeClip, tmp_path: Path, jump: float) -> None:
    first = make_clip(count=60, sound=SoundFormat(48000, 1), jump=(0, max(-jump, 0)), options={"bf": "0"})
    second = make_clip(count=60, sound=SoundFormat(48000, 1), jump=(0, max(jump, 0) + 2), options={"bf": "0"})
    data = b"".join(clip.write(tmp_path / f"{n}.ts").read_bytes() for n, clip in enumerate((first, second)))
    pipe, warnings = tmp_path / "pipe", list[str]()
    os.mkfifo(pipe)
    writer = Thread(target=lambda: pipe.write_bytes(data))
    writer.start()
    items = played(named_pipe(pipe, str(pipe)), told=warnings.extend)
    writer.join()
    frames = [item for item in items if isinstance(item, Frame)]
    assert [number_of(frame.pixels) for frame in frames] == 2 * list(range(60))
    assert [frame.seconds for frame in frames] == pytest.approx([n / 30 for n in range(120)], abs=0.05)
    heard = [item for item in items if isinstance(item, Sound)]
    assert heard[-1].seconds == pytest.approx(4.0, abs=0.15)
    assert sum(run.samples.shape[1] for run in heard) == pytest.approx(4 * 48000, abs=0.15 * 48000)
    assert ["jump" in line for line in warnings] == [True]


def test_pieces_that_each_begin_anew_are_played_one_after_the_other(make_clip: MakeClip, tmp_path: Path) -> None:
    piece = make_clip(count=30, sound=SoundFormat(48000, 1), options={"bf": "0"})
    data, pipe, warnings = 4 * piece.write(tmp_path / "piece.ts").read_bytes(), tmp_path / "pipe", list[str]()
    os.mkfifo(pipe)
    writer = Thread(target=lambda: pipe.write_bytes(data))
    writer.start()
    items = played(named_pipe(pipe, str(pipe)), told=warnings.extend)
    writer.join()
    frames = [item for item in items if isinstance(item, Frame)]
    assert [number_of(frame.pixels) for frame in frames] == 4 * list(range(30))
    assert [frame.seconds for frame in frames] == pytest.approx([n / 30 for n in range(120)], abs=0.15)
    heard = [item for item in items if isinstance(item, Sound)]
    assert sum(run.samples.shape[1] for run in heard) == pytest.approx(4 * 48000, abs=0.15 * 48000)
    assert any("jump" in line for line in warnings)


def test_sound_comes_in_its_time_where_no_picture_does(make_clip: MakeClip, tmp_path: Path) -> None:
    """As of a screen that stands still: pictures at 0 and 1 s, and from 12 to 13.1 s."""
    times = [0, 15360, *(15360 * 12 + 1536 * number for number in range(12))]
    clip = make_clip(rate=1, count=14, times=times, sound=SoundFormat(48000, 1), options={"bf": "0"})
    data, pipe, clock = clip.write(tmp_path / "still.mkv").read_bytes(), tmp_path / "pipe", ManualClock()
    os.mkfifo(pipe)
    writer = Thread(target=lambda: pipe.write_bytes(data))
    writer.start()

    def wait(seconds: float) -> bool:
        clock.advance(seconds)
        return False

    heard, began = list[Sound](), 0.0
    with LiveSource(named_pipe(pipe, str(pipe)), clock=clock, wait=wait) as source:
        for item in source:
            if isinstance(item, Frame):
                began = began or item.captured_at - item.seconds
            else:
                heard.append(item)
                assert item.seconds < clock.now() - began + 0.4
    writer.join()
    assert sum(run.samples.shape[1] for run in heard) == pytest.approx(14 * 48000, abs=2048)


def test_a_pipe_stays_ended_once_it_was_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Libav reads again after an end."""

    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    ours, theirs = os.pipe()
    reader = PipeReader(ours, owned=True)
    with monkeypatch.context() as patched:
        patched.setattr("mien.capture.pipe.select.select", interrupted)
        assert reader.read(1) == b""
    assert reader.interrupted
    assert reader.read(1) == b"", "though the writer is there, and silent"
    reader.close()
    os.close(theirs)


def test_a_pipe_without_a_stream(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = Thread(target=lambda: pipe.write_bytes(b"no pictures" * 100))
    writer.start()
    with pytest.raises(SourceError, match="expected a stream in a container"):
        capture.open(pipe)
    writer.join()


def test_closing_ends_a_wait_for_a_pipes_writer(make_clip: MakeClip, tmp_path: Path) -> None:
    data = make_clip(count=60).write(tmp_path / "clip.ts").read_bytes()
    ours, theirs = os.pipe()
    writer = Thread(target=lambda: os.write(theirs, data))
    writer.start()
    source = LiveSource(PipeFeed("pipe", lambda: ours), clock=ManualClock())
    thread = reading(source, lambda: None)
    writer.join(ENDS_WITHIN)  # all is read, and the pipe stays open
    source.close()
    thread.join(ENDS_WITHIN)
    assert not thread.is_alive()
    os.close(theirs)


def test_opening_and_closing_again_and_again_leaves_nothing(ts_server: Callable[..., str]) -> None:
    descriptors = Path("/proc/self/fd")
    if not descriptors.is_dir():
        pytest.skip("this system does not list descriptors")
    address = ts_server()
    capture.open(address).close()
    gc.collect()
    before = len(list(descriptors.iterdir()))
    gc.disable()
    try:
        for _ in range(5):
            with capture.open(address) as source:
                next(iter(source))
        del source
        assert len(list(descriptors.iterdir())) <= before + 1, "the server may still hold its end"
        assert gc.collect() == 0, "nothing waits for the garbage collector"
    finally:
        gc.enable()


def reading(source: LiveSource, each: Callable[[], object]) -> Thread:
    """A thread that reads all there is."""

    def read() -> None:
        for _ in source:
            each()

    thread = Thread(target=read)
    thread.start()
    return thread


@pytest.fixture
def ts_server(make_clip: MakeClip, tmp_path: Path) -> Any:
    """Addresses of servers on loopback that send each client a clip as MPEG-TS, and then close or keep silent."""
    data = make_clip(count=30, sound=SoundFormat(48000, 2)).write(tmp_path / "served.ts").read_bytes()
    over, threads, servers = Event(), list[Thread](), list[socket.socket]()

    def serve(server: socket.socket, stall: bool) -> None:
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            with client:
                try:
                    client.sendall(data)
                    if stall:
                        over.wait(4 * ENDS_WITHIN)
                except OSError:
                    continue

    def start(*, stall: bool = False) -> str:
        server = socket.create_server(("127.0.0.1", 0))
        thread = Thread(target=serve, args=(server, stall))
        thread.start()
        servers.append(server)
        threads.append(thread)
        return f"tcp://127.0.0.1:{server.getsockname()[1]}"

    yield start
    over.set()
    for server in servers:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
    for thread in threads:
        thread.join(ENDS_WITHIN)
        assert not thread.is_alive()


@pytest.mark.parametrize("sound", [None, SoundFormat(48000, 2)])
def test_a_connection_tells_whether_sound_comes_with_its_pictures(
    make_clip: MakeClip, tmp_path: Path, sound: SoundFormat | None
) -> None:
    path = make_clip(count=10, sound=sound).write(tmp_path / "clip.ts")

    class File(Pattern):
        def open(self) -> InputContainer:
            return av.open(str(path))

    interrupt = Interrupt()
    connection = Connection(File(), interrupt, MonotonicClock(), 1)
    try:
        assert connection.manner.sounding == (sound is not None)
        assert not connection.manner.unhurried
    finally:
        connection.close()
