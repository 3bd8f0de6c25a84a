"""The end of a live run: each picture leaves as soon as it is there; where none comes, something defined is shown.

A recording beside the sink is fed from here, and never holds it up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from mien.clock import Clock
from mien.emit.reconnecting import Rebased
from mien.emit.sink import Sink
from mien.errors import MienError
from mien.frame import Frame
from mien.handover import Channel, Closed
from mien.machine.threads import begun
from mien.pipeline.controller import Measured
from mien.pipeline.controls import Controls
from mien.pipeline.governor import Governor, slowest
from mien.pipeline.sound_way import SoundWay
from mien.pipeline.steps import Answered
from mien.sound.sound import Sound
from mien.stats import LiveStatistics
from mien.timeline import in_order

DEPTH = 50
"""Capacity of the recording's queue: about a second."""


class Recording:
    """Writes frames on a thread of its own, with times from 0; frames without room in the queue are dropped."""

    def __init__(self, opened: Callable[[], Sink], told: Callable[[str], None]) -> None:
        """Begin.

        Args:
            opened: opens the sink, on the thread that will write to it.
            told: called with one line on failure, on that thread.
        """
        self._opened = opened
        self._told = told
        self._waiting: Channel[Frame | Sound] = Channel(DEPTH)
        self._thread = begun("mien-record", self._run)

    def offer(self, item: Frame | Sound) -> bool:
        """Append an item; returns whether there was room, or the recording has ended."""
        try:
            return self._waiting.offer(item)
        except Closed:
            return True

    def end(self) -> None:
        """Finish in the background."""
        self._waiting.close()

    @property
    def finished(self) -> bool:
        """Whether its thread has ended."""
        return not self._thread.is_alive()

    def join(self) -> None:
        """Wait until it is finished."""
        self._thread.join()

    def _run(self) -> None:
        try:
            with Rebased(self._opened()) as sink:
                for item in self._waiting:
                    if isinstance(item, Sound):
                        sink.write_sound(item)
                    else:
                        sink.write(item)
        except Exception as error:  # whatever is wrong with the recording, what is shown goes on
            self._told(str(error) if isinstance(error, MienError) else f"the recording ended: {error!r}")
        finally:
            self._waiting.cancel()


CAPTURE_TO_EMIT = "capture_to_emit"
HOLD_AFTER = 0.5
"""Seconds without a frame after which the last picture is repeated at the source's rate."""
SLATE_AFTER = 2.0
"""Seconds without a frame after which the slate is shown."""


@dataclass(frozen=True, slots=True, eq=False)
class Slates:
    """(H, W, 3) uint8: what is shown in place of pictures."""

    panic: NDArray[np.uint8]
    """Shown on panic."""
    stalled: NDArray[np.uint8]
    """Shown when the source stalls."""


