"""What capture reads back from what emit wrote."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from mien import capture, emit
from mien.capture.sequence import IndexedSource
from mien.capture.synthetic import number_of, pattern, pattern_source, tone_of
from mien.credentials.claim import Claim
from mien.credentials.identity import own
from mien.credentials.signing import Credentials
from mien.emit.sink import SinkSettings
from mien.errors import SettingError, SinkError
from mien.frame import Frame
from mien.provenance import Provenance
from mien.sound.sound import Sound, SoundFormat

ENDINGS = [".mp4", ".m4v", ".mov", ".mkv", ".webm"]
STEREO = SoundFormat(48000, 2)


def settings_of(source: IndexedSource, **metadata: str) -> SinkSettings:
    info = source.info
    return SinkSettings(info.width, info.height, info.rate, info.time_base, info.sound, metadata)


def write(source: IndexedSource, target: Path, **options: Any) -> tuple[list[Frame], list[Sound]]:
    items = list(source)
    with emit.open(target, settings_of(source), threads=1, **options) as sink:
        for item in items:
            if isinstance(item, Frame):
                sink.write(item)
            else:
                sink.write_sound(item)
    return [item for item in items if isinstance(item, Frame)], [item for item in items if isinstance(item, Sound)]


def read(path: Path) -> tuple[list[Frame], list[Sound], capture.SourceInfo]:
    with capture.open(path, threads=1) as source:
        items = list(source)
        assert source.warnings == ()
        assert source.broken_frames == 0
    frames = [item for item in items if isinstance(item, Frame)]
    return frames, [item for item in items if isinstance(item, Sound)], source.info


def lag(found: list[Sound], format: SoundFormat) -> float:
    """By how many seconds the sound comes later than the tone that was written."""
    samples = np.concatenate([sound.samples for sound in found], axis=1)[0]
    wanted = tone_of(SoundFormat(found[0].format.rate, format.channels))(0, len(samples))[0]
    product = np.fft.rfft(samples, 2 * len(samples)) * np.conj(np.fft.rfft(wanted, 2 * len(samples)))
    peak = int(np.argmax(np.fft.irfft(product)))
    peak -= 2 * len(samples) if peak > len(samples) else 0
    return peak / found[0].format.rate + found[0].seconds


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("sound", [SoundFormat(48000, 2), SoundFormat(44100, 1), SoundFormat(22050, 2)])
def test_round_trip(tmp_path: Path, ending: str, sound: SoundFormat) -> None:
    source = pattern_source(160, 120, rate=25, count=75, sound=sound)
    frames, _ = write(source, tmp_path / f"out{ending}")
    found, heard, info = read(tmp_path / f"out{ending}")
    assert [number_of(frame.pixels) for frame in found] == list(range(75))
    assert [frame.seconds for frame in found] == pytest.approx([frame.seconds for frame in frames], abs=1e-9)
    assert info.duration == pytest.approx(3.0, abs=0.02)
    assert info.rate == 25
    assert info.frame_count == 75
    assert abs(lag(heard, sound)) < 0.005
    assert info.sound is not None
    assert info.sound.channels == sound.channels


@pytest.mark.parametrize("rate", [Fraction(30000, 1001), Fraction(24000, 1001), Fraction(60), Fraction(15, 2)])
def test_other_rates(tmp_path: Path, rate: Fraction) -> None:
    frames, _ = write(pattern_source(96, 64, rate=rate, count=40), tmp_path / "out.mp4")
    found, _, info = read(tmp_path / "out.mp4")
    assert [frame.pts * frame.time_base for frame in found] == [frame.pts * frame.time_base for frame in frames]
    assert info.rate == rate
    assert info.duration == pytest.approx(float(40 / rate), abs=1e-4)


@pytest.mark.parametrize("ending", ENDINGS)
def test_variable_rate_is_kept(tmp_path: Path, ending: str) -> None:
    times = [0, 1, 900, 1300, 1301, 1390, 4000, 9000, 9001, 20000]
    source = pattern_source(96, 64, count=10, times=times, time_base=Fraction(1, 9000))
    frames, _ = write(source, tmp_path / f"out{ending}")
    found, _, info = read(tmp_path / f"out{ending}")
    wanted = [frame.seconds for frame in frames]
    exact = ending in (".mp4", ".m4v", ".mov")
    assert [number_of(frame.pixels) for frame in found] == list(range(10))
    assert [frame.seconds for frame in found] == pytest.approx(wanted, abs=1e-9 if exact else 0.0011)
    assert info.duration == pytest.approx(source.info.duration, abs=1e-4 if exact else 0.002)


def test_very_fine_time_base(tmp_path: Path) -> None:
    times = [0, 33_333_333, 66_666_667, 100_000_000]
    source = pattern_source(96, 64, count=4, times=times, time_base=Fraction(1, 10**9))
    write(source, tmp_path / "out.mp4")
    found, _, _ = read(tmp_path / "out.mp4")
    assert [frame.seconds for frame in found] == pytest.approx([0, 0.033333, 0.066667, 0.1], abs=1e-6)


@pytest.mark.parametrize(("width", "height"), [(161, 121), (160, 121), (161, 120)])
def test_odd_sizes_show_the_last_row_and_column_twice(tmp_path: Path, width: int, height: int) -> None:
    frames, _ = write(pattern_source(width, height, count=3), tmp_path / "out.mp4", mark=False)
    found, _, _ = read(tmp_path / "out.mp4")
    assert found[0].size == (width + width % 2, height + height % 2)
    assert np.abs(found[1].pixels[:height, :width].astype(int) - frames[1].pixels).mean() < 3


def test_colours_are_right_and_tagged(tmp_path: Path) -> None:
    patches = np.zeros((64, 96, 3), np.uint8)
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (20, 20, 20), (180, 140, 120)]
    for index, colour in enumerate(colours):
        patches[:, 16 * index : 16 * index + 16] = colour
    with emit.open(tmp_path / "out.mp4", SinkSettings(96, 64, Fraction(25), Fraction(1, 25)), mark=False) as sink:
        for number in range(3):
            sink.write(Frame(patches, number, Fraction(1, 25)))
    found, _, _ = read(tmp_path / "out.mp4")
    for index, colour in enumerate(colours):
        assert found[1].pixels[32, 16 * index + 8] == pytest.approx(colour, abs=6)
    with av.open(str(tmp_path / "out.mp4")) as container:
        context = container.streams.video[0].codec_context
        assert (context.colorspace, context.color_primaries, context.color_trc, context.color_range) == (1, 1, 1, 1)
        assert context.name == "h264"
        assert context.pix_fmt == "yuv420p"


def test_mp4_starts_with_its_index(tmp_path: Path) -> None:
    write(pattern_source(96, 64, count=10, sound=STEREO), tmp_path / "out.mp4")
    data = (tmp_path / "out.mp4").read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")


@pytest.mark.parametrize("ending", ENDINGS)
def test_container_says_that_it_is_synthetic(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"out{ending}"
    with emit.open(path, settings_of(pattern_source(96, 64), mien_model="warp"), mark=False) as sink:
        sink.write(Frame(pattern(96, 64, 0), 0, Fraction(1, 25)))
    with av.open(str(path)) as container:
        tags = {key.lower(): value for key, value in container.metadata.items()}
    assert tags["comment"].startswith("synthetic media, made with mien")
    assert "mien_model=warp" in tags["description"]


def test_sound_with_a_gap_an_overlap_and_a_late_begin(tmp_path: Path) -> None:
    tone = tone_of(STEREO)
    runs = [(24000, 9600), (33600, 4800), (36000, 4800), (57600, 9600)]
    source = pattern_source(96, 64, count=50, sound=STEREO)
    with emit.open(tmp_path / "out.mkv", settings_of(source)) as sink:
        for item in source:
            if isinstance(item, Frame):
                sink.write(item)
        for first, count in runs:
            sink.write_sound(Sound(tone(first, count), first, Fraction(1, 48000), STEREO))
    _, heard, _ = read(tmp_path / "out.mkv")
    found = np.concatenate([sound.samples for sound in heard], axis=1)[0]
    wanted = np.zeros(len(found), np.float32)
    for first, end in ((24000, 40800), (57600, 67200)):
        wanted[first:end] = tone(first, end - first)[0]
    assert heard[0].pts == 0
    assert np.sqrt(np.mean((found - wanted) ** 2)) < 0.1 * np.sqrt(np.mean(wanted**2))


def test_sound_in_another_time_base(tmp_path: Path) -> None:
    source = pattern_source(96, 64, count=50, sound=STEREO)
    with emit.open(tmp_path / "out.mp4", settings_of(source)) as sink:
        for item in source:
            if isinstance(item, Frame):
                sink.write(item)
            else:
                sink.write_sound(Sound(item.samples, round(item.seconds * 1000), Fraction(1, 1000), item.format))
    _, heard, _ = read(tmp_path / "out.mp4")
    assert abs(lag(heard, STEREO)) < 0.005


def test_sound_that_nobody_announced_is_dropped(tmp_path: Path) -> None:
    with emit.open(tmp_path / "out.mp4", SinkSettings(96, 64, Fraction(25), Fraction(1, 25))) as sink:
        sink.write(Frame(pattern(96, 64, 0), 0, Fraction(1, 25)))
        sink.write_sound(Sound(tone_of(STEREO)(0, 100), 0, Fraction(1, 48000), STEREO))
    assert read(tmp_path / "out.mp4")[1] == []


def test_alpha_is_dropped(tmp_path: Path) -> None:
    pixels = np.dstack([pattern(96, 64, 3), np.full((64, 96), 9, np.uint8)])
    with emit.open(tmp_path / "out.mp4", SinkSettings(96, 64, Fraction(25), Fraction(1, 25))) as sink:
        sink.write(Frame(pixels, 0, Fraction(1, 25), layout="rgba"))
    assert number_of(read(tmp_path / "out.mp4")[0][0].pixels) == 3


@pytest.mark.parametrize("target", ["out.mp4", "out.png", "out.jpg"])
@pytest.mark.parametrize("beside", [None, (96, 64)])
def test_arrays_that_may_not_be_written(tmp_path: Path, target: str, beside: tuple[int, int] | None) -> None:
    pixels = pattern(96, 64, 0)
    pixels.flags.writeable = False
    frame = Frame(pixels, 0, Fraction(1, 25))
    settings = SinkSettings(96, 64, Fraction(25), Fraction(1, 25))
    with emit.open(tmp_path / target, settings, mark=False, beside=beside) as sink:
        sink.write(frame.answer(pixels))
    assert (tmp_path / target).exists()


def test_an_existing_file_is_replaced_only_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    path.write_bytes(b"before")
    with emit.open(path, SinkSettings(96, 64, Fraction(25), Fraction(1, 25))) as sink:
        sink.write(Frame(pattern(96, 64, 0), 0, Fraction(1, 25)))
        assert path.read_bytes() == b"before"
    assert len(read(path)[0]) == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.mp4"]


def some_frames(sink: emit.Sink, count: int) -> None:
    for number in range(count):
        sink.write(Frame(pattern(96, 64, number), number, Fraction(1, 25)))


@pytest.mark.parametrize("count", [0, 1, 60])
@pytest.mark.parametrize("trouble", [RuntimeError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("ending", [".mp4", ".webm"])
def test_an_interrupted_run_leaves_nothing(
    tmp_path: Path, trouble: type[BaseException], count: int, ending: str
) -> None:
    with (
        pytest.raises(trouble),
        emit.open(tmp_path / f"out{ending}", SinkSettings(96, 64, Fraction(25), Fraction(1, 25), STEREO)) as sink,
    ):
        some_frames(sink, count)
        raise trouble
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_run_leaves_the_file_that_was_there(tmp_path: Path) -> None:
    (tmp_path / "out.mp4").write_bytes(b"before")
    with (
        pytest.raises(KeyboardInterrupt),
        emit.open(tmp_path / "out.mp4", SinkSettings(96, 64, Fraction(25), Fraction(1, 25))) as sink,
    ):
        some_frames(sink, 30)
        raise KeyboardInterrupt
    assert (tmp_path / "out.mp4").read_bytes() == b"before"


def test_a_run_without_frames_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    with (
        pytest.raises(SinkError, match="expected at least one frame to write, got none"),
        emit.open(tmp_path / "out.mp4", SinkSettings(96, 64, Fraction(25), Fraction(1, 25))),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_signing_that_is_interrupted_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(self: Credentials, source: Path, output: Path, name: str) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(Credentials, "sign", interrupted)
    credentials = Credentials(Claim(Provenance("1", "warp", (), "s"), "test", False), own(), print)
    settings = SinkSettings(96, 64, Fraction(25), Fraction(1, 25), credentials=credentials)
    with pytest.raises(KeyboardInterrupt), emit.open(tmp_path / "out.mp4", settings) as sink:
        sink.write(Frame(pattern(96, 64, 0), 0, Fraction(1, 25)))
        sink.finish()
    assert list(tmp_path.iterdir()) == []


def test_a_frame_of_another_size_is_refused(tmp_path: Path) -> None:
    sink = emit.open(tmp_path / "out.mp4", SinkSettings(96, 64, Fraction(25), Fraction(1, 25)))
    with pytest.raises(SinkError, match="expected frames of 96 x 64 pixels, got 64 x 96"):
        sink.write(Frame(pattern(64, 96, 0), 0, Fraction(1, 25)))
    sink.discard()
    assert list(tmp_path.iterdir()) == []


FULL = """
import resource, sys
import numpy as np
from fractions import Fraction
from mien import emit
from mien.emit.sink import SinkSettings
from mien.errors import SinkError
from mien.frame import Frame
resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
noise = np.random.default_rng(0)
try:
    with emit.open(sys.argv[1], SinkSettings(256, 256, Fraction(25), Fraction(1, 25))) as sink:
        for number in range(int(sys.argv[2])):
            sink.write(Frame(noise.integers(0, 256, (256, 256, 3), dtype=np.uint8), number, Fraction(1, 25)))
