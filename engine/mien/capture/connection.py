"""One connection of a feed: decodes packets to pictures and sound with the container's times."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import cast

import av
from av.audio.stream import AudioStream
from av.container.input import InputContainer
from av.packet import Packet
from av.stream import Discard, Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from mien.capture.ahead import BrokeOff, ReadAhead
from mien.capture.audio import Run, SoundReader
from mien.capture.container import Opened, PassedOver, packets_of, streams_of
from mien.capture.feeds import Feed
from mien.capture.interrupt import Interrupt
from mien.capture.pixels import Deinterlacer, describe
from mien.clock import Clock
from mien.sound.sound import SoundFormat
from mien.timeline import Arrival, Manner, Timeline

_POLL = 0.002
"""Polling interval in seconds for a device without a picture."""
_JUMP = 5
"""Seconds by which a time stamp may exceed the elapsed time before it counts as a clock jump."""
_AHEAD = 8
"""Seconds of read-ahead for senders that can be made to wait: longer than most HLS segments."""
_RATES = (Fraction(10), Fraction(120))
"""Frames per second of which that many seconds are counted, whatever a container says."""
_LISTS = frozenset({"hls", "dash"})
"""Formats whose size is that of a play list."""
_PICTURES = "_pipe"
"""Formats of single pictures: an address that gives one is a camera's, and asked again."""
UNWANTED, UNWANTED_PATIENT = 10.0, 40.0
"""Seconds without a packet of its streams after which a connection is given up, though others may come: a sender that
was started again may number its streams otherwise. Senders that can be made to wait may pause between segments."""
_NEARLY = 1
"""Seconds before the end that a finished recording says it has, at which it counts as played."""


