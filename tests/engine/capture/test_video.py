from __future__ import annotations

import gc
import weakref
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mien import capture
from mien.capture.synthetic import number_of, pattern
from mien.errors import SourceError
from mien.frame import Frame
from mien.sound.sound import SoundFormat

MakeClip = Any


def frames_of(path: Path, **options: Any) -> list[Frame]:
    with capture.open(path, **options) as source:
        return [item for item in source if isinstance(item, Frame)]


def numbers(frames: list[Frame]) -> list[int]:
    return [number_of(frame.pixels[:, :, :3]) for frame in frames]


def closeness(frame: Frame, number: int) -> float:
    height, width = frame.pixels.shape[:2]
    return float(np.abs(frame.pixels[:, :, :3].astype(int) - pattern(width, height, number)).mean())


@pytest.mark.parametrize("ending", [".mp4", ".mov", ".mkv", ".avi", ".ts", ".flv", ".nut"])
def test_containers_give_every_frame_at_its_time(make_clip: MakeClip, tmp_path: Path, ending: str) -> None:
    base = Fraction(1, 30) if ending == ".avi" else Fraction(1, 15360)
    path = make_clip(time_base=base).write(tmp_path / f"clip{ending}")
    frames = frames_of(path)
    assert numbers(frames) == list(range(30))
    assert [frame.seconds for frame in frames] == pytest.approx([i / 30 for i in range(30)], abs=0.0021)
    assert closeness(frames[7], 7) < 4


def test_info_of_a_file(plain: Path) -> None:
    with capture.open(plain) as source:
        info = source.info
    assert (info.width, info.height, info.frame_count) == (160, 120, 60)
    assert info.rate == 30
    assert info.duration == pytest.approx(2.0)
    assert info.seekable
    assert not info.live
    assert info.name == str(plain)
    assert info.sound is not None
    assert (info.sound.rate, info.sound.channels) == (48000, 2)


@pytest.mark.parametrize(
    ("codec", "ending"), [("libvpx-vp9", ".webm"), ("mpeg4", ".mp4"), ("mjpeg", ".avi"), ("ffv1", ".mkv")]
)
def test_codecs(make_clip: MakeClip, tmp_path: Path, codec: str, ending: str) -> None:
    pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    options = {"deadline": "realtime", "cpu-used": "8"} if codec == "libvpx-vp9" else {}
    base = Fraction(1, 30)
    clip = make_clip(codec=codec, pix_fmt=pix_fmt, count=12, options=options, time_base=base)
    assert numbers(frames_of(clip.write(tmp_path / f"clip{ending}"))) == list(range(12))


@pytest.mark.parametrize(
    ("codec", "pix_fmt", "ending"),
    [
        ("prores_ks", "yuv422p10le", ".mov"),
        ("ffv1", "yuv420p10le", ".mkv"),
        ("libx264", "yuv420p10le", ".mp4"),
        ("libx265", "yuv420p10le", ".mp4"),
    ],
)
def test_ten_bits_become_eight(make_clip: MakeClip, tmp_path: Path, codec: str, pix_fmt: str, ending: str) -> None:
    options = {"x265-params": "log-level=none:pools=1"} if codec == "libx265" else {}
    clip = make_clip(codec=codec, pix_fmt=pix_fmt, count=5, options=options)
    frames = frames_of(clip.write(tmp_path / f"clip{ending}"))
    assert numbers(frames) == list(range(5))
    assert frames[0].pixels.dtype == np.uint8
    assert closeness(frames[3], 3) < 4


@pytest.mark.parametrize("turn", [90, -90, 180])
def test_rotation_metadata_is_applied(make_clip: MakeClip, tmp_path: Path, turn: int) -> None:
    """The stored picture is turned so that the display matrix, counterclockwise, makes it upright again."""
    quarters = turn // 90
    width, height = (120, 160) if turn != 180 else (160, 120)
    clip = make_clip(
        width=width,
        height=height,
        rotation=turn,
        count=3,
        picture=lambda number: np.ascontiguousarray(np.rot90(pattern(160, 120, number), -quarters)),
    )
    path = clip.write(tmp_path / "turned.mp4")
    frames = frames_of(path)
    assert frames[2].size == (160, 120)
    assert numbers(frames) == [0, 1, 2]
    assert closeness(frames[2], 2) < 4
    assert frames[2].pixels.flags.c_contiguous
    with capture.open(path) as source:
        assert (source.info.width, source.info.height) == (160, 120)


def test_variable_rate_keeps_times(make_clip: MakeClip, tmp_path: Path) -> None:
    times = [0, 40, 41, 300, 310, 900, 1000, 1001, 1450, 2000]
    clip = make_clip(count=10, times=times, time_base=Fraction(1, 600))
    for ending in (".mp4", ".mkv"):
        frames = frames_of(clip.write(tmp_path / f"variable{ending}"))
        assert numbers(frames) == list(range(10))
        assert [frame.seconds for frame in frames] == pytest.approx([t / 600 for t in times], abs=0.0006)


