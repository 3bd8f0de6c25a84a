"""How many processors there are, and how a live run shares them out."""

from __future__ import annotations

import os
from dataclasses import dataclass

ENOUGH = 4
"""Processors from which on each worker has some of its own."""


@dataclass(frozen=True, slots=True)
class Shares:
    """Threads for each part of a live run.

    MediaPipe sets its own: one at work in each of its two graphs, of which one tracks and the other one seeks.
    """

    decode: int
    """One: more would keep frames back."""
    synthesis: int
    """Of the runtime and the kernels, which work one after the other."""
    encode: int


def usable_threads() -> int:
    """Logical processors that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def spare_processors() -> None:
    """Have NumPy compute with the caller's thread alone; for a program, before anything imports NumPy.

    Its OpenBLAS shares small products and inverses among all processors, and its threads then spin for a tenth of a
    second each time: one of them a frame takes a processor from the model. What the user set stays.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def share_out(threads: int) -> Shares:
    """Shares of a budget of at least one thread.

    On few processors the synthesis may use all: a frame is parsed and encoded while the next one is not yet there. On
    more, one is left to parsing and some to the encoder, so that no worker waits for another one's threads.
    """
    if threads < ENOUGH:
        return Shares(decode=1, synthesis=threads, encode=1)
    encode = threads // ENOUGH
    return Shares(decode=1, synthesis=threads - 1 - encode, encode=encode)
