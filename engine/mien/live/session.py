"""A live session: opens all parts from a request, accepts changes while it runs, and closes them."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from pathlib import Path

from mien import capture, emit
from mien.api import sink_settings
from mien.cancellation import Cancellation, imports_ended_by
from mien.capture.opening import is_live
from mien.capture.paced import Paced
from mien.capture.source import Source
from mien.chain import Adjustments, need_background
from mien.clock import Clock, MonotonicClock
from mien.config import ALPHA, Gains, ReenactSettings
from mien.credentials.opening import open_identity
from mien.emit.mark import Marked
from mien.emit.opening import is_written, need_place
from mien.emit.sink import Sink, SinkSettings
from mien.emit.slate import PANIC, STALLED, slate
from mien.emit.timecode import TimecodeSink
from mien.emit.virtual import is_virtual
from mien.errors import BackendError, MienError
from mien.face.face import Face
from mien.face.motion import Motion
from mien.handover import Closed, Slot
from mien.live.hearing import Hearing, SoundFrom, hearing_of
from mien.live.making import ChainMaker, Shown
from mien.live.shared import Shared
from mien.live.signing import make_ready, signed, signed_if_possible
from mien.machine.processor import Shares, share_out, usable_threads
from mien.morphing.pictures import need_one_picture
from mien.pipeline.controller import LatencyTarget
from mien.pipeline.controls import Controls
from mien.pipeline.emitter import Slates
from mien.pipeline.live import LivePipeline
from mien.pipeline.stages import Stages
from mien.pipeline.worker import first_of, in_thread, run_worker
from mien.places import need_apart
from mien.portrait.prepare import prepare, prepare_to_fit
from mien.provenance import Provenance, all_pictures, own_version, record
from mien.runtime.sharing import SharedGraphs
from mien.sound.server import Microphone, VirtualMicrophone
from mien.sound.sound import SoundFormat
from mien.stages import Driver, open_driver
from mien.stats import LiveStatistics
from mien.style.opening import need_style

LARGEST = 720
"""Longer side in pixels of a picture that is made live without a wish for its size."""
_FINEST = 1001
"""Denominator of a rate, which libav keeps in 32 bits; that of NTSC is this one."""
BACKGROUND_NICE = 5
"""Niceness of the thread that prepares a portrait during a run, beyond that of the run's other threads.

