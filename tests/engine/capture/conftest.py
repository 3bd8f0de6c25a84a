from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
import pytest
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container.output import OutputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from mien.capture.synthetic import pattern, tone_of
from mien.sound.sound import SoundFormat


@dataclass
class Clip:
    """What a test wants to be in a file; written through libav's own encoders and muxers."""

    width: int = 160
    height: int = 120
    count: int = 30
    rate: int = 30
    codec: str = "libx264"
    pix_fmt: str = "yuv420p"
    times: Sequence[int] | None = None
    time_base: Fraction = Fraction(1, 15360)
    rotation: int | None = None
    options: dict[str, str] = field(default_factory=dict)
    container_options: dict[str, str] = field(default_factory=dict)
    sound: SoundFormat | None = None
    sound_codec: str = "aac"
    sound_delay: float = 0.0
    key_frames: int = 12
    jump: tuple[int, float] = (0, 0.0)
    """A number from which on pictures, and the sound of full seconds, have times so many seconds later."""
    format: str | None = None
    """Of the container; None: by the file's name."""
    picture: Callable[[int], NDArray[np.uint8]] | None = None
    """(H, W, 3 or 4) of a number; None: the pattern that carries it."""

    def write(self, path: Path) -> Path:
        with av.open(str(path), "w", format=self.format, container_options=self.container_options) as container:
            video = self._add_video(container)
            audio = self._add_audio(container) if self.sound is not None else None
            for number in range(self.count):
                container.mux(video.encode(self._frame(number)))
                if audio is not None:
                    self._encode_second(container, audio, number)
            container.mux(video.encode(None))
            if audio is not None:
                container.mux(audio.encode(None))
        return path

    def _add_video(self, container: OutputContainer) -> VideoStream:
        stream = cast(VideoStream, container.add_stream(self.codec, rate=self.rate, options=self.options))
        context = stream.codec_context
        context.width, context.height, context.pix_fmt = self.width, self.height, self.pix_fmt
        context.time_base = self.time_base
        context.gop_size = self.key_frames
        context.thread_count = 1
        if self.rotation is not None:
            stream.set_display_rotation(self.rotation)
        return stream

    def _add_audio(self, container: OutputContainer) -> AudioStream:
        assert self.sound is not None
        stream = cast(AudioStream, container.add_stream(self.sound_codec, rate=self.sound.rate))
        stream.codec_context.layout = "mono" if self.sound.channels == 1 else "stereo"
        return stream

    def _frame(self, number: int) -> VideoFrame:
        pixels = self.picture(number) if self.picture is not None else pattern(self.width, self.height, number)
        frame = VideoFrame.from_ndarray(pixels, format="rgba" if pixels.shape[2] == 4 else "rgb24")
        step = round(1 / (self.rate * self.time_base))
        frame.pts = self.times[number] if self.times is not None else number * step
        frame.pts += round(self._jumped(number) / self.time_base)
        frame.time_base = self.time_base
        return frame

    def _jumped(self, number: int) -> float:
        return self.jump[1] if number >= self.jump[0] else 0.0

    def _encode_second(self, container: OutputContainer, audio: AudioStream, number: int) -> None:
        """The sound of one second, before the first frame of that second."""
        assert self.sound is not None
        if number % self.rate:
            return
        rate = self.sound.rate
        first = number // self.rate * rate
        left = min(rate, round((self.count - number) / self.rate * rate))
        frame = AudioFrame.from_ndarray(tone_of(self.sound)(first, left), format="fltp", layout=audio.layout.name)
        frame.sample_rate = rate
        frame.time_base = Fraction(1, rate)
        frame.pts = first + round((self.sound_delay + self._jumped(number)) * rate)
        container.mux(audio.encode(frame))


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of the pattern with sound, in mp4."""
    clip = Clip(count=60, sound=SoundFormat(48000, 2))
    return clip.write(tmp_path_factory.mktemp("plain") / "plain.mp4")


@pytest.fixture(scope="session")
def make_clip() -> type[Clip]:
    return Clip
