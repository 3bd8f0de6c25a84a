"""One task computed by several implementations, timed against each other.

Outputs are compared first, then repetitions run in turns.

Machines change their speed while they are measured. So every round runs each side once, in an order that rotates; a
copy of as many bytes as the task must move at least is one of the sides; the result is the median over rounds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from statistics import median
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

ENOUGH_MS: Final = 4.0
"""Shorter calls are repeated within a round until they take this long together."""
MOST_CALLS: Final = 500
SLOW_MS: Final = 100.0
"""Calls longer than this are timed in SLOW_ROUNDS only."""
SLOW_ROUNDS: Final = 1
GRID_OPSET: Final = 16


class Stopwatch(Protocol):
    """Milliseconds per call of something that is called a number of times."""

    def __call__(self, call: Callable[[], object], calls: int) -> float: ...


@dataclass(frozen=True, slots=True)
class Side:
    """One implementation of a task."""

    name: str
    call: Callable[[], object]
    """Runs it once, into memory that is allocated already."""
    output: Callable[[], NDArray[Any]] | None
    """Output of the last call, with the axes in one order for all sides; None where there is nothing to compare."""
    tolerance: float = 1e-4
    """Mean absolute difference to our output up to which it is the same result, in units of the output."""


@dataclass(frozen=True, slots=True)
class Task:
    """What is measured: an op on arrays of a shape and type."""

    op: str
    about: str
    """Shape, type and layout."""
    device: str
    bytes: int
    """Compulsory memory traffic: what must be read and written at least."""
    flops: int
    """What must be calculated: the header's additions, multiplications and comparisons of floats, each one."""
    ours: Side
    peers: tuple[Side, ...]
    copies: tuple[Side, ...]
    """Copies of as many bytes; the fastest is the measure."""
    expected: Callable[[], NDArray[Any]]
    """The expected output, by the reference."""

    @property
    def name(self) -> str:
        """Names the task in tables and files."""
        return f"{self.op} {self.about} {self.device}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A task, and milliseconds per call of each side in each round."""

    task: Task
    ours: tuple[float, ...]
    peers: Mapping[str, tuple[float, ...]]
    """In the order in which they are named; slow ones have fewer values."""
    copies: Mapping[str, tuple[float, ...]]
    differences: Mapping[str, float]
    """Mean absolute difference of the outputs; none of a peer that does something else."""

    @property
    def ms(self) -> float:
        """Ours, the median."""
        return median(self.ours)

    @property
    def share_of_copy(self) -> float:
        """Time of a copy of the compulsory bytes, as a fraction of our time."""
        return min(median(times) for times in self.copies.values()) / self.ms

    def ratio(self, peer: str) -> float:
        """How many times as long the peer takes: the median over rounds; of medians where it was too slow for all."""
        theirs = self.peers[peer]
        if len(theirs) == len(self.ours):
            return median(their / our for their, our in zip(theirs, self.ours, strict=True))
        return median(theirs) / self.ms


class DifferentOutput(AssertionError):
    """Two sides compute different results, so their times cannot be compared."""


def measure(task: Task, rounds: int, stopwatch: Stopwatch) -> Outcome:
    """Compare outputs, then time all sides in turns.

    Raises:
        DifferentOutput: a peer's result is not ours.
    """
    differences = compare(task)
    sides = (task.ours, *task.peers, *task.copies)
    ours, *others = (tuple(times) for times in _in_turns(sides, rounds, stopwatch))
    count = len(task.peers)
    peers = {side.name: times for side, times in zip(task.peers, others[:count], strict=True)}
    copies = {side.name: times for side, times in zip(task.copies, others[count:], strict=True)}
    return Outcome(task, ours, peers, copies, differences)


def compare(task: Task) -> dict[str, float]:
    """Mean absolute difference between our output and that of each peer that has one.

    Raises:
        DifferentOutput: it is more than the side's tolerance, or ours is not the reference's.
    """
    task.ours.call()
    assert task.ours.output is not None
    ours = task.ours.output().astype(np.float64)
    _expect_alike(task, "the reference", task.expected(), ours, task.ours.tolerance)
    differences = {}
    for side in task.peers:
        if side.output is not None:
            side.call()
            differences[side.name] = _expect_alike(task, side.name, side.output(), ours, side.tolerance)
    return differences