The system gives it a third of the time of one of them; at 10 it would be a tenth. On two processors with a load of 8
to 9 a swap took 9 s (14 s at most), at 10 14 s (29 s); frames were as late with either (five swaps of each in turns).
"""


@dataclass(frozen=True, slots=True)
class LiveRequest:
    """Everything needed to open a live session."""

    pictures: tuple[str, ...]
    """Of one person, see `mien.prepare`."""
    source: str | Source
    """A name, see `mien.capture.open` (recordings are played in real time), or an open source."""
    output: str | Sink
    """A name, see `mien.emit.open`, or an open sink, which may keep references to its frames."""
    settings: ReenactSettings = field(default_factory=ReenactSettings)
    latency: float = 0.1
    """Target latency from capture to emit, in seconds."""
    rate: float = math.inf
    """Frames per second, where the source has more; infinite: as many as the source has."""
    sound: SoundFrom = "source"
    """Of the source, of the microphone, or "auto": see `mien.live.hearing`."""
    loop: bool = False
    """Whether a recording is played in a loop."""
    virtual_microphone: bool = False
    """Whether the delayed sound also goes to a virtual microphone."""


class LiveSession:
    """A live run. All but `run` may be called from any thread and takes effect with the next frame."""

    def __init__(
        self,
        request: LiveRequest,
        pipeline: LivePipeline[Face, Motion],
        driver: Driver,
        made: SinkSettings,
        about: str,
        begun: threading.Event,
        maker: ChainMaker,
        adjustments: Adjustments,
    ) -> None:
        self.statistics = pipeline.statistics
        self.backend = about
        """Description of the model and its runtime."""
        self.shown = Shown.by(request.pictures, request.settings)
        """What the session shows at present."""
        self.wanted = self.shown
        """What was asked for last."""
        self._begun = begun
        self._maker, self._adjustments = maker, adjustments
        self._request = request
        self._pipeline = pipeline
        self._driver = driver
        self._made = made
        self._shares = shares_of(request.settings)
        self._wanted: Slot[Shown] = Slot()

    async def run(self) -> None:
        """Until the source ends or `stop`.

        Raises:
            As `LivePipeline.run`.
        """
        self._begun.set()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(run_worker("mien-prepare", self._prepare, self._wanted.close))
                group.create_task(self._run_pipeline())
        except BaseExceptionGroup as errors:
            raise first_of(errors) from None

    def stop(self) -> None:
        """End in order."""
        self._pipeline.stop()

    def rezero(self) -> None:
        """Take the driver's present face as neutral."""
        self._pipeline.controls.ask(self._driver.rezero)

    def set_gains(self, gains: Gains) -> None:
        self._pipeline.controls.ask(lambda: self._driver.set_gains(gains))

    def adjust(self, relax: float, wrinkles: float) -> None:
        """Change `ReenactSettings.relax` and `ReenactSettings.wrinkles`."""
        self._adjustments.relax, self._adjustments.wrinkles = relax, wrinkles

    def promise(self, latency: float) -> None:
        """Change the target latency, in seconds from capture to emit."""
        self._pipeline.governor.promise(latency)

    def swap(self, *pictures: str) -> None:
        """Prepare another portrait in the background, then show it. If that fails, the old one stays and a notice says
        why."""
        self.show(replace(self.wanted, pictures=pictures))

    def show(self, shown: Shown) -> None:
        """As `swap`, with all else that is shown; of several requests before one is ready, only the newest is done."""
        self.wanted = shown
        with contextlib.suppress(Closed):  # the run has ended
            self._wanted.put(shown)

    @property
    def paused(self) -> bool:
        """Whether the last picture stays."""
        return self._pipeline.controls.paused

    @paused.setter
    def paused(self, paused: bool) -> None:
        self._pipeline.controls.paused = paused

    @property
    def panic(self) -> bool:
        """Whether the slate is shown."""
        return self._pipeline.controls.panic

    @panic.setter
    def panic(self, panic: bool) -> None:
        self._pipeline.controls.panic = panic

    @property
    def metadata(self) -> dict[str, str]:
        """What its outputs say of themselves, flat; see `Provenance.as_metadata`."""
        return self._made.metadata

    @property
    def recording(self) -> bool:
        return self._pipeline.controls.recording is not None

    def record(self, path: Path | None) -> None:
        """Record into a video beside the sink; None ends it.

        Raises:
            SinkError: it is a file that is read.
        """
        if path is not None:
            shown = self.shown.of(self._request.settings)
            sink = self._request.output if isinstance(self._request.output, str) else None
            need_apart([path], [*_read(self._request), *self.shown.pictures], sink=sink, settings=shown)
        self._pipeline.controls.recording = None if path is None else lambda: self._open_recording(path)

    def on_key(self, pressed: Callable[[str], None]) -> None:
        """Call `pressed`, on any thread, with each key pressed in a window."""
        self._pipeline.controls.pressed = pressed

    def notices(self) -> list[str]:
        """Messages for the user since the last call, one line each."""
        told, notices = [], self._pipeline.controls.notices
        while notices:
            told.append(notices.popleft())
        return told

    def _open_recording(self, path: Path) -> Sink:
        request, told = self._request, self._pipeline.controls.notices.append
        made = signed_if_possible(self._made, self.shown, request.settings, request.source, str(path), told)
        return emit.open(path, made, mark=request.settings.mark, threads=self._shares.encode)

    async def _run_pipeline(self) -> None:
        try:
            await self._pipeline.run()
        finally:
            self._wanted.close()

    def _prepare(self) -> None:
        """Prepare requested portraits until the session ends; only the newest request counts."""
        _give_way()
        size = self._made.width, self._made.height
        while True:
            shown = self._wanted.take()
            try:
                chain, takes_over = self._maker.make(shown, size)
            except Exception as error:  # whatever is wrong with a picture, the one that is shown goes on
                self.wanted = self.shown if self.wanted == shown else self.wanted
                said = str(error) if isinstance(error, MienError) else f"{shown.pictures[0]}: {error!r}"
                self._pipeline.controls.notices.append(f"{said}; the portrait stays as it is")
                continue
            self.backend, self.shown = chain.about, shown
            before = self._pipeline.swap(chain).result()
            if not takes_over:
                before.close()


