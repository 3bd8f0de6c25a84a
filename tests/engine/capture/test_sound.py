"""Sound beside the pictures."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mien import capture
from mien.capture.synthetic import tone_of
from mien.frame import Frame
from mien.sound.sound import Sound, SoundFormat

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


@pytest.mark.parametrize("duration", [0.1, 0.5, 0.8])
def test_sound_that_begins_before_the_pictures(make_clip: MakeClip, tmp_path: Path, duration: float) -> None:
    """A duration that ends before the first picture is counted from it; there is nothing to be seen else."""
    format, base = SoundFormat(48000, 1), Fraction(1, 15360)
    times = [round((0.6 + n / 30) / base) for n in range(60)]
    clip = make_clip(count=60, sound=format, times=times, sound_codec="pcm_s16le", options={"bf": "0"})
    sounds, frames = heard(clip.write(tmp_path / "early.mkv"), duration=duration)
    lead = 0.6 if duration > 0.6 else 0.0
    assert [frame.seconds for frame in frames] == pytest.approx(
        [lead + n / 30 for n in range(round((duration - lead) * 30))], abs=0.002
    )
    assert sounds[0].pts == 0
    samples = joined(sounds)[0]
    assert len(samples) == pytest.approx(duration * 48000, abs=2)
    spoken = round((0.6 - lead) * 48000)
    assert abs(lag(samples, tone_of(format)(spoken, len(samples))[0])) <= 48


def test_a_start_past_the_sounds_end(make_clip: MakeClip, tmp_path: Path) -> None:
    import av
    from av.packet import Packet

    whole = make_clip(count=90).write(tmp_path / "silent.mp4")
    short = make_clip(count=30, sound=SoundFormat(48000, 2)).write(tmp_path / "short.mp4")
    path = tmp_path / "clip.mp4"
    with av.open(str(path), "w") as container, av.open(str(whole)) as seen, av.open(str(short)) as listened:
        video, audio = seen.streams.video[0], listened.streams.audio[0]
        copies = container.add_stream_from_template(video), container.add_stream_from_template(audio)
        packets: list[Packet[Any]] = [*seen.demux(video), *listened.demux(audio)]
        for packet in packets:
            if packet.dts is not None:
                packet.stream = copies[packet.stream.type == "audio"]
                container.mux(packet)
    sounds, frames = heard(path, start=1.5, duration=0.5)
    assert sounds == []
    assert len(frames) == 15


@pytest.mark.parametrize("ending", [".ts", ".mpg"])
def test_sound_that_begins_late_is_heard(make_clip: MakeClip, tmp_path: Path, ending: str) -> None:
    """These formats say nothing of a track before its first packet, which libav does not wait for by itself."""
    codecs = {"codec": "mpeg2video", "sound_codec": "mp2", "time_base": Fraction(1, 30)}
    clip = make_clip(count=270, width=64, height=48, sound=SoundFormat(48000, 1), sound_delay=8.0, **codecs)
    sounds, frames = heard(clip.write(tmp_path / f"late{ending}"))
    assert len(frames) == 270
    assert sounds[0].pts / 48000 - frames[0].seconds == pytest.approx(8.0, abs=0.1)


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


@pytest.mark.parametrize("layout", ["5.1", "5.1(side)", "7.1", "4.0", "quad", "2.1", "stereo", "mono"])
def test_many_channels_are_mixed_to_two_and_cannot_clip(tmp_path: Path, layout: str) -> None:
    import av

    path, channels = tmp_path / "many.mkv", av.AudioLayout(layout).nb_channels
    with av.open(str(path), "w") as container:
        video = container.add_stream("ffv1", rate=25)
        video.width, video.height, video.pix_fmt = 64, 64, "yuv420p"
        audio = container.add_stream("pcm_f32le", rate=48000)
        audio.codec_context.layout = layout
        for number in range(25):
            frame = av.VideoFrame(64, 64, "yuv420p")
            frame.pts = number
            container.mux(video.encode(frame))
        loud = np.ones((1, channels * 48000), np.float32)
        run = av.AudioFrame.from_ndarray(loud, format="flt", layout=layout)
        run.sample_rate = 48000
        container.mux(audio.encode(run))
        container.mux(video.encode(None))
        container.mux(audio.encode(None))
    sounds, _ = heard(path)
    mixed = 1 if layout == "mono" else 2
    assert {sound.format for sound in sounds} == {SoundFormat(48000, mixed)}
    samples = joined(sounds)
    assert samples.shape == (mixed, 48000)
    assert 0.5 < np.abs(samples).max() <= 1.0 + 1e-6


def test_silent_file_has_no_sound(make_clip: MakeClip, tmp_path: Path) -> None:
    path = make_clip(count=3).write(tmp_path / "clip.mp4")
    with capture.open(path) as source:
        assert source.info.sound is None
        assert all(isinstance(item, Frame) for item in source)


@pytest.mark.parametrize(
    ("layout", "usual"),
    [
        ("stereo", True),
        ("7.1(wide-side)", True),
        ("FL+FR+LFE+BC", True),  # no name of its own, in libav's order
        ("FL+FR+FC+LFE+SL+SR+BL+BR", False),  # 7.1 as MOV has it
        ("FR+FL", False),
    ],
)
def test_sound_whose_channels_are_listed_in_an_order_of_their_own_is_left_out(
    layout: str, usual: bool, caplog: pytest.LogCaptureFixture
) -> None:
    import av

    from mien.capture.container import has_usual_layout

    assert has_usual_layout(av.AudioLayout(layout)) == usual
    assert ("its sound is left out" in caplog.text) == (not usual)
