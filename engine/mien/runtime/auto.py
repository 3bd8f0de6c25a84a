"""Automatic choice of backend and precision: a short measurement, once per machine and model."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from statistics import median
from typing import Final

import numpy as np

from mien.clock import Clock
from mien.errors import BackendError
from mien.machine.processor import is_calm, this_processor, usable_threads, waited
from mien.manifest import Bundle, TensorSpec
from mien.runtime.cache import Cache, key_of
from mien.runtime.openvino import COMPUTED
from mien.runtime.session import Buffers, GraphSession

logger = logging.getLogger(__name__)
CPU_BACKENDS: Final = ("onnxruntime", "openvino")
EXACT_FIRST: Final = ("fp32", "bf16", "fp16", "int8", "int8+bf16")
"""Preference among candidates of about equal speed: the earlier precision."""
ABOUT_AS_FAST: Final = 1.02
WARM_UP: Final = 2
ROUNDS: Final = 12
MOST_SECONDS: Final = 2.0
"""Time limit in seconds for all rounds; the least number of rounds has priority."""
LEAST_ROUNDS: Final = 3
BUSY: Final = 0.1
"""Fraction of the measuring time spent waiting for a processor above which the machine counts as busy."""
ABOUT_EQUAL: Final = 0.1
"""Tolerated mean difference between two runtimes, relative to the standard deviation; int8 and bf16 stay below 0.03."""
_FORMAT: Final = 3
_PACKAGES: Final = ("mien", "onnxruntime", "onnxruntime-gpu", "openvino")
Candidate = tuple[str, str]
"""Backend and precision."""
Open = Callable[[str, str], GraphSession]


@dataclass(frozen=True, slots=True)
class Choice:
    """A choice of backend and precision."""

    backend: str
    precision: str
    reason: str
    milliseconds: float | None = None
    """Median run time, if measured."""
    notes: tuple[str, ...] = ()
    """Backends that could not be measured, each with cause and remedy."""
    provisional: bool = False
    """Whether it was measured on a busy machine, and must be measured again."""

    def __str__(self) -> str:
        time = "" if self.milliseconds is None else f", {self.milliseconds:.1f} ms"
        busy = "; measured while the machine was busy" if self.provisional else ""
        return f"{self.backend} {self.precision}{time}: {self.reason}{busy}"

    def as_json(self) -> bytes:
        """The choice in the cache's form."""
        return json.dumps(asdict(self)).encode()


def read_choice(content: bytes | None) -> Choice | None:
    """The choice from the cache; None if the content is not valid."""
    try:
        kept = Choice(**json.loads(content or b""))
        milliseconds = None if kept.milliseconds is None else float(kept.milliseconds)
        notes = tuple(str(note) for note in kept.notes)
        words = str(kept.backend), str(kept.precision), str(kept.reason)
        return Choice(*words, milliseconds, notes, bool(kept.provisional))
    except (ValueError, TypeError):
        return None


def candidates(bundle: Bundle, graph_name: str, backends: Sequence[str], precision: str | None) -> list[Candidate]:
    """Backends and precisions that may run the graph on the processor, exact ones first.

    Args:
        backends: of `CPU_BACKENDS`.
        precision: the only one that is wanted; None: those that the bundle says keep its quality. Where the processor
            has bf16, that counts as keeping what fp32 keeps.
    """
    there = bundle.precisions(graph_name)
    found = [("onnxruntime", kind) for kind in there] + [
        ("openvino", kind) for kind, (graph, _) in COMPUTED.items() if graph in there
    ]
    allowed = bundle.precisions_for_auto if precision is None else (precision,)
    if precision is None and "bf16" in this_processor().features:
        allowed += tuple(kind for kind in ("bf16", "int8+bf16") if COMPUTED[kind][0] in allowed)
    wanted = [(backend, kind) for backend, kind in found if backend in backends and kind in allowed]
    return sorted(wanted, key=lambda candidate: EXACT_FIRST.index(candidate[1]))


def fastest(
    bundle: Bundle,
    graph_name: str,
    among: Sequence[Candidate],
    threads: int,
    open_one: Open,
    cache: Cache,
    clock: Clock,
    need_wanted: Callable[[], None],
) -> Choice:
    """The fastest of these candidates, from the cache if they were measured on this machine before.

    A measurement on a busy machine is cached only until the machine is calm.

    Raises:
        BackendError: none of them runs here.
        Stopped: as `need_wanted`, which is called before each run.
    """
    place = f"choices/{key_of(_facts(bundle, graph_name, among, threads))}.json"
    kept = read_choice(cache.read(place))
    if kept is not None and (kept.backend, kept.precision) in among and not (kept.provisional and is_calm()):
        return kept
    need_wanted()
    choice = _measured(bundle.graph(graph_name).inputs, among, threads, open_one, clock, need_wanted)
    cache.write(place, choice.as_json())
    return choice