def shares_of(settings: ReenactSettings) -> Shares:
    return share_out(settings.threads or usable_threads())


@contextlib.asynccontextmanager
async def open_live(request: LiveRequest, shared: Shared | None = None) -> AsyncIterator[LiveSession]:
    """Open everything that a run needs, and close it afterwards, without blocking the event loop.

    Args:
        shared: what it has in common with other sessions; None: nothing.

    Raises:
        MienError: anything that the user can fix, in one line.
    """
    stack, cancellation = ExitStack(), Cancellation()
    try:
        yield await in_thread("mien-open", lambda: _opened(request, stack, shared, cancellation), cancellation.cancel)
    finally:
        try:
            await in_thread("mien-close", stack.close)
        except BackendError:  # no thread is left for that
            stack.close()


def _opened(request: LiveRequest, stack: ExitStack, shared: Shared | None, cancellation: Cancellation) -> LiveSession:
    settings = request.settings
    if isinstance(request.output, str):
        need_apart([], _read(request), sink=request.output, settings=settings)
        need_place(request.output)
    need_background(request.settings.background)
    need_style(request.settings.style, request.settings.style_picture)
    if settings.credentials.key is not None:
        open_identity(settings.credentials)
    if request.settings.morph is not None:
        need_one_picture(len(request.pictures))
    # a portrait that is swapped in takes the weights that are there: nothing is loaded or compiled beside the run
    graphs = shared.graphs if shared is not None else stack.enter_context(contextlib.closing(SharedGraphs()))

    def need_wanted() -> None:
        cancellation.need_wanted()
        graphs.need_wanted()

    own = contextlib.nullcontext() if shared is not None else cancellation.calling(graphs.stop)
    with own, imports_ended_by(need_wanted):
        return _joined(request, stack, shared, graphs, cancellation, need_wanted)


def _joined(
    request: LiveRequest,
    stack: ExitStack,
    shared: Shared | None,
    graphs: SharedGraphs,
    cancellation: Cancellation,
    need_wanted: Callable[[], None],
) -> LiveSession:
    settings, clock, begun = request.settings, MonotonicClock(), threading.Event()
    shares = shares_of(settings)
    prepared = partial(prepare, need_wanted=need_wanted) if shared is None else shared.prepare
    portraits = prepared(*request.pictures, size=settings.size, largest=LARGEST)
    need_wanted()
    driver = stack.enter_context(open_driver(settings))
    need_wanted()
    driver.parse.warm(portraits[0].pixels)
    need_wanted()
    adjustments = Adjustments(settings.relax, settings.wrinkles)
    fitted = prepare_to_fit if shared is None else shared.prepare_to_fit
    maker = ChainMaker(settings, shares.synthesis, graphs, adjustments, fitted)
    chain = maker.begin(Shown.by(request.pictures, settings), portraits)
    stack.callback(_unless, begun, chain.close)  # a run that has begun closes it itself
    need_wanted()
    source = stack.enter_context(_source(request, clock, shares, cancellation))
    hearing = _hearing(request, source)
    microphone = stack.enter_context(Microphone()) if hearing.sound == "microphone" else None
    format = _format(hearing.sound, source, microphone)
    controls = Controls()
    player = None
    if hearing.virtual_microphone and format is not None:
        player = stack.enter_context(VirtualMicrophone(format, controls.notices.append))
    made = sink_settings(portraits[0].size, source.info, _provenance(request))
    rate = made.rate if math.isinf(request.rate) else min(made.rate, Fraction(request.rate).limit_denominator(_FINEST))
    made = replace(made, rate=rate, sound=format, alpha=settings.background == ALPHA)
    controls.notices.extend([*chain.notes, *([hearing.told] if hearing.told is not None else [])])
    need_wanted()
    sink = _sink(request, made, shares, controls, clock, cancellation)
    if settings.measured:
        sink = TimecodeSink(sink)
    stack.callback(_unless, begun, sink.discard)
    stages: Stages[Face, Motion] = Stages(driver.parse, driver.motion, chain, driver.parse.shots)
    pipeline = LivePipeline(
        source,
        stages,
        sink,
        Slates(slate(*portraits[0].size, *PANIC), slate(*portraits[0].size, *STALLED)),
        statistics=LiveStatistics(clock),
        clock=clock,
        target=LatencyTarget(request.latency, rate=request.rate),
        player=player,
        microphone=microphone,
        deaf=hearing.sound != "source",
        controls=controls,
    )
    return LiveSession(request, pipeline, driver, made, chain.about, begun, maker, adjustments)


