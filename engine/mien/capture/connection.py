"""One opening of a feed: packets -> pictures and sound with the container's own times."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import cast

import av
from av.audio.stream import AudioStream
from av.container.input import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from mien.capture.audio import Run, SoundReader
from mien.capture.container import Opened, streams_of
from mien.capture.deinterlace import Deinterlacer
from mien.capture.feed import Feed
from mien.capture.interrupt import Interrupt
from mien.capture.pixels import describe
from mien.sound import SoundFormat

_POLL = 0.002
"""Seconds between two looks at a device that has no picture yet."""


class BrokeOff(Exception):
    """The feed ended; its text is libav's reason, empty where it ended in order."""


class Connection:
    """Reads what an open feed has; used by one thread at a time."""

    def __init__(self, feed: Feed, interrupt: Interrupt, threads: int, sound: SoundFormat | None = None) -> None:
        """Open it.

        Args:
            sound: the format that its sound is brought to; None: its own.

        Raises:
            SourceError: it cannot be opened, or has no pictures.
        """
        self._interrupt = interrupt
        self._feed = feed
        self.opened: Opened = self._open(threads)
        self.broken = 0
        self._sound = SoundReader(self.opened.audio, sound) if self.opened.audio is not None else None
        self._fields = Deinterlacer()
        self._packets = self._demux()

    @property
    def sound_format(self) -> SoundFormat | None:
        return self._sound.format if self._sound is not None else None

    def read(self) -> Iterator[VideoFrame | Run]:
        """What the next packet completes, perhaps nothing.

        Raises:
            BrokeOff: nothing more comes.
        """
        packet = self._next_packet()
        flush = not packet.size
        if packet.stream_index == self.opened.video.index:
            yield from self._fields.read(self._pictures(None if flush else cast("Packet[VideoStream]", packet)))
            if flush:
                yield from self._fields.rest()
        elif self._sound is not None:
            yield from self._sound.read(None if flush else cast("Packet[AudioStream]", packet))

    def stamp(self, picture: VideoFrame) -> Fraction | None:
        """The container's time of a picture in seconds."""
        ticks = self.opened.stamp(picture)
        return None if ticks is None else ticks * self.opened.time_base

    def close(self) -> None:
        self.opened.container.close()
        self._feed.close()

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
        return self.opened.container.demux(*streams)

    def _next_packet(self) -> Packet[Stream]:
        while not self._interrupt.is_set():
            try:
                with self._interrupt.obeyed():
                    return next(self._packets)
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