except SinkError as error:
    print(error)
"""


@pytest.mark.parametrize("target", ["out.mp4", "out.mkv", "out.webm", "out.png", "pictures"])
def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path, target: str) -> None:
    """A limit on file sizes stands for the disk that is full."""
    count = 1 if target == "out.png" else 12
    command = [sys.executable, "-c", FULL, str(tmp_path / target), str(count)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "expected room for the output, got none (file too large); free some" in run.stdout
    assert run.stdout.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", ENDINGS)
def test_capture_to_emit_to_capture(tmp_path: Path, ending: str) -> None:
    """A file's own span, with sound, through both rooms twice."""
    write(pattern_source(160, 120, rate=30, count=90, sound=STEREO), tmp_path / "driver.mp4")
    with capture.open(tmp_path / "driver.mp4", start=0.5, duration=2.0) as source:
        info = source.info
        items = list(source)
    settings = SinkSettings(info.width, info.height, info.rate, info.time_base, info.sound)
    with emit.open(tmp_path / f"out{ending}", settings) as sink:
        for item in items:
            if isinstance(item, Frame):
                sink.write(item.answer(item.pixels))
            else:
                sink.write_sound(item)
    found, heard, _ = read(tmp_path / f"out{ending}")
    assert [number_of(frame.pixels) for frame in found] == list(range(15, 75))
    wanted = [item.seconds for item in items if isinstance(item, Frame)]
    assert [frame.seconds for frame in found] == pytest.approx(wanted, abs=0.0006)
    assert abs(lag(heard, STEREO) + 0.5) < 0.04


def test_quality_is_validated() -> None:
    with pytest.raises(SettingError, match="crf must be from 0 to 51, got 99"):
        emit.VideoQuality(crf=99)


def test_better_quality_is_larger(tmp_path: Path) -> None:
    sizes = []
    for crf in (10, 40):
        path = tmp_path / f"{crf}.mp4"
        write(pattern_source(160, 120, count=10), path, quality=emit.VideoQuality(crf=crf))
        sizes.append(path.stat().st_size)
    assert sizes[0] > 1.5 * sizes[1]