def _facts(bundle: Bundle, graph_name: str, among: Sequence[Candidate], threads: int) -> dict[str, object]:
    processor = this_processor()
    return {
        "format": _FORMAT,
        "processor": [processor.name, sorted(processor.flags), usable_threads()],
        "packages": {name: _installed(name) for name in _PACKAGES},
        "model": [bundle.digest, graph_name],
        "among": sorted(among),
        "threads": threads,
    }


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _measured(
    inputs: Sequence[TensorSpec],
    among: Sequence[Candidate],
    threads: int,
    open_one: Open,
    clock: Clock,
    need_wanted: Callable[[], None],
) -> Choice:
    logger.info("measuring %s, once", ", ".join(f"{backend} {precision}" for backend, precision in among))
    sessions: dict[Candidate, GraphSession] = {}
    notes: list[str] = []
    for candidate in among:
        try:
            sessions[candidate] = open_one(*candidate)
        except BackendError as error:
            notes.append(str(error))
    notes = list(dict.fromkeys(notes))
    if not sessions:
        raise BackendError(
            "expected a runtime for the model, got none: " + "; ".join(notes or ["nothing to choose from"])
        )
    for session in sessions.values():
        _fill(session, inputs)
    before, begun = waited(), clock.now()
    times = dict(zip(sessions, milliseconds(list(sessions.values()), clock, need_wanted), strict=True))
    busy = waited() - before > BUSY * (clock.now() - begun)
    wrong = _wrong(sessions)
    for session in sessions.values():
        session.close()
    told = ", ".join(f"{name} {kind} {time:.1f}" for (name, kind), time in times.items())
    times = {candidate: time for candidate, time in times.items() if candidate not in wrong}
    least = min(times.values())
    backend, precision = next(candidate for candidate, time in times.items() if time <= least * ABOUT_AS_FAST)
    reason = f"fastest here with {threads} thread{'s' if threads > 1 else ''} ({told} ms)"
    return Choice(backend, precision, reason, times[backend, precision], (*notes, *wrong.values()), busy)


def _wrong(sessions: Mapping[Candidate, GraphSession]) -> dict[Candidate, str]:
    """Candidates whose outputs differ from ONNX Runtime's, the reference, on the same graph and inputs.

    OpenVINO 2026.4 does so with signed int8 activations on processors that have VNNI and no AMX.
    """
    wrong = {}
    for (backend, precision), session in sessions.items():
        reference = sessions.get(("onnxruntime", COMPUTED[precision][0]))
        if reference is not None and not _about_equal(session.outputs, reference.outputs):
            wrong[backend, precision] = f"{backend} {precision}: not used, since it computes this model wrong here"
    return wrong


def _about_equal(ours: Buffers, reference: Buffers) -> bool:
    differences = {name: float(np.abs(ours[name] - expected).mean()) for name, expected in reference.items()}
    return all(
        difference <= ABOUT_EQUAL * max(float(reference[name].std()), ABOUT_EQUAL)
        for name, difference in differences.items()
    )


def _fill(session: GraphSession, inputs: Sequence[TensorSpec]) -> None:
    """Fill inputs with random values within range; zeros and denormals would have unrealistic run times."""
    rng = np.random.default_rng(0)
    for tensor in inputs:
        session.inputs[tensor.name][...] = rng.uniform(
            *(tensor.range or (-1.0, 1.0)), session.inputs[tensor.name].shape
        )


def milliseconds(
    sessions: Sequence[GraphSession], clock: Clock, need_wanted: Callable[[], None] = lambda: None
) -> list[float]:
    """Median time of a run of each, measured in turns, so that other load affects all alike."""
    for session in sessions:
        for _ in range(WARM_UP):
            need_wanted()
            session.run()
    rounds = list(_rounds(sessions, clock, need_wanted))
    return [median(times) * 1e3 for times in zip(*rounds, strict=True)]


def _rounds(sessions: Sequence[GraphSession], clock: Clock, need_wanted: Callable[[], None]) -> Iterator[list[float]]:
    begun = clock.now()
    for number in range(ROUNDS):
        if number >= LEAST_ROUNDS and clock.now() - begun > MOST_SECONDS:
            return
        times = []
        for session in sessions:
            need_wanted()
            before = clock.now()
            session.run()
            times.append(clock.now() - before)
        yield times
