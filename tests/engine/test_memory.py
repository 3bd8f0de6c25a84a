from __future__ import annotations

import gc
import weakref

from mien.memory import give_back, memory


class Ring:
    def __init__(self) -> None:
        self.itself = self


def test_a_process_holds_memory() -> None:
    before = memory()
    held = bytearray(50_000_000)
    assert 40_000_000 < memory() - before < 80_000_000
    assert held


def test_rings_are_let_go() -> None:
    gc.disable()
    try:
        ring = weakref.ref(Ring())
        assert ring() is not None
        give_back()
        assert ring() is None
    finally:
        gc.enable()