class Connection:
    """Reads an open feed; used by one thread at a time."""

    def __init__(
        self, feed: Feed, interrupt: Interrupt, clock: Clock, threads: int, sound: SoundFormat | None = None
    ) -> None:
        """Open it.

        Args:
            sound: the format that its sound is brought to; None: its own.

        Raises:
            SourceError: it cannot be opened, or has no pictures.
        """
        self._interrupt = interrupt
        self._feed = feed
        self._clock = clock
        self.opened: Opened = self._open(threads)
        opened = self.opened
        self.broken = 0
        self.jumped = Fraction(0)
        """Clock jump in seconds with the last read; 0 if there was none."""
        self.manner = Manner(feed.patient, opened.nominal, sounding=opened.audio is not None)
        self._sound = SoundReader(opened.audio, sound, Fraction(_JUMP)) if opened.audio is not None else None
        self._line = Timeline(opened.time_base, round(1 / (opened.rate * opened.time_base)), Fraction(_JUMP))
        self._came: float | None = None
        """Arrival time of the latest picture."""
        self._fields = Deinterlacer()
        self._passed_over = PassedOver()
        self._packets = self._demux()
        self._ahead: ReadAhead | None = None
        if feed.patient:
            most = round(_AHEAD * min(max(opened.rate, _RATES[0]), _RATES[1]))
            self._ahead = ReadAhead(self._next_packet, clock, counted=opened.video.index, most=most)

    @property
    def sound_format(self) -> SoundFormat | None:
        return self._sound.format if self._sound is not None else None

    @property
    def complete(self) -> bool:
        """Whether it was a recording and was played to its end; valid after a regular end."""
        container = self.opened.container
        name = container.format.name
        if container.size > 0 and name not in _LISTS and not name.endswith(_PICTURES):  # a file on a server
            return True
        whole, reached = self.opened.whole_duration, self._line.last
        return whole is not None and reached is not None and reached - self.opened.origin > whole - _NEARLY

    @property
    def left_out(self) -> str | None:
        """What to warn of at its end of streams that are not read; valid after a regular end."""
        container = self.opened.container
        size = container.size if self._feed.received is None else self._feed.received
        return self._passed_over.told(container.format.name, size)

    def read(self) -> Iterator[tuple[VideoFrame, Fraction, Arrival] | Run]:
        """Decode the next packet: pictures, possibly none, with their times and arrival times in seconds.

        Times are the container's, but for jumps of its clock, which are left out of pictures and sound alike.

        Raises:
            BrokeOff: nothing more comes.
        """
        packet, arrival = self._ahead.take() if self._ahead is not None else (self._next_packet(), None)
        flush = not packet.size
        if packet.stream_index == self.opened.video.index:
            for picture in self._whole(None if flush else cast("Packet[VideoStream]", packet)):
                came = arrival or Arrival(self._clock.now())
                yield picture, self._stamp(picture, came.at), came
        elif self._sound is not None:
            came = arrival or Arrival(self._clock.now())
            until = self._passed(came.at)
            for run in self._sound.read(
                None if flush else cast("Packet[AudioStream]", packet), until, self._line.offset
            ):
                self.jumped = self._sound.jumped
                yield run

    def close(self) -> None:
        ahead, self._ahead = self._ahead, None  # which knows this one: a ring else
        if ahead is not None:
            ahead.close()
        self.opened.container.close()
        self._feed.close()

    def _stamp(self, picture: VideoFrame, came: float) -> Fraction:
        hint = self._sound.offset if self._sound is not None else Fraction(0)
        until = self._passed(came)
        if self._sound is not None and self._sound.last is not None:
            until = self._sound.last if until is None else max(until, self._sound.last)
        step = None if self.opened.nominal else picture.duration or None  # which libav invents, too
        ticks = self._line.place(self.opened.stamp(picture), step, until=until, hint=hint)
        self.jumped = self._line.jumped
        self._came = came
        return ticks * self.opened.time_base

    def _passed(self, came: float) -> Fraction | None:
        """The least stream time that must have passed, by the clock."""
        if self._line.last is None or self._came is None:
            return None
        return self._line.last + Fraction(max(came - self._came, 0.0))

    def _open(self, threads: int) -> Opened:
        container: InputContainer | None = None
        try:
            with self._interrupt.obeyed():
                container = self._feed.open()
            return streams_of(container, self._feed.name, threads, one_by_one=True)
        except BaseException:
            if container is not None:
                container.close()
            self._feed.close()
            raise

    def _demux(self) -> Iterator[Packet[Stream]]:
        streams: list[Stream] = [self.opened.video]
        if self.opened.audio is not None:
            streams.append(self.opened.audio)
        for stream in self.opened.container.streams:
            if stream.index not in [wanted.index for wanted in streams]:
                stream.discard = Discard.all  # else HLS loads every quality of its list
        return packets_of(self.opened.container, *streams)

    def _next_packet(self) -> Packet[Stream]:
        within = UNWANTED_PATIENT if self._feed.patient else UNWANTED
        while not self._interrupt.is_set():
            try:
                with self._interrupt.obeyed(within):
                    packet = next(self._packets)
                if packet.size:
                    self._passed_over.note(packet)
                return packet
            except StopIteration:
                raise BrokeOff("") from None
            except av.error.BlockingIOError:
                self._packets = self._demux()
                self._interrupt.wait(_POLL)
            except av.error.ExitError:
                raise BrokeOff("nothing came in time") from None
            except (av.FFmpegError, OSError) as error:
                raise BrokeOff(describe(error)) from error
        raise BrokeOff("")

    def _whole(self, packet: Packet[VideoStream] | None) -> Iterator[VideoFrame]:
        """Progressive pictures that a packet completes; None flushes the decoder."""
        yield from self._fields.read(self._pictures(packet))
        if packet is None:
            yield from self._fields.rest()

    def _pictures(self, packet: Packet[VideoStream] | None) -> list[VideoFrame]:
        try:
            pictures = self.opened.decoder.decode(packet)
        except av.error.EOFError:
            return []
        except av.FFmpegError:
            self.broken += 1
            return []
        whole = [picture for picture in pictures if not picture.is_corrupt]
        self.broken += len(pictures) - len(whole)
        return whole