@pytest.mark.parametrize("size", [(161, 121), (33, 95), (97, 240)])
def test_odd_sizes(make_clip: MakeClip, tmp_path: Path, size: tuple[int, int]) -> None:
    width, height = size
    clip = make_clip(width=width, height=height, codec="ffv1", pix_fmt="yuv444p", count=3)
    frames = frames_of(clip.write(tmp_path / "odd.mkv"))
    assert frames[0].size == size
    assert frames[0].pixels.flags.c_contiguous
    assert closeness(frames[1], 1) < 3


def test_odd_size_with_subsampled_colour(make_clip: MakeClip, tmp_path: Path) -> None:
    clip = make_clip(width=161, height=121, codec="ffv1", pix_fmt="yuv420p", count=3)
    assert closeness(frames_of(clip.write(tmp_path / "odd.mkv"))[1], 1) < 4


@pytest.mark.parametrize(
    ("codec", "pix_fmt", "ending"),
    [("qtrle", "argb", ".mov"), ("ffv1", "bgra", ".mkv"), ("libvpx-vp9", "yuva420p", ".webm"), ("png", "rgba", ".mov")],
)
def test_alpha(make_clip: MakeClip, tmp_path: Path, codec: str, pix_fmt: str, ending: str) -> None:
    def half(number: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
        pixels = np.full((120, 160, 4), (200, 100, 50, 255), np.uint8)
        pixels[:, 80:, 3] = 0
        return pixels

    options = {"deadline": "realtime", "cpu-used": "8"} if codec == "libvpx-vp9" else {}
    clip = make_clip(codec=codec, pix_fmt=pix_fmt, count=3, picture=half, options=options)
    path = clip.write(tmp_path / f"alpha{ending}")
    flat = frames_of(path)[1]
    assert flat.layout == "rgb24"
    assert flat.pixels[60, 20] == pytest.approx([200, 100, 50], abs=8)
    assert flat.pixels[60, 140] == pytest.approx([0, 0, 0], abs=8)
    clear = frames_of(path, alpha=True)[1]
    assert clear.layout == "rgba"
    assert clear.pixels[60, 20] == pytest.approx([200, 100, 50, 255], abs=8)
    assert clear.pixels[60, 140, 3] < 8


@pytest.mark.parametrize(("matrix", "name"), [(1, "bt709"), (5, "bt470bg")])
@pytest.mark.parametrize(("full", "pix_fmt"), [(False, "yuv444p"), (True, "yuv444p")])
def test_colour_matrix_and_range_are_honoured(tmp_path: Path, matrix: int, name: str, full: bool, pix_fmt: str) -> None:
    import av

    wanted = np.array([200, 60, 30], np.uint8)
    path = tmp_path / f"{name}.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 64, pix_fmt
        stream.codec_context.colorspace = matrix
        stream.codec_context.color_range = 2 if full else 1
        flat = av.VideoFrame.from_ndarray(np.tile(wanted, (64, 64, 1)))
        stored = flat.reformat(format=pix_fmt, dst_colorspace=matrix, dst_color_range=2 if full else 1)
        for number in range(2):
            stored.pts = number
            container.mux(stream.encode(stored))
        container.mux(stream.encode(None))
    assert frames_of(path)[0].pixels[32, 32] == pytest.approx(wanted, abs=3)


def test_start_and_duration(plain: Path) -> None:
    with capture.open(plain, start=0.5, duration=0.4) as source:
        assert source.info.frame_count == 12
        assert source.info.duration == pytest.approx(0.4)
        frames = [item for item in source if isinstance(item, Frame)]
    assert numbers(frames) == list(range(15, 27))
    assert [frame.seconds for frame in frames] == pytest.approx([i / 30 for i in range(12)], abs=1e-6)
    assert frames[0].pts == 0


@pytest.mark.parametrize("ending", [".mp4", ".mkv", ".ts", ".avi"])
@pytest.mark.parametrize("key_frames", [12, 200])
def test_start_is_exact_wherever_key_frames_are(
    make_clip: MakeClip, tmp_path: Path, ending: str, key_frames: int
) -> None:
    base = Fraction(1, 30) if ending == ".avi" else Fraction(1, 15360)
    clip = make_clip(count=120, width=96, height=64, key_frames=key_frames, time_base=base)
    frames = frames_of(clip.write(tmp_path / f"clip{ending}"), start=3.0)
    assert numbers(frames) == list(range(90, 120))


def test_frames_outlive_the_source_and_differ(plain: Path) -> None:
    frames = frames_of(plain)
    assert numbers(frames) == list(range(60))


def test_read_once(plain: Path) -> None:
    with capture.open(plain) as source:
        assert len([item for item in source if isinstance(item, Frame)]) == 60
        assert list(source) == []


def test_durations_tell_the_last_frame_too(plain: Path) -> None:
    frames = frames_of(plain)
    assert {frame.duration for frame in frames} == {512}


def test_non_square_pixels_are_stretched(make_clip: MakeClip, tmp_path: Path) -> None:
    clip = make_clip(count=2, options={"x264-params": "sar=2/1"})
    assert frames_of(clip.write(tmp_path / "wide.mp4"))[0].size == (320, 120)


def test_name_with_a_colon_and_percent(make_clip: MakeClip, tmp_path: Path) -> None:
    written = make_clip(count=2).write(tmp_path / "plain.mp4")
    odd = written.rename(tmp_path / "http:a%03d b.mp4")
    assert len(frames_of(odd)) == 2


def test_sample_is_even_and_leaves_the_source_alone(plain: Path) -> None:
    with capture.open(plain) as source:
        stream = iter(source)
        first = next(item for item in stream if isinstance(item, Frame))
        spread = numbers(list(source.sample(6)))
        rest = [item for item in stream if isinstance(item, Frame)]
    assert number_of(first.pixels) == 0
    assert numbers(rest) == list(range(1, 60))
    assert spread == [4, 14, 24, 34, 44, 54] or spread == [5, 15, 25, 35, 45, 55]


def test_sample_stays_in_the_span(plain: Path) -> None:
    with capture.open(plain, start=1.0, duration=0.5) as source:
        frames = list(source.sample(100))
    assert numbers(frames) == list(range(30, 45))
    assert frames[0].seconds == pytest.approx(0)


def test_sample_of_a_long_file_takes_key_frames(make_clip: MakeClip, tmp_path: Path) -> None:
    clip = make_clip(count=900, width=96, height=64, key_frames=10, options={"preset": "ultrafast"})
    path = clip.write(tmp_path / "long.mp4")
    with capture.open(path) as source:
        picked = numbers(list(source.sample(40)))
    assert len(picked) == 40
    assert all(number % 10 == 0 for number in picked)
    assert np.diff(picked).max() <= 40


def test_sample_of_a_long_file_with_few_key_frames_decodes_it(make_clip: MakeClip, tmp_path: Path) -> None:
    clip = make_clip(count=700, width=96, height=64, key_frames=600, options={"preset": "ultrafast"})
    path = clip.write(tmp_path / "long.mkv")
    with capture.open(path) as source:
        picked = numbers(list(source.sample(35)))
    assert len(picked) == 35
    assert np.diff(picked).tolist() == pytest.approx([20] * 34, abs=1)


def test_closed_source_refuses_nothing_but_gives_nothing(plain: Path) -> None:
    source = capture.open(plain)
    source.close()
    source.close()


def test_threads_make_no_difference(plain: Path) -> None:
    one, four = frames_of(plain, threads=1), frames_of(plain, threads=4)
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(one, four, strict=True))


