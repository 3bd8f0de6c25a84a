"""One pass over a container: decodes packets to frames and sound on a time line that begins at 0."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from fractions import Fraction
from typing import cast

import av
from av.audio.stream import AudioStream
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from mien.capture.audio import Run, SoundReader, trimmed
from mien.capture.container import Opened, PassedOver, packets_of
from mien.capture.pixels import Deinterlacer, PixelReader, describe
from mien.capture.source import Span
from mien.frame import Frame
from mien.sound.sound import Sound, SoundFormat
from mien.timeline import Timeline

_ROUNDING = Fraction(1, 1000)
"""Rounding error of a container's time stamps in seconds."""
_OVERLAP = 1
"""Seconds of sound that may lie behind the pictures of the same time in the file."""
_SHORT_BY = Fraction(1, 2)
_SHORT_SHARE = Fraction(1, 100)
"""Tolerated missing end, in seconds and as a fraction of the duration, before a file counts as truncated."""
_MOST_BROKEN = 0.1
"""Share of damaged frames above which a file gets a warning; fewer are only counted."""
_NONE = Fraction(0)


class DecodingPass:
    """State of one decoding pass over a container."""

    def __init__(self, opened: Opened, name: str, span: Span, pixels: PixelReader) -> None:
        self.broken = 0
        self.decoded = 0
        """Frames that decoded, played or not."""
        self.warnings: list[str] = []
        self.origin: Fraction | None = None
        """The container's time that is 0 of what is played; known with the first frame."""
        self.until = opened.origin
        """The container's time where what decoded so far ends."""
        self.last = opened.origin
        """The container's time of the latest frame that decoded."""
        self.began_early = False
        """Whether decoding began at or before the start that was asked for."""
        self._opened = opened
        self._name = name
        self._span = span
        self._start = opened.origin + span.start
        self._pixels = pixels
        self._fields = Deinterlacer()
        self._time_base = opened.time_base
        self._timeline = Timeline(self._time_base, round(1 / (opened.rate * self._time_base)))
        self._sound = SoundReader(opened.audio) if opened.audio is not None else None
        self._sound_until = Fraction(0)
        self._heard_until: Fraction | None = None
        self._jumped = False
        self._ended = False
        self._passed_over = PassedOver()

    @property
    def sound_format(self) -> SoundFormat | None:
        return self._sound.format if self._sound is not None else None

    def items(self) -> Generator[Frame | Sound, None, None]:
        """Frames and sound in order of decoding."""
        held: list[Run] = []
        for packet in self._packets():
            if packet is None or packet.stream_index == self._opened.video.index:
                yield from self._played(cast("Packet[VideoStream] | None", packet))
            if packet is None or packet.stream_index != self._opened.video.index:
                held.extend(self._heard(cast("Packet[AudioStream] | None", packet)))
            if self.origin is not None:
                yield from self._trimmed(held, self.origin)
                held.clear()
            if self._ended and self._is_past(packet):
                return
        if not self._ended:
            self._check_end()

    def _packets(self) -> Iterator[Packet[Stream] | None]:
        """Packets of the container; None at the end flushes the decoders."""
        streams: list[Stream] = [self._opened.video]
        if self._opened.audio is not None:
            streams.append(self._opened.audio)
        try:
            for packet in packets_of(self._opened.container, *streams):
                if packet.size:  # an empty one would end decoding
                    self._passed_over.note(packet)
                    yield packet
        except av.FFmpegError as error:
            self._warn(f"broke off at {self._reached:.1f} s ({describe(error)}); what decoded until there is used")
        yield None

    def _played(self, packet: Packet[VideoStream] | None) -> Iterator[Frame]:
        for picture in self._deinterlaced(packet):
            frame = self._place(picture)
            if frame is not None:
                yield frame
            if self._ended:
                return

    def _deinterlaced(self, packet: Packet[VideoStream] | None) -> Iterator[VideoFrame]:
        yield from self._fields.read(self._decode(packet))
        if packet is None:
            yield from self._fields.rest()

    def _decode(self, packet: Packet[VideoStream] | None) -> list[VideoFrame]:
        try:
            pictures = self._opened.decoder.decode(packet)
        except av.error.EOFError:
            return []
        except av.FFmpegError:
            self.broken += 1
            return []
        whole = [picture for picture in pictures if not picture.is_corrupt]
        self.broken += len(pictures) - len(whole)
        return whole

    def _place(self, picture: VideoFrame) -> Frame | None:
        """The frame where it belongs, None outside of what is played."""
        step = self._timeline.believed(picture.duration)
        pts = self._timeline.place(
            self._opened.stamp(picture),
            step,
            until=self._heard_until,
            hint=self._sound.offset if self._sound else _NONE,
        )
        self._tell_jump(self._timeline.jumped)
        time = pts * self._time_base
        self._note(picture, time, step)
        if self._span.start and time < self._start - _ROUNDING:
            return None
        if self.origin is None:
            self.origin = time if self._span.start else min(time, self._start)
            if self._span.duration is not None and time - self.origin >= self._span.duration:
                self.origin = time  # sound alone would be played
        pts -= round(self.origin / self._time_base)
        if self._span.duration is not None and pts * self._time_base >= self._span.duration:
            self._ended = True
            return None
        pixels = self._pixels.read(picture, self._opened.sample_aspect)
        return Frame(pixels, pts, self._time_base, duration=step, layout=self._pixels.layout)

    def _tell_jump(self, seconds: Fraction) -> None:
        """Warn of a container's clock that jumped, once."""
        if seconds and not self._jumped:
            self._jumped = True
            at = f"at {self._reached:.1f} s of what is played"
            self._warn(f"has times that jump by {float(seconds):+.1f} s {at}; jumps are left out")

    def _note(self, picture: VideoFrame, time: Fraction, step: int | None) -> None:
        if self.decoded == 0:
            self.began_early = time <= self._start + _ROUNDING
        self.decoded += 1
        self.last = max(self.last, time)
        self.until = max(self.until, time + (step * self._time_base if step else 1 / self._opened.rate))

    def _heard(self, packet: Packet[AudioStream] | None) -> Iterator[Run]:
        if self._sound is None:
            return
        rate = self._sound.format.rate
        for first, samples in self._sound.read(packet, self._timeline.last, self._timeline.offset):
            self._tell_jump(self._sound.jumped)
            end = Fraction(first + samples.shape[1], rate)
            self._sound_until = max(self._sound_until, end)
            self._heard_until = self._sound_until
            if end > self._start:
                yield first, samples

    def _trimmed(self, runs: list[Run], origin: Fraction) -> Iterator[Sound]:
        if self._sound is None:
            return
        format = self._sound.format
        begin = round(origin * format.rate)
        end = None if self._span.duration is None else begin + round(self._span.duration * format.rate)
        for first, samples in runs:
            sound = trimmed(first, samples, begin, end, format)
            if sound is not None:
                yield sound

    def _is_past(self, packet: Packet[Stream] | None) -> bool:
        """Whether decoding can stop: past the end of the span, for pictures and sound."""
        if self._sound is None or packet is None or self._span.duration is None or self.origin is None:
            return True
        end = self.origin + self._span.duration
        if packet.dts is not None and packet.dts * packet.time_base > end + _OVERLAP:
            return True
        return self._sound_until >= end

    def _check_end(self) -> None:
        """Warn if the file ends earlier than its header says."""
        opened, reached = self._opened, self.until
        if opened.video.duration:
            expected = (opened.video.start_time or 0) * self._time_base + opened.video.duration * self._time_base
        elif opened.whole_duration is not None:
            expected, reached = opened.origin + opened.whole_duration, max(reached, self._sound_until)
        else:
            expected = reached
        if self.broken > self.decoded * _MOST_BROKEN:
            count = self.broken + self.decoded
            self._warn(f"has {count} frames, of which {self.broken} do not decode and are left out")
        others = self._passed_over.told(opened.container.format.name, opened.container.size)
        if others is not None:
            self._warn(others)
        if opened.lacks_its_end:
            self._warn(f"breaks off at {self._reached:.1f} s; what decoded until there is used")
        if not self.warnings and expected - reached > max(_SHORT_BY, expected * _SHORT_SHARE):
            whole = float(expected - opened.origin)
            self._warn(f"breaks off at {self._reached:.1f} s of {whole:.1f} s; what decoded until there is used")

    @property
    def _reached(self) -> float:
        return float(self.until - self._opened.origin)

    def _warn(self, what: str) -> None:
        self.warnings.append(f"{self._name} {what}")
