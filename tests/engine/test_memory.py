from __future__ import annotations

import gc
import weakref

from mien.memory import give_back, memory, settled


class Ring:
    def __init__(self) -> None:
        self.itself = self


def test_a_process_holds_memory() -> None:
    before = memory()
    held = bytearray(50_000_000)
    assert 40_000_000 < memory() - before < 80_000_000
    assert held


def test_what_is_there_is_left_out_of_looks_for_rings_meanwhile() -> None:
    ring = weakref.ref(Ring())
    with settled():
        assert gc.get_freeze_count() > 1000
        late = weakref.ref(Ring())
        gc.collect()
        assert late() is None
    assert gc.get_freeze_count() == 0
    assert ring() is None


def test_rings_are_let_go() -> None:
    gc.disable()
    try:
        ring = weakref.ref(Ring())
        assert ring() is not None
        give_back()
        assert ring() is None
    finally:
        gc.enable()
