"""A run in a process of its own that is stopped for a while, or has to share the processors."""

from __future__ import annotations

import json
import math
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from mien.errors import MienError
from mien.machine.processor import usable_threads
from mien_bench.latency.programs import run_module
from mien_bench.live.runs import LiveRun

BEGUN: Final = "begun"
"""Line that a run writes when its pictures are about to come."""
CALM: Final = 6.0
"""Seconds before and after a disturbance."""
STOPPED: Final = 3.0
LOADED: Final = 10.0
STEADY: Final = 0.4
"""Seconds in time that make a recovery: ten pictures."""
_JUST_BEFORE: Final = 1.0
"""Seconds by which the stop-watches of the two processes may be apart."""
_BUSY: Final = "import os\nparent = os.getppid()\nwhile os.getppid() == parent:\n    for _ in range(1000000): pass"
"""It ends with this process, also where that is killed."""


def stopped(arguments: list[str]) -> tuple[LiveRun, float]:
    """A run that is stopped for three seconds (SIGSTOP, SIGCONT), and when it went on, in seconds of its course."""
    with _running(arguments, CALM + STOPPED + CALM) as (process, answer):
        began = time.monotonic()
        time.sleep(CALM)
        process.send_signal(signal.SIGSTOP)
        time.sleep(STOPPED)
        process.send_signal(signal.SIGCONT)
        went_on = time.monotonic() - began
        return _course(process, answer), went_on


def loaded(arguments: list[str]) -> tuple[LiveRun, tuple[float, float]]:
    """A run beside as many busy processes as there are processors, and from when to when they were there."""
    with _running(arguments, CALM + LOADED + CALM) as (process, answer):
        began = time.monotonic()
        time.sleep(CALM)
        others = [subprocess.Popen([sys.executable, "-P", "-c", _BUSY]) for _ in range(usable_threads())]
        try:
            from_then = time.monotonic() - began
            time.sleep(LOADED)
        finally:
            for other in others:
                other.kill()
                other.wait()
        until = time.monotonic() - began
        return _course(process, answer), (from_then, until)


def recovery(course: LiveRun, went_on: float, promised: float) -> float:
    """Seconds from when a run went on until pictures were in time, ten in a row: a late one after that has
    other causes."""
    pictures = zip(course.at, course.latency, strict=True)
    late = [at for at, latency in pictures if latency > promised and at > went_on - _JUST_BEFORE]
    for at, next_late in pairwise([*late, math.inf]):
        if next_late - at > STEADY:
            return max(at - went_on, 0.0)
    return 0.0


@contextmanager
def _running(arguments: list[str], seconds: float) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    with TemporaryDirectory(prefix="mien-bench-") as folder:
        answer = Path(folder) / "course.json"
        own = ["--only", "run", "--seconds", str(seconds), "--course", str(answer)]
        with run_module("mien", ["bench", "live", *arguments, *own], BEGUN, said=None) as process:
            yield process, answer


def _course(process: subprocess.Popen[str], answer: Path) -> LiveRun:
    process.communicate()
    if process.returncode != 0 or not answer.exists():
        raise MienError(f"bench live: expected a run to end in order, got exit code {process.returncode}")
    return LiveRun(**json.loads(answer.read_text()))
