"""Sound beside the pictures."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mien import capture
from mien.capture.synthetic import tone_of
from mien.frame import Frame
from mien.sound import Sound, SoundFormat

MakeClip = Any
FRAME_SAMPLES = 1024


def heard(path: Path, **options: Any) -> tuple[list[Sound], list[Frame]]:
    with capture.open(path, **options) as source:
        items = list(source)
    return [item for item in items if isinstance(item, Sound)], [item for item in items if isinstance(item, Frame)]


def joined(sounds: list[Sound]) -> NDArray[np.float32]:
    for before, after in pairwise(sounds):
        assert after.pts == before.pts + before.samples.shape[1]
    return np.concatenate([sound.samples for sound in sounds], axis=1)


def lag(found: NDArray[np.float32], wanted: NDArray[np.float32]) -> int:
    """By how many samples `found` comes later than `wanted`, by the peak of their correlation."""
    size = 2 * max(len(found), len(wanted))
    product = np.fft.rfft(found, size) * np.conj(np.fft.rfft(wanted, size))
    peak = int(np.argmax(np.fft.irfft(product, size)))
    return peak - size if peak > size // 2 else peak


@pytest.mark.parametrize(
    ("ending", "codec"), [(".mp4", "aac"), (".mkv", "flac"), (".webm", "libopus"), (".avi", "pcm_s16le")]
)
def test_sound_is_in_sync(make_clip: MakeClip, tmp_path: Path, ending: str, codec: str) -> None:
    from fractions import Fraction

    format = SoundFormat(48000, 2)
    clip = make_clip(count=60, sound=format, sound_codec=codec, time_base=Fraction(1, 30))
    if ending == ".webm":
        clip.codec, clip.options = "libvpx-vp9", {"deadline": "realtime", "cpu-used": "8"}
    sounds, frames = heard(clip.write(tmp_path / f"clip{ending}"))
    samples = joined(sounds)
    assert samples.dtype == np.float32
    assert samples.shape[0] == 2
    assert len(frames) == 60
    offset = lag(samples[0], tone_of(format)(0, 96000)[0]) + sounds[0].pts
    assert abs(offset) <= FRAME_SAMPLES
    assert abs(samples.shape[1] - 96000) <= 2 * FRAME_SAMPLES


@pytest.mark.parametrize("start", [0.0, 0.7, 1.5, 3.25])
def test_sound_stays_in_sync_from_a_start(make_clip: MakeClip, tmp_path: Path, start: float) -> None:
    format = SoundFormat(44100, 1)
    path = make_clip(count=150, sound=format, key_frames=40).write(tmp_path / "clip.mp4")
    sounds, frames = heard(path, start=start, duration=1.2)
    from mien.capture.synthetic import number_of

    first_time = number_of(frames[0].pixels) / 30
    samples = joined(sounds)[0]
    assert sounds[0].pts == 0
    assert samples.shape[0] == pytest.approx(1.2 * 44100, abs=2)
    assert abs(lag(samples, tone_of(format)(round(first_time * 44100), len(samples))[0])) <= FRAME_SAMPLES // 4


def test_sound_that_begins_late_keeps_its_place(make_clip: MakeClip, tmp_path: Path) -> None:
    format = SoundFormat(48000, 1)
    path = make_clip(count=60, sound=format, sound_delay=0.3, sound_codec="pcm_s16le").write(tmp_path / "late.mkv")
    sounds, _ = heard(path)
    assert sounds[0].seconds == pytest.approx(0.3, abs=0.002)


def test_sound_comes_in_step_with_the_pictures(make_clip: MakeClip, tmp_path: Path) -> None:
    path = make_clip(count=150, sound=SoundFormat(48000, 1)).write(tmp_path / "clip.mp4")
    picture = sound = 0.0
    with capture.open(path) as source:
        for item in source:
            if isinstance(item, Frame):
                picture = item.seconds
            else:
                sound = item.seconds
            assert abs(picture - sound) < 1.6


def test_many_channels_are_mixed_to_two(tmp_path: Path, make_clip: MakeClip) -> None:
    import av

    path = tmp_path / "six.mkv"
    with av.open(str(path), "w") as container:
        video = container.add_stream("ffv1", rate=25)
        video.width, video.height, video.pix_fmt = 64, 64, "yuv420p"
        audio = container.add_stream("pcm_s16le", rate=48000)
        audio.codec_context.layout = "5.1"
        for number in range(25):
            frame = av.VideoFrame(64, 64, "yuv420p")
            frame.pts = number
            container.mux(video.encode(frame))
        run = av.AudioFrame.from_ndarray(np.zeros((1, 6 * 48000), np.int16), format="s16", layout="5.1")
        run.sample_rate = 48000
        container.mux(audio.encode(run))
        container.mux(video.encode(None))
        container.mux(audio.encode(None))
    sounds, _ = heard(path)
    assert {sound.samples.shape[0] for sound in sounds} == {2}
    assert {sound.format for sound in sounds} == {SoundFormat(48000, 2)}


def test_silent_file_has_no_sound(make_clip: MakeClip, tmp_path: Path) -> None:
    path = make_clip(count=3).write(tmp_path / "clip.mp4")
    with capture.open(path) as source:
        assert source.info.sound is None
        assert all(isinstance(item, Frame) for item in source)