def test_a_video_is_no_portrait(plain: Path) -> None:
    with pytest.raises(SourceError, match="expected a picture, got a video"):
        capture.image.read(plain)


def test_clips_of_the_data_folder() -> None:
    import os

    folder = os.environ.get("MIEN_DATA")
    if not folder:
        pytest.skip("MIEN_DATA is not set")
    for path in sorted(Path(folder, "clips").glob("*.mp4")):
        with capture.open(path, duration=1.0) as source:
            frames = [item for item in source if isinstance(item, Frame)]
            assert len(frames) == source.info.frame_count


def test_the_display_matrix_is_asked_for_once(make_clip: MakeClip, tmp_path: Path, monkeypatch: Any) -> None:
    """PyAV 18 never frees side data that it handed out: asked for with every frame, it cost 2.5 kB a frame."""
    from mien.capture import pixels

    asked: list[float] = []

    def asking(frame: Any) -> Any:
        asked.append(frame.rotation)
        return pixels.Turn.NONE

    monkeypatch.setattr(pixels, "turn_of", asking)
    assert len(frames_of(make_clip().write(tmp_path / "clip.mp4"))) == 30
    assert asked == [0]


@pytest.mark.parametrize("rotation", [None, 90])
def test_a_closed_source_is_freed_by_counting_references(
    make_clip: MakeClip, tmp_path: Path, rotation: int | None
) -> None:
    """A long-running server must not wait for the garbage collector to have its pictures back."""
    path = make_clip(rotation=rotation, sound=SoundFormat(48000, 2)).write(tmp_path / "clip.mp4")
    frames_of(path)  # what is made once
    gc.collect()
    gc.disable()
    try:
        source = capture.open(path, threads=1)
        items = iter(source)
        for _ in range(5):
            next(items)
        assert len(list(source.sample(3))) == 3
        source.close()
        gone = weakref.ref(source)
        del source, items
        assert gone() is None
        assert gc.collect() == 0
    finally:
        gc.enable()
