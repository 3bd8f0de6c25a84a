"""Files that broke on their way."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from mien import capture
from mien.capture.synthetic import number_of
from mien.errors import SourceError
from mien.frame import Frame
from mien.sound.sound import SoundFormat
from mien.timeline import Timeline

MakeClip = Any


def cut(path: Path, share: float) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def overwrite_packets(path: Path, which: set[int]) -> None:
    """Fill the bodies of some video packets of a file with noise."""
    with av.open(str(path)) as container:
        places = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    data = bytearray(path.read_bytes())
    noise = np.random.default_rng(0)
    for index in which:
        position, size = places[index]
        assert position is not None
        data[position + 6 : position + size] = noise.integers(0, 256, size - 6, dtype=np.uint8).tobytes()
    path.write_bytes(data)


@pytest.mark.parametrize("threads", [1, 2])
def test_broken_frames_in_the_middle_are_skipped_and_counted(make_clip: MakeClip, tmp_path: Path, threads: int) -> None:
    clip = make_clip(count=40, codec="mjpeg", pix_fmt="yuvj420p", time_base=Fraction(1, 30))
    path = clip.write(tmp_path / "clip.avi")
    with av.open(str(path)) as container:
        places = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    data = bytearray(path.read_bytes())
    for index in (7, 20):
        position, size = places[index]
        assert position is not None
        data[position : position + size] = bytes(size)
    path.write_bytes(data)
    with capture.open(path, threads=threads) as source:
        frames = [item for item in source if isinstance(item, Frame)]
        broken = source.broken_frames
    assert broken == 2
    assert [number_of(frame.pixels) for frame in frames] == [i for i in range(40) if i not in (7, 20)]
    assert frames[7].seconds == pytest.approx(8 / 30)


@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
def test_noise_inside_h264_does_not_stop_the_file(make_clip: MakeClip, tmp_path: Path, ending: str) -> None:
    path = make_clip(count=60, key_frames=10, options={"bf": "0"}).write(tmp_path / f"clip{ending}")
    overwrite_packets(path, {13, 14, 35})
    with capture.open(path) as source:
        frames = [item for item in source if isinstance(item, Frame)]
        broken = source.broken_frames
    assert broken >= 1
    assert len(frames) + broken == 60
    assert [number_of(frame.pixels) for frame in frames[-20:]] == list(range(40, 60))


@pytest.mark.parametrize("ending", [".mp4", ".mkv", ".ts", ".avi"])
def test_truncated_file_is_decoded_as_far_as_it_goes(make_clip: MakeClip, tmp_path: Path, ending: str) -> None:
    options = {"movflags": "+faststart"} if ending == ".mp4" else {}
    base = Fraction(1, 30) if ending == ".avi" else Fraction(1, 15360)
    clip = make_clip(count=90, container_options=options, time_base=base, key_frames=5)
    path = cut(clip.write(tmp_path / f"clip{ending}"), 0.6)
    with capture.open(path) as source:
        frames = [item for item in source if isinstance(item, Frame)]
        warnings = source.warnings
    assert 30 < len(frames) < 80
    assert [number_of(frame.pixels) for frame in frames[:30]] == list(range(30))
    if ending in (".mp4", ".mkv"):  # the others lose their length with their end
        assert len(warnings) == 1
        assert "breaks off at" in warnings[0] or "broke off at" in warnings[0]


def test_truncated_sound_and_pictures_warn_once(make_clip: MakeClip, tmp_path: Path) -> None:
    clip = make_clip(count=90, sound=SoundFormat(48000, 1), container_options={"movflags": "+faststart"})
    with capture.open(cut(clip.write(tmp_path / "clip.mp4"), 0.7)) as source:
        assert sum(isinstance(item, Frame) for item in source) > 20
        assert len(source.warnings) == 1


def test_whole_file_has_no_warning(plain: Path) -> None:
    with capture.open(plain) as source:
        list(source)
        assert source.warnings == ()
        assert source.broken_frames == 0


def test_a_span_of_a_file_has_no_warning(plain: Path) -> None:
    with capture.open(plain, start=0.5, duration=0.5) as source:
        list(source)
        assert source.warnings == ()


def test_index_lost_is_refused(make_clip: MakeClip, tmp_path: Path) -> None:
    path = cut(make_clip(count=30).write(tmp_path / "clip.mp4"), 0.5)
    with pytest.raises(SourceError, match=r"expected a video or a picture, got .* breaks off before its first frame"):
        capture.open(path)


def test_no_frame_decodes(make_clip: MakeClip, tmp_path: Path) -> None:
    path = make_clip(count=6, codec="ffv1", pix_fmt="yuv420p").write(tmp_path / "clip.mkv")
    overwrite_packets(path, set(range(6)))
    with pytest.raises(SourceError, match=r"clip\.mkv: expected .*, got none of its \d+ frames to decode"):
        capture.open(path)


@pytest.mark.parametrize("jump", [36_000.0, 7_200.0, 44_000.0], ids=lambda seconds: f"{seconds:+g} s")
@pytest.mark.parametrize("ending", [".mkv", ".ts", ".mp4"])
def test_a_clock_that_jumped_is_closed_in_pictures_and_sound(
    make_clip: MakeClip, tmp_path: Path, ending: str, jump: float
) -> None:
    clip = make_clip(count=90, sound=SoundFormat(48000, 1), jump=(30, jump), options={"bf": "0"})
    need_one_line(clip.write(tmp_path / f"clip{ending}"))


def test_a_clock_that_was_set_back_is_closed(make_clip: MakeClip, tmp_path: Path) -> None:
    """Two recordings one after the other, as a recorder leaves them whose clock was set back by an hour."""
    clip = make_clip(count=60, sound=SoundFormat(48000, 1), jump=(0, 3600.0), options={"bf": "0"})
    first = clip.write(tmp_path / "first.ts").read_bytes()
    numbered = make_clip(count=90, sound=SoundFormat(48000, 1), options={"bf": "0"})
    second = numbered.write(tmp_path / "second.ts").read_bytes()
    (tmp_path / "both.ts").write_bytes(first + second)
    with capture.open(tmp_path / "both.ts") as source:
        items = list(source)
        warnings = source.warnings
    frames = [item for item in items if isinstance(item, Frame)]
    assert [number_of(frame.pixels) for frame in frames] == [*range(60), *range(90)]
    assert np.diff([frame.seconds for frame in frames]) == pytest.approx(1 / 30, abs=0.03)
    heard = [item for item in items if not isinstance(item, Frame)]
    assert heard[-1].seconds == pytest.approx(5.0, abs=0.15)
    assert sum("jump" in line for line in warnings) == 1


@pytest.mark.parametrize(("count", "sound"), [(30, True), (30, False), (15, True)])
def test_pieces_that_each_begin_anew_are_played_one_after_the_other(
    make_clip: MakeClip, tmp_path: Path, count: int, sound: bool
) -> None:
    """Recordings of a second and less put together, with pictures that are stored in another order."""
    piece = make_clip(count=count, sound=SoundFormat(48000, 1) if sound else None, options={"bf": "2"})
    (tmp_path / "pieces.ts").write_bytes(4 * piece.write(tmp_path / "piece.ts").read_bytes())
    with capture.open(tmp_path / "pieces.ts") as source:
        items = list(source)
        warnings = source.warnings
    frames = [item for item in items if isinstance(item, Frame)]
    assert [number_of(frame.pixels) for frame in frames] == 4 * list(range(count))
    assert np.diff([frame.seconds for frame in frames]) == pytest.approx(1 / 30, abs=0.036)
    assert np.diff([frame.seconds for frame in frames]).min() > 0.02
    assert frames[-1].seconds == pytest.approx((4 * count - 1) / 30, abs=0.15)
    assert sum("jump" in line for line in warnings) == 1
    heard = [item for item in items if not isinstance(item, Frame)]
    length = sum(run.samples.shape[1] for run in heard) / 48000
    assert length == pytest.approx(4 * count / 30 if sound else 0, abs=0.25)


def need_one_line(path: Path) -> None:
    """Three seconds at 30 frames per second, with sound, without a gap, and told of in one line."""
    with capture.open(path) as source:
        items = list(source)
        warnings = source.warnings
    frames = [item for item in items if isinstance(item, Frame)]
    assert [number_of(frame.pixels) for frame in frames] == list(range(90))
    assert np.diff([frame.seconds for frame in frames]) == pytest.approx(1 / 30, abs=0.03)
    heard = [item for item in items if not isinstance(item, Frame)]
    assert heard[-1].seconds == pytest.approx(3.0, abs=0.1)
    assert sum(sound.samples.shape[1] for sound in heard) == pytest.approx(3 * 48000, abs=0.1 * 48000)
    assert len(warnings) == 1
    assert "jump" in warnings[0]
    with capture.open(path) as source:
        seen = [number_of(frame.pixels) for frame in source.sample(6)]
    assert len(seen) >= 4
    assert min(seen) < 30 <= max(seen), "of before and after"


def test_a_long_still_with_sound_is_no_jump(make_clip: MakeClip, tmp_path: Path) -> None:
    times = [n * 512 + (0 if n < 45 else 100 * 15360) for n in range(90)]
    clip = make_clip(count=90, times=times, options={"bf": "0"})
    with capture.open(clip.write(tmp_path / "still.mkv")) as source:
        list(source)
        assert "jump" in "".join(source.warnings), "without sound nobody can tell"
    line, second = Timeline(Fraction(1, 1000), 40), Fraction(1)
    assert line.place(0) == 0
    assert line.place(100_000, until=99 * second) == 100_000
    assert line.jumped == 0


def test_negative_times_are_shifted_to_zero(make_clip: MakeClip, tmp_path: Path) -> None:
    clip = make_clip(count=10, times=[(i - 3) * 512 for i in range(10)], codec="ffv1")
    with capture.open(clip.write(tmp_path / "clip.nut")) as source:
        frames = [item for item in source if isinstance(item, Frame)]
    assert len(frames) == 10
    assert frames[0].pts == 0
    assert np.diff([frame.seconds for frame in frames]) == pytest.approx(1 / 30, abs=1e-3)


def spliced(make_clip: MakeClip, folder: Path, **second: Any) -> Path:
    """Two recordings of MPEG-TS of a second each, one behind the other."""
    first, then = folder / "first.ts", folder / "second.ts"
    make_clip(sound=SoundFormat(48000, 2)).write(first)
    make_clip(sound=SoundFormat(48000, 2), **second).write(then)
    both = folder / "both.ts"
    both.write_bytes(first.read_bytes() + then.read_bytes())
    return both


def test_streams_that_begin_later_are_told_and_left_out(make_clip: MakeClip, tmp_path: Path) -> None:
    others = {"mpegts_start_pid": "512", "mpegts_pmt_start_pid": "4352"}
    both = spliced(make_clip, tmp_path, container_options=others)
    with capture.open(both) as source:
        sampled = list(source.sample(300))
        frames = [item for item in source if isinstance(item, Frame)]
        (warning,) = source.warnings
    assert [number_of(frame.pixels) for frame in frames] == list(range(30))
    assert len(sampled) == 30
    assert "streams that begin in its middle (5" in warning


def test_other_streams_between_those_that_are_read_are_told(make_clip: MakeClip, tmp_path: Path) -> None:
    both = spliced(make_clip, tmp_path, container_options={"mpegts_start_pid": "512", "mpegts_pmt_start_pid": "4352"})
    both.write_bytes(both.read_bytes() + (tmp_path / "first.ts").read_bytes())
    with capture.open(both) as source:
        numbers = [number_of(item.pixels) for item in source if isinstance(item, Frame)]
        warnings = source.warnings
    assert numbers == [*range(30), *range(30)]
    assert any("streams that begin in its middle (3" in warning for warning in warnings)


def test_many_frames_that_do_not_decode_are_told(make_clip: MakeClip, tmp_path: Path) -> None:
    """The second recording has another codec under the first one's numbers."""
    both = spliced(make_clip, tmp_path, codec="mpeg2video", time_base=Fraction(1, 30))
    with capture.open(both) as source:
        frames = [item for item in source if isinstance(item, Frame)]
        warnings = source.warnings
    assert len(frames) >= 29
    assert any("do not decode and are left out" in warning for warning in warnings)