def _expect_alike(task: Task, name: str, theirs: NDArray[Any], ours: NDArray[np.float64], tolerance: float) -> float:
    difference = float(np.abs(theirs.astype(np.float64) - ours).mean()) if theirs.shape == ours.shape else np.inf
    if not difference <= tolerance:
        raise DifferentOutput(f"{task.name}: expected {name} to differ by {tolerance:g} at most, got {difference:g}")
    return difference


def _in_turns(sides: Sequence[Side], rounds: int, stopwatch: Stopwatch) -> list[list[float]]:
    calls = [_calls(side, stopwatch) for side in sides]
    times: list[list[float]] = [[] for _ in sides]
    for turn in range(rounds):
        for step in range(len(sides)):
            index = (turn + step) % len(sides)
            if calls[index] == 0 and turn >= SLOW_ROUNDS:
                continue
            times[index].append(stopwatch(sides[index].call, max(calls[index], 1)))
    return times


def _calls(side: Side, stopwatch: Stopwatch) -> int:
    """How often a side is called in a round, found while it warms up; 0 where it is slow."""
    if stopwatch(side.call, 1) > SLOW_MS:
        return 0
    once = stopwatch(side.call, 1)
    return int(np.clip(ENOUGH_MS / max(once, 1e-4), 1, MOST_CALLS))


@dataclass(frozen=True, slots=True)
class Peers:
    """What can be compared with here."""

    threads: int
    compiled: bool
    """Whether torch.compile takes part, which takes its time to compile."""
    missing: set[str] = field(default_factory=set)

    def has(self, *names: str) -> bool:
        """Whether all of these can be imported; those that cannot are noted."""
        absent = [name for name in names if find_spec(name) is None]
        self.missing.update(absent)
        return not absent

    def torch(self) -> Any:
        """torch, with our number of threads."""
        torch = import_module("torch")
        torch.set_num_threads(self.threads)
        return torch

    def cv2(self) -> Any:
        """OpenCV, with our number of threads."""
        cv2 = import_module("cv2")
        cv2.setNumThreads(self.threads)
        return cv2


def torch_sides(peers: Peers, names: tuple[str, str], run: Callable[..., Any], *args: Any) -> list[tuple[str, Any]]:
    """(name, call) of an expression in torch, eager and compiled; it writes into its last argument."""
    torch = peers.torch()

    def eager() -> None:
        with torch.no_grad():
            run(*args)

    found = [(names[0], eager)]
    if peers.compiled:
        fast = torch.compile(run)

        def compiled() -> None:
            with torch.no_grad():
                fast(*args)

        found.append((names[1], compiled))
    return found


def grid_of(flow: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """(1, h, w, 2): an absolute flow as other libraries' grid, -1 and 1 at the outermost pixels' centres."""
    ends = np.array([width - 1, height - 1], np.float32)
    return np.asarray(flow[None] * (2 / ends) - 1, dtype=np.float32)


def onnx_grid_sample(source: NDArray[np.float32], grid: NDArray[np.float32], threads: int) -> Side:
    """GridSample of ONNX Runtime on (1, C, H, W), bound to given memory."""
    onnx, runtime = import_module("onnx"), import_module("onnxruntime")
    helper = onnx.helper
    shapes = {"source": source.shape, "grid": grid.shape, "out": (*source.shape[:2], *grid.shape[1:3])}
    infos = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape) for name, shape in shapes.items()]
    node = helper.make_node("GridSample", ["source", "grid"], ["out"], align_corners=1, padding_mode="border")
    graph = helper.make_graph([node], "grid", infos[:2], infos[2:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", GRID_OPSET)], ir_version=8)
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    session = runtime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    binding, value = session.io_binding(), runtime.OrtValue.ortvalue_from_numpy
    out = value(np.zeros(shapes["out"], np.float32))
    binding.bind_ortvalue_input("source", value(source))
    binding.bind_ortvalue_input("grid", value(grid))
    binding.bind_ortvalue_output("out", out)
    return Side(
        "ONNX Runtime GridSample",
        lambda: session.run_with_iobinding(binding),
        lambda: out.numpy()[0].transpose(1, 2, 0),
    )
