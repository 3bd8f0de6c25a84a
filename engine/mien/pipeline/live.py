"""The live pipeline: four workers joined by latest-value mailboxes.

    capture -> [mailbox] -> parse, motion -> [mailbox] -> synthesis -> [mailbox] -> emit

Parsing of frame n + 1 overlaps the synthesis of frame n, and no frame waits behind another one. Sound takes a separate
path. The event loop computes nothing: it awaits the workers, which end together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Generic, Protocol, TypeVar

from mien.capture.source import Source
from mien.clock import Clock
from mien.emit.sink import Sink
from mien.errors import SourceError
from mien.handover import Closed, Slot
from mien.pipeline.chain import Chain, ChainPlace
from mien.pipeline.controller import LatencyTarget
from mien.pipeline.controls import Controls
from mien.pipeline.emitter import CAPTURE_TO_EMIT, Emitter, Slates
from mien.pipeline.governor import Governor
from mien.pipeline.sound_way import Player, SoundWay
from mien.pipeline.stages import FaceT, MotionT, Stages
from mien.pipeline.steps import Answered, Captured, Capturer, Synthesiser, TrackedFrame, TrackingStep
from mien.pipeline.worker import first_of, run_worker
from mien.sound.sound import Sound
from mien.stats import LiveStatistics

T = TypeVar("T")
U = TypeVar("U")


class SoundInput(Protocol):
    """A source of live sound."""

    def __iter__(self) -> Iterator[Sound]: ...

    def close(self) -> None:
        """End the iteration, from any thread."""
        ...


class LivePipeline(Generic[FaceT, MotionT]):
    """One run. Once begun, it owns source, sink and chain, and closes them."""

    def __init__(
        self,
        source: Source,
        stages: Stages[FaceT, MotionT],
        sink: Sink,
        slates: Slates,
        *,
        statistics: LiveStatistics,
        clock: Clock,
        target: LatencyTarget | None = None,
        player: Player | None = None,
        microphone: SoundInput | None = None,
        deaf: bool = False,
        controls: Controls | None = None,
    ) -> None:
        """Prepare.

        Args:
            slates: as large as the pictures that come; shown on `controls.panic` and while the source is gone for long.
            target: target latency and rate; a chain without that level begins at its own best level.
            player: takes the delayed sound.
            microphone: records sound in place of the source's.
            deaf: ignore the source's own sound.
            controls: existing controls to use.
        """
        statistics.shots = stages.shots
        self.statistics = statistics
        self.controls = controls or Controls()
        target = target or LatencyTarget()
        self.governor = Governor(target, statistics.live)
        self._counters = statistics.live
        self._source, self._sink, self._clock, self._microphone = source, sink, clock, microphone
        self._chains = ChainPlace(stages.chain)
        self._sound = SoundWay(statistics.live, player, deaf=deaf or microphone is not None)
        statistics.announce("capture", *stages.names, "encode", CAPTURE_TO_EMIT)
        self._capturer = Capturer(source.info, self._sound, statistics, clock, target.rate)
        self._tracking = TrackingStep(stages, self.controls, statistics, clock)
        self._synthesiser: Synthesiser[MotionT] = Synthesiser(
            self._chains, self.governor, self.controls, statistics, clock
        )
        rate = min(float(source.info.rate), target.rate)
        self._emitter = Emitter(sink, slates, self.governor, self.controls, self._sound, statistics, clock, rate)
        self._captured: Slot[Captured] = Slot()
        self._tracked: Slot[TrackedFrame[MotionT]] = Slot()
        self._answered: Slot[Answered] = Slot()
        self._begun = self._stopping = self._aborted = self._emitting = False
        self._broke_off: SourceError | None = None

    async def run(self) -> None:
        """Run until the source ends or `stop`; all threads are joined in any case.

        Raises:
            SourceError: the source broke off; the sink has finished.
            MienError, or whatever a stage raised: the first error of any worker; the sink has discarded.
            asyncio.CancelledError: cancelled; the sink has discarded.
        """
        workers = {
            "capture": self._capture,
            "motion": lambda: _pass_on(self._captured, self._tracking, self._tracked),
            "synthesis": lambda: _pass_on(self._tracked, self._synthesiser, self._answered),
            "emit": self._emit,
            **({} if self._microphone is None else {"microphone": self._listen}),
        }
        try:
            async with asyncio.TaskGroup() as group:
                for name, work in workers.items():
                    group.create_task(run_worker(f"mien-{name}", self._guarded(work), self._abort))
        except BaseExceptionGroup as errors:
            raise first_of(errors) from None
        finally:
            if not self._emitting:  # its thread could not be started
                self._sink.discard()
            self._count_drops()
            self._chains.end()
            self.statistics.end()
        if self._broke_off is not None:
            raise self._broke_off

    def stop(self) -> None:
        """End in order, from any thread: what was captured still leaves, the sink finishes."""
        self._stopping = True
        self._captured.close()
        if self._microphone is not None:
            self._microphone.close()
        # before its first frame a source is not there to be interrupted; the capturing thread then ends by itself
        if self._begun and self._source.info.live:
            self._source.close()

    def swap(self, chain: Chain[MotionT]) -> Future[Chain[MotionT]]:
        """Exchange the chain from the next frame on; the future gives the chain that is no longer used, to be
        closed."""
        return self._chains.exchange(chain)

    def _abort(self) -> None:
        self._aborted = True
        self.stop()
        self._tracked.close()
        self._answered.close()

    def _guarded(self, work: Callable[[], None]) -> Callable[[], None]:
        """Record a worker's error before it ends the others."""

        def guarded() -> None:
            try:
                work()
            except Closed:
                raise
            except BaseException:
                self._abort()
                raise

        return guarded

    def _capture(self) -> None:
        try:
            for item in self._source:
                self._begun = True
                if self._stopping:
                    break
                captured = self._capturer(item)
                if captured is not None:
                    self._watch_source()
                    self._captured.put(captured)
        except SourceError as error:
            self._broke_off = None if self._stopping else error
        finally:
            self._watch_source()
            self._source.close()
        self.stop()

    def _watch_source(self) -> None:
        self.statistics.frames_broken = self._source.broken_frames
        self.statistics.warnings = self._source.warnings
        self._counters.missed = int(getattr(self._source, "missed", 0))

    def _listen(self) -> None:
        assert self._microphone is not None
        for sound in self._microphone:
            self._sound.listen(sound, self._clock.now())
        if not self._stopping:
            self.controls.notices.append("microphone: expected it to go on, got an end; there is no more sound")

    def _emit(self) -> None:
        self._emitting = True
        with self._sink:
            try:
                while self._show():
                    self._count_drops()
            finally:
                self._emitter.end()
            if self._aborted:
                raise Closed  # so that the sink discards

    def _show(self) -> bool:
        """Whether more may come."""
        if self._sink.closed:
            self.stop()
        try:
            self._emitter.emit(self._answered.take(timeout=self._emitter.interval))
        except TimeoutError:
            self._emitter.idle()
        except Closed:
            return False
        return True

    def _count_drops(self) -> None:
        told = {
            "parse": self._captured.statistics(),
            "synthesis": self._tracked.statistics(),
            "emit": self._answered.statistics(),
        }
        self._counters.received = {name: slot.put for name, slot in told.items()}
        self._counters.dropped = {name: slot.dropped for name, slot in told.items()}
        self._counters.sink_dropped = self._sink.dropped
        self.statistics.frames_dropped = sum(self._counters.dropped.values())


def _pass_on(taken: Slot[T], work: Callable[[T], U], given: Slot[U]) -> None:
    try:
        while True:
            given.put(work(taken.take()))
    except Closed:
        given.close()
