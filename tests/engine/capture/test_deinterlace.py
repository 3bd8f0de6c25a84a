"""Interlaced sources come as frames of one moment, as many as there were and at their times."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.filter import Graph
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from mien import capture
from mien.capture.live import LiveSource
from mien.capture.synthetic import number_of, pattern
from mien.clock import ManualClock
from mien.frame import Frame

WIDTH, HEIGHT, COUNT, RATE = 320, 240, 12, 25
BAR = slice(HEIGHT // 2, HEIGHT - 16)
"""Rows in which a bar moves from field to field."""


class File:
    """A file as a live source's feed."""

    name = "tape"
    lasting = patient = False
    received = None

    def __init__(self, path: Path) -> None:
        self._path = path

    def open(self) -> Any:
        return av.open(str(self._path))

    def stop(self) -> None:
        pass

    def close(self) -> None:
        pass


def woven(number: int, top_first: bool) -> NDArray[np.uint8]:
    """Two fields in one frame: the pattern that says its number, and a bar that moves 12 pixels from field to field."""
    pixels = pattern(WIDTH, HEIGHT, number)
    pixels[BAR] = 30
    for field in (0, 1):
        rows = pixels[BAR][(field if top_first else 1 - field) :: 2]
        at = 20 + 12 * (2 * number + field) % 240
        rows[:, at : at + 60] = 220
    return pixels


def write(path: Path, codec: str, top_first: bool, interlaced: bool = True) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=RATE)
        assert isinstance(stream, av.VideoStream)
        context = stream.codec_context
        context.width, context.height, context.pix_fmt, context.thread_count = WIDTH, HEIGHT, "yuv420p", 1
        order = "tff" if top_first else "bff"
        context.options = (
            {"x264-params": f"{order}=1", "crf": "12"}
            if codec == "libx264"
            else {"flags": "+ildct+ilme", "field_order": "tt" if top_first else "bb", "qmin": "1", "qmax": "2"}
        )
        if not interlaced:
            context.options = {}
        graph = marking(order if interlaced else "prog")
        for number in range(COUNT):
            frame = VideoFrame.from_ndarray(woven(number, top_first)).reformat(format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            graph.push(frame)
            marked = graph.pull()
            assert isinstance(marked, VideoFrame)
            container.mux(stream.encode(marked))
        container.mux(stream.encode(None))
    return path


def marking(order: str) -> Graph:
    """A graph that marks frames: encoders take the order of fields from there."""
    graph = Graph()
    source = graph.add("buffer", f"video_size={WIDTH}x{HEIGHT}:pix_fmt=yuv420p:time_base=1/{RATE}")
    graph.link_nodes(source, graph.add("setfield", order), graph.add("buffersink")).configure()
    return graph


def combing(pixels: NDArray[np.uint8]) -> float:
    """How much the rows of the bar differ from those above and below, in grey levels."""
    rows = pixels[BAR].mean(axis=2)
    return float(np.abs(rows[1:-1] - (rows[:-2] + rows[2:]) / 2).mean())


def frames_of(path: Path, **options: float) -> list[Frame]:
    with capture.open(path, **options) as source:  # type: ignore[arg-type]
        return [item for item in source if isinstance(item, Frame)]


FILES = [
    ("mpeg2video", ".ts"),
    ("mpeg2video", ".mpg"),
    ("mpeg2video", ".avi"),
    ("libx264", ".mp4"),
    ("libx264", ".mkv"),
]


@pytest.mark.parametrize("top_first", [True, False])
@pytest.mark.parametrize(("codec", "ending"), FILES)
def test_no_combs_are_left(tmp_path: Path, codec: str, ending: str, top_first: bool) -> None:
    woven_comb = combing(woven(3, top_first))
    assert woven_comb > 9
    frames = frames_of(write(tmp_path / f"tape{ending}", codec, top_first))
    assert [number_of(frame.pixels) for frame in frames] == list(range(COUNT))
    assert [frame.seconds for frame in frames] == pytest.approx([i / RATE for i in range(COUNT)], abs=0.002)
    assert max(combing(frame.pixels) for frame in frames) < woven_comb / 6
    for number, frame in enumerate(frames[1:-1], 1):  # the first field's bar, not a mixture of both
        bar = np.flatnonzero(frame.pixels[BAR].mean(axis=(0, 2)) > 160)
        assert bar[0] == pytest.approx(20 + 24 * number % 240, abs=3)
        assert len(bar) == pytest.approx(60, abs=4)


def test_frames_that_are_whole_pass_untouched(tmp_path: Path) -> None:
    frames = frames_of(write(tmp_path / "film.mp4", "libx264", True, interlaced=False))
    assert [number_of(frame.pixels) for frame in frames] == list(range(COUNT))
    assert min(combing(frame.pixels) for frame in frames) > 5  # what looks like a comb is of the picture


def test_a_part_of_it_has_the_right_frames(tmp_path: Path) -> None:
    path = write(tmp_path / "tape.mp4", "libx264", True)
    frames = frames_of(path, start=0.12, duration=0.2)
    assert [number_of(frame.pixels) for frame in frames] == [3, 4, 5, 6, 7]
    assert frames[0].pts == 0


def test_samples_have_no_combs(tmp_path: Path) -> None:
    with capture.open(write(tmp_path / "tape.mp4", "libx264", True)) as source:
        samples = list(source.sample(4))
    assert len(samples) == 4
    assert max(combing(frame.pixels) for frame in samples) < combing(woven(3, True)) / 6


def test_a_single_frame_has_no_combs(tmp_path: Path) -> None:
    from mien.capture.pixels import PixelReader, alone

    with av.open(str(write(tmp_path / "tape.ts", "mpeg2video", True))) as container:
        picture = next(container.decode(video=0))
    assert picture.interlaced_frame
    assert combing(PixelReader().read(alone(picture))) < combing(woven(0, True)) / 6


@pytest.mark.parametrize("top_first", [True, False])
def test_live_sources(tmp_path: Path, top_first: bool) -> None:
    path = write(tmp_path / "tape.ts", "mpeg2video", top_first)
    with LiveSource(File(path), clock=ManualClock()) as source:
        frames = [item for item in source if isinstance(item, Frame)]
    assert [number_of(frame.pixels) for frame in frames] == list(range(COUNT))
    assert [frame.seconds for frame in frames] == pytest.approx([i / RATE for i in range(COUNT)], abs=0.002)
    assert max(combing(frame.pixels) for frame in frames) < combing(woven(3, top_first)) / 6


def test_a_stream_that_changes_its_size_between_fields(tmp_path: Path) -> None:
    """What is in the filter comes out before the new size begins."""
    from mien.capture.pixels import Deinterlacer

    with av.open(str(write(tmp_path / "a.ts", "mpeg2video", True))) as container:
        large = list(container.decode(video=0))[:3]
    fields = Deinterlacer()
    small = [picture.reformat(width=160, height=120) for picture in large]
    out = [*fields.read(large), *fields.read(small), *fields.rest(), *fields.rest()]
    assert [(picture.width, picture.pts) for picture in out] == [
        *((320, picture.pts) for picture in large),
        *((160, picture.pts) for picture in small),
    ]
