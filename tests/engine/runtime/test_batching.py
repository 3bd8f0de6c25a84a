from __future__ import annotations

from collections.abc import Iterator
from threading import Barrier, Event, Thread
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.clock import ManualClock
from mien.handover import Closed
from mien.manifest import Bundle
from mien.runtime.opening import open_session
from mien.runtime.session import Buffers
from mien.runtime.sharing import SIZES, BatchedSession, Batcher, SharedGraphs, chosen

Arrays = dict[str, NDArray[Any]]


class Doubling:
    """Gives twice its input; `held` lets the first run wait, `fails` counts from which batch on it fails."""

    backend, precision, threads = "fake", "fp32", 1

    def __init__(self, count: int, held: Event | None = None, fails_from: int = 99) -> None:
        self.count = count
        self.inputs: Buffers = {"x": np.zeros((count, 1), np.float32)}
        self.outputs: Buffers = {"y": np.zeros((count, 1), np.float32)}
        self.running = Event()
        self.closed = False
        self._held = held
        self._fails_from = fails_from

    def run(self) -> None:
        self.running.set()
        if self._held is not None:
            self._held.wait(60)
        if self.count >= self._fails_from or self.inputs["x"][0, 0] < 0:
            raise RuntimeError("the device is lost")
        self.outputs["y"][...] = 2 * self.inputs["x"]

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def held() -> Iterator[Event]:
    event = Event()
    yield event
    event.set()


def ask(member: BatchedSession, value: float, said: list[object]) -> Thread:
    member.inputs["x"][...] = value

    def run() -> None:
        try:
            member.run()
        except Exception as error:
            said.append(error)
        else:
            said.append(float(member.outputs["y"][0, 0]))

    thread = Thread(target=run)
    thread.start()
    return thread


def wait_for(batcher: Batcher, waiting: int) -> None:
    with batcher._changed:
        assert batcher._changed.wait_for(lambda: len(batcher._waiting) >= waiting, 60)


def test_calls_that_come_while_the_device_is_busy_run_together(held: Event) -> None:
    made: list[Doubling] = []

    def load(count: int) -> Doubling:
        made.append(Doubling(count, held if count == 1 else None))
        return made[-1]

    batcher, said = Batcher(load, clock=ManualClock()), list[object]()
    first = ask(batcher.member(), 1.0, said)
    made[0].running.wait(60)
    others = [ask(batcher.member(), value, said) for value in (2.0, 3.0, 4.0, 5.0, 6.0)]
    wait_for(batcher, 5)
    held.set()
    for thread in (first, *others):
        thread.join(60)
    assert sorted(said, key=str) == sorted([2.0, 4.0, 6.0, 8.0, 10.0, 12.0], key=str)
    assert batcher.runs == {1: 2, 2: 0, 4: 1}
    batcher.close()
    assert all(session.closed for session in made)


def test_a_batch_that_fails_runs_one_by_one_and_only_who_is_at_fault_is_told(held: Event) -> None:
    made: list[Doubling] = []

    def load(count: int) -> Doubling:
        made.append(Doubling(count, held if count == 1 else None, fails_from=2))
        return made[-1]

    batcher, said = Batcher(load, clock=ManualClock()), list[object]()
    first = ask(batcher.member(), 1.0, said)
    made[0].running.wait(60)
    others = [ask(batcher.member(), value, said) for value in (2.0, -1.0)]
    wait_for(batcher, 2)
    held.set()
    for thread in (first, *others):
        thread.join(60)
    assert sorted(str(one) for one in said) == ["2.0", "4.0", "the device is lost"]
    batcher.close()


def test_after_the_end_calls_are_refused() -> None:
    batcher = Batcher(Doubling, clock=ManualClock())
    member = batcher.member()
    batcher.close()
    with pytest.raises(Closed):
        member.run()


@pytest.mark.parametrize(
    ("seconds", "waiting", "expected"),
    [
        ((None, None, None), 1, 1),
        ((None, None, None), 3, 2),
        ((None, None, None), 9, 4),
        ((0.01, 0.015, 0.02), 4, 4),
        ((0.01, 0.015, 0.05), 4, 2),
        ((0.01, 0.03, 0.05), 4, 1),
        ((0.01, 0.03, 0.02), 3, 1),
    ],
)
def test_a_batch_that_takes_longer_than_its_calls_is_not_run(
    seconds: tuple[float | None, ...], waiting: int, expected: int
) -> None:
    assert chosen(list(zip(SIZES, seconds, strict=True)), waiting) == expected


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_a_batch_gives_what_single_calls_give(whole_bundle: Bundle, inputs: Arrays, backend: str) -> None:
    """The processor's runtimes stand for an accelerator's, which never ran here."""
    pytest.importorskip(backend, reason=f"{backend} (extra `cpu`) is needed to run graphs")

    def load(bundle: Bundle, graph: str, named: str, *arguments: Any, batch: int = 1) -> Any:
        return open_session(bundle, graph, backend, *arguments, batch=batch)

    graphs, single = SharedGraphs(load), open_session(whole_bundle, "generator", backend, "fp32", 1)
    members = [graphs.session(whole_bundle, "generator", "tensorrt", "fp32", 1) for _ in range(5)]
    together = Barrier(len(members))

    def run(number: int) -> None:
        for name, array in inputs.items():
            members[number].inputs[name][...] = array * (1 + number / 10)
        for _ in range(10):
            together.wait(60)
            members[number].run()

    threads = [Thread(target=run, args=(number,)) for number in range(len(members))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    batcher = graphs._batchers[0]
    assert batcher.runs[2] + batcher.runs[4] > 0, "some ran together"
    for number, member in enumerate(members):
        for name, array in inputs.items():
            single.inputs[name][...] = array * (1 + number / 10)
        single.run()
        for name, array in single.outputs.items():
            np.testing.assert_allclose(member.outputs[name], array, rtol=0, atol=1e-5)
    graphs.close()
    single.close()
