"""What a user wishes while frames are on their way: another portrait, a slate at once."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import Any

import numpy as np
from tests.engine.pipeline.fakes import SLATES, FedSource, NotingSink, Portrayal, frame, stages
from tests.engine.pipeline.runs import PATIENCE, LockStep, in_lock_step, pipeline_of, run

from mien.frame import Frame
from mien.pipeline.chain import Chain


def test_a_portrait_is_swapped_in_between_two_frames() -> None:
    first, second = Portrayal(), Portrayal(shade=100)
    swapped: list[Future[Chain[Any]]] = []
    items = (frame(number) for number in range(20))

    def on_write(shown: Frame) -> None:
        if shown.pts == 9:
            swapped.append(pipeline.swap(second.chain))
        lock_step(shown)

    source = FedSource()
    sink = NotingSink(on_write)
    pipeline = pipeline_of(source, sink, stages(first))
    lock_step = LockStep(source, items)
    run(pipeline)
    assert sink.shades == [*range(10), *range(110, 120)]
    swapped[0].result(PATIENCE).close()
    assert (first.closed, second.closed) == (1, 1)
    assert pipeline.statistics.as_json()["live"]["swaps"] == 1


def test_a_swap_that_comes_too_late_gives_its_chain_back() -> None:
    source, sink = in_lock_step(frame(0))
    pipeline = pipeline_of(source, sink)
    run(pipeline)
    late = Portrayal()
    pipeline.swap(late.chain).result(PATIENCE).close()
    assert late.closed == 1


def test_panic_takes_effect_with_the_very_next_frame() -> None:
    items = (frame(number) for number in range(20))

    def on_write(shown: Frame) -> None:
        if shown.pts == 4:
            pipeline.controls.panic = True
        if shown.pts == 8:
            pipeline.controls.panic = False
        lock_step(shown)

    source = FedSource()
    sink = NotingSink(on_write)
    pipeline = pipeline_of(source, sink)
    lock_step = LockStep(source, items)
    run(pipeline)
    assert sink.shades == [0, 1, 2, 3, 4, 77, 77, 77, 77, *range(9, 20)]
    assert pipeline.statistics.as_json()["live"]["slates"] == 4


def test_panic_also_hides_what_was_on_its_way() -> None:
    """The picture is made before the key is pressed, and written after."""
    made, pressed = threading.Event(), threading.Event()

    def make(motion: Any, shown: Frame, paint: str) -> Any:
        pixels = np.full_like(SLATES.panic, 200)
        made.set()
        assert pressed.wait(PATIENCE)
        return pixels

    source, sink = FedSource(frame(0)), NotingSink()
    source.end()
    pipeline = pipeline_of(source, sink, stages(Portrayal(make=make)))

    def press() -> None:
        assert made.wait(PATIENCE)
        pipeline.controls.panic = True
        pressed.set()

    presser = threading.Thread(target=press)
    presser.start()
    run(pipeline)
    presser.join()
    assert sink.shades == [77]