class Emitter:
    """Writes to the sink; used by one thread."""

    def __init__(
        self,
        sink: Sink,
        slates: Slates,
        governor: Governor,
        controls: Controls,
        sound: SoundWay,
        statistics: LiveStatistics,
        clock: Clock,
        rate: float,
    ) -> None:
        """`slates` are of the size of the frames that come; `rate` is nominal, in frames per second."""
        self._sink = sink
        self._slates = slates
        self._governor = governor
        self._controls = controls
        self._sound = sound
        self._statistics = statistics
        self._counters = statistics.live
        self._clock = clock
        self.interval = float(1 / rate)
        """Seconds between frames: how long to wait for the next one before `idle`."""
        self._number = -1
        self._last: Frame | None = None
        """The last picture made, whether it was shown or not."""
        self._last_at = clock.now()
        self._pts: int | None = None
        self._written_at = clock.now()
        self._recording: Recording | None = None
        self._opened: Callable[[], Sink] | None = None
        """What `_recording` was opened by."""
        self._ending: list[Recording] = []
        self._encode = statistics.stage("encode")
        self._whole = statistics.stage(CAPTURE_TO_EMIT)

    def emit(self, answered: Answered) -> None:
        """Show the answer to a frame."""
        self.interval = self._counters.interval = answered.captured.interval
        self._last, self._last_at = answered.frame, self._clock.now()
        self._counters.stalled = False
        self._write(answered.frame)
        self._measure(answered)

    def idle(self) -> None:
        """Without a new picture: after a while repeat the last one, then show the slate."""
        now = self._clock.now()
        since = now - self._last_at
        waited = now - self._written_at >= self.interval / 2
        if self._last is None or not waited or (since < HOLD_AFTER and not self._controls.panic):
            return
        passed = round(Fraction(since) / self._last.time_base)
        silent = now - max(self._last_at, self._counters.seen_at)  # else it is this machine that is slow
        self._counters.stalled = silent >= HOLD_AFTER
        self._write(replace(self._last, pts=self._last.pts + passed), stalled=silent >= SLATE_AFTER)
        self._counters.held += 1

    def end(self) -> None:
        """Write the remaining sound and finish the recording."""
        try:
            self._write_sound()
        finally:  # whatever became of the sink, what is recorded beside is whole
            self._controls.recording = None
            self._follow_recording()
            for recording in self._ending:
                recording.join()

    def _write(self, frame: Frame, stalled: bool = False) -> None:
        self._follow_recording()
        began = self._clock.now()
        slate = self._slates.panic if self._controls.panic else self._slates.stalled if stalled else None
        shown = self._in_order(frame if slate is None else self._with(slate, frame))
        self._sink.write(shown)
        self._written_at = self._clock.now()
        self._encode.record(self._written_at - began)
        self._write_sound()
        if self._recording is not None:
            self._counters.recording_dropped += not self._recording.offer(shown)
        self._statistics.frames_out += 1

    def _write_sound(self) -> None:
        for sound in self._sound.fetch():
            self._sink.write_sound(sound)
            if self._recording is not None:
                self._counters.recording_dropped += not self._recording.offer(sound)

    def _with(self, slate: NDArray[np.uint8], frame: Frame) -> Frame:
        """`frame` with the slate in place of its picture, opaque where pictures have an alpha."""
        self._counters.slates += 1
        if frame.layout == "rgb24":
            return replace(frame, pixels=slate)
        opaque = np.full((*slate.shape[:2], 1), 255, np.uint8)
        return replace(frame, pixels=np.concatenate([slate, opaque], axis=2))

    def _in_order(self, frame: Frame) -> Frame:
        """With a time later than the one before, which may be that of a picture shown again."""
        pts = self._pts = in_order(self._pts, frame.pts)
        return frame if pts == frame.pts else replace(frame, pts=pts)

    def _measure(self, answered: Answered) -> None:
        now, captured = self._clock.now(), answered.captured
        latency = max(now - captured.frame.captured_at, 0.0)
        lost = max(captured.number - self._number - 1, 0) if self._number >= 0 else 0
        self._number = captured.number
        self._whole.record(latency)
        if not answered.held:  # else it is soon there, and has no lips for sound to be in step with
            self._sound.show(latency)
        before = self._governor.level
        self._governor.watch(Measured(latency, captured.interval, answered.busy, lost, answered.level), now)
        if self._governor.level > before:
            self._counters.cause = slowest(self._statistics, captured.interval)
        elif self._governor.at_best:
            self._counters.cause = None

    def _follow_recording(self) -> None:
        """Start and stop the recording as requested; a failed one is not restarted."""
        if self._recording is not None and self._recording.finished and self._controls.recording is self._opened:
            self._controls.recording = None
        wanted = self._controls.recording
        if wanted is self._opened:
            return
        if self._recording is not None:
            self._recording.end()
            self._ending = [one for one in self._ending if not one.finished] + [self._recording]
        self._opened = wanted
        self._recording = None if wanted is None else Recording(wanted, self._controls.notices.append)
