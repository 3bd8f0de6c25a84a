"""The roofline: bytes and floating point operations a second that this machine reaches, and where each op stands below.

Operations are counted in the headers of ops. Additions, multiplications and comparisons of floats count one each;
conversions and integer arithmetic nothing.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from mien_bench.kernels.devices import Device
from mien_bench.kernels.harness import Outcome
from mien_bench.results import Chart, Line

MIX_FLOPS: Final = 3
"""`mixed`: a + (b - a) * weight."""
SAMPLE_FLOPS: Final = 3 * MIX_FLOPS
"""`bilinear`, for each channel."""
PLACE_FLOPS: Final = 2 * 3
"""Two `border_axis`: a position clamped, and its fraction."""
AFFINE_FLOPS: Final = 2 * 4
"""Two rows of a matrix applied to a pixel."""
GREY_FLOPS: Final = 3
"""`grey_level`: clamped, and a half added."""


NEAR: Final = 1 << 20
"""Bytes that stay in a cache near the processor."""
FAR: Final = 1 << 29
"""Bytes that come from memory, or from the farthest cache where that is larger."""
SIDE: Final = 1536
"""Of the matrices whose product measures the peak."""
_THREAD_VARIABLES: Final = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
_PRODUCT: Final = """
import sys, time, numpy
side, times = int(sys.argv[1]), int(sys.argv[2])
a, b = (numpy.random.default_rng(seed).standard_normal((side, side), numpy.float32) for seed in (0, 1))
out = a @ b
for _ in range(times):
    begin = time.perf_counter()
    numpy.matmul(a, b, out=out)
    print(2 * side**3 / (time.perf_counter() - begin) / 1e9)
"""


@dataclass(frozen=True, slots=True)
class Roof:
    """A device's limits; several measurements of each."""

    near: tuple[float, ...]
    """Gigabytes a second, read and written, of a copy within `NEAR`."""
    far: tuple[float, ...]
    """The same of `FAR`."""
    peak: tuple[float, ...]
    """Thousand million float32 operations a second, of a matrix product: with fused multiply-adds, which kernels that
    must give the reference's bits do not use, so that half of it is the most they can reach."""

    def at(self, intensity: float) -> float:
        """Operations in GFLOP/s that the roof allows at so many operations a byte, data near: the best seen."""
        return min(max(self.peak), intensity * max(self.near))


def roof_of(device: Device, rounds: int) -> Roof:
    """Measure; takes some seconds."""
    return Roof(_copied(device, NEAR, rounds), _copied(device, FAR, rounds), _peak(device, rounds))


def intensity(outcome: Outcome) -> float:
    """Operations a byte that must be moved."""
    return outcome.task.flops / outcome.task.bytes


def attained(outcome: Outcome) -> float:
    """GFLOP/s."""
    return outcome.task.flops / outcome.ms / 1e6


def share_of_roof(outcome: Outcome, roof: Roof) -> float:
    """Fraction of the roof at the op's intensity; above 1 only if the op's data lay in a nearer cache."""
    return attained(outcome) / roof.at(intensity(outcome))


def chart(outcomes: Sequence[Outcome], roof: Roof, device: str) -> Chart:
    """Ops as points below the memory and compute roofs."""
    intensities = [intensity(one) for one in outcomes]
    near, far, peak = max(roof.near), max(roof.far), max(roof.peak)
    ends = min(*intensities, 0.25) / 2, max(*intensities, peak / far) * 2
    lines = [
        _slope(f"cache {near:.0f} GB/s", near, peak, ends),
        _slope(f"memory {far:.0f} GB/s", far, peak, ends),
    ]
    names = tuple(f"{one.task.op} {one.task.about}" for one in outcomes)
    points = Line("ops", tuple(intensities), tuple(attained(one) for one in outcomes), "points", names)
    about = (
        f"Each dot is an op. The slopes are what a copy reaches near and far, the flat is a float32 matrix product "
        f"({peak:.0f} GFLOP/s, fused multiply-adds, which our ops do without). A dot at a slope is as "
        "fast as its bytes can be moved."
    )
    title = f"Roofline, {device}"
    axes = "operations a byte (flop/B)", "GFLOP/s"
    return Chart(title, *axes, (*lines, points), logarithmic=(True, True), about=about)


def _slope(name: str, rate: float, peak: float, ends: tuple[float, float]) -> Line:
    x = ends[0], peak / rate, max(ends[1], peak / rate)
    return Line(name, x, (x[0] * rate, peak, peak))


def _copied(device: Device, count: int, rounds: int) -> tuple[float, ...]:
    """GB/s of the fastest copy, of each round."""
    sides = device.copies(count)
    calls = max(1, (1 << 28) // count)
    for side in sides:
        device.stopwatch(side.call, 1)
    return tuple(max(count / device.stopwatch(side.call, calls) / 1e6 for side in sides) for _ in range(rounds))


def _peak(device: Device, rounds: int) -> tuple[float, ...]:
    """GFLOP/s of a matrix product: on the processor NumPy's, in a process that is given as many threads as ops are."""
    if device.name != "cpu":
        return _peak_on_device(device, rounds)
    environment = os.environ | dict.fromkeys(_THREAD_VARIABLES, str(device.threads))
    command = [sys.executable, "-P", "-c", _PRODUCT, str(SIDE), str(rounds)]
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    return tuple(map(float, said.split()))


def _peak_on_device(device: Device, rounds: int) -> tuple[float, ...]:
    values = np.random.default_rng(0).standard_normal((4 * SIDE, 4 * SIDE), np.float32)
    a: Any = device.put(values)
    out = device.put(np.zeros_like(values))

    def product() -> None:
        device.tensor(a).matmul(device.tensor(a), out=device.tensor(out))

    device.stopwatch(product, 1)
    return tuple(2 * (4 * SIDE) ** 3 / device.stopwatch(product, 1) / 1e6 for _ in range(rounds))
