"""The shared threads: many callers at once, more threads than rows, and the GIL released meanwhile."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from mien_kernels import ops

CALLERS = 6
ROUNDS = 40


def warp(seed: int, threads: int) -> bytes:
    rng = np.random.default_rng(seed)
    source = rng.integers(0, 256, (90, 400, 3)).astype(np.uint8)
    flow = rng.uniform(0, 90, (120, 400, 2)).astype(np.float32)
    return ops.flow_warp(source, flow, threads=threads).tobytes()


@pytest.mark.parametrize("threads", [2, 5, 200])
def test_callers_do_not_disturb_each_other(threads: int) -> None:
    expected = [warp(seed, 1) for seed in range(CALLERS)]
    start = threading.Barrier(CALLERS)

    def call(seed: int) -> bool:
        start.wait()
        return all(warp(seed, threads) == expected[seed] for _ in range(ROUNDS))

    with ThreadPoolExecutor(CALLERS) as callers:
        assert all(callers.map(call, range(CALLERS)))


def test_more_threads_than_rows() -> None:
    base = np.full((1, 50_000, 3), 10, np.uint8)
    assert (ops.blend(base, base + np.uint8(10), np.full((1, 50_000), 0.5, np.float32), threads=64) == 15).all()