def _read(request: LiveRequest) -> list[str]:
    """What it names that is read."""
    return [*request.pictures, *([request.source] if isinstance(request.source, str) else [])]


def _source(request: LiveRequest, clock: Clock, shares: Shares, cancellation: Cancellation) -> Source:
    if not isinstance(request.source, str):
        return request.source
    return open_source(request.source, clock, shares.decode, loop=request.loop, cancellation=cancellation)


def _sink(
    request: LiveRequest,
    made: SinkSettings,
    shares: Shares,
    controls: Controls,
    clock: Clock,
    cancellation: Cancellation,
) -> Sink:
    mark = request.settings.mark
    if isinstance(request.output, str):
        shown, told = Shown.by(request.pictures, request.settings), controls.notices.append
        written = is_written(request.output)
        make_ready(made, shown, request.settings, request.source)
        return emit.open(
            request.output,
            signed(made, shown, request.settings, request.source, request.output, told) if written else made,
            mark=mark,
            threads=shares.encode,
            told=told,
            pressed=lambda key: controls.pressed(key),
            clock=clock,
            cancellation=cancellation,
        )
    if not mark and made.payload is None:
        return request.output
    return Marked(request.output, visible=mark, payload=made.payload, keeps=True)


def open_source(
    name: str, clock: Clock, threads: int, *, loop: bool = False, cancellation: Cancellation | None = None
) -> Source:
    """A live source as it is; a recording in real time, looped if `loop` is set. `cancellation` ends the opening.

    Raises:
        SourceError: as `mien.capture.open`.
    """

    def opened() -> Source:
        return capture.open(name, threads=threads, clock=clock, in_time=True, cancellation=cancellation)

    return opened() if is_live(name) else Paced(opened(), clock, again=opened if loop else None)


def _hearing(request: LiveRequest, source: Source) -> Hearing:
    call = isinstance(request.output, str) and is_virtual(request.output)
    live = isinstance(request.source, str) and is_live(request.source)
    sounding = source.info.sound is not None
    return hearing_of(request.sound, request.virtual_microphone, call=call, sounding=sounding, live=live)


def _format(sound: SoundFrom, source: Source, microphone: Microphone | None) -> SoundFormat | None:
    if microphone is not None:
        return microphone.format
    return source.info.sound if sound == "source" else None


def _unless(begun: threading.Event, call: Callable[[], None]) -> None:
    if not begun.is_set():
        call()


def _provenance(request: LiveRequest) -> Provenance:
    return record(all_pictures(request.pictures, request.settings), request.settings, own_version())


def _give_way() -> None:
    """Lower the priority of the calling thread and of those that it starts."""
    if sys.platform == "linux":  # elsewhere a thread has no niceness of its own
        thread = threading.get_native_id()
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + BACKGROUND_NICE)
