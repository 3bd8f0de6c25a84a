"""How far from the reference a way of computing may be, and why so far."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from mien_export.graphs import live, paper
from mien_export.graphs.parity import Row

GREY_LEVEL: Final = 1 / 128
"""Of pictures in -1..1."""
MOST_LOSS: Final = 0.5
"""Decibels that a reduced precision may lose against float32, for the engine to choose it by itself."""
FEATURES: Final = 6.0
"""Decibels by which features may be farther than pictures: their peaks are not as far from their spread."""


@dataclass(frozen=True, slots=True)
class Bound:
    """Of what a graph gives, beside float32 in ONNX Runtime."""

    psnr: float | None
    """Decibels at least; None: what counts is the truth."""
    largest: float | None
    """Error of a painted picture or mask at most, in units of -1..1; None: not bounded."""
    why: str


_LIVE: Final = {
    "fp32": Bound(
        100, 0.01 * GREY_LEVEL, "sums of a thousand terms in another order, through thirty layers: 1/100 grey level"
    ),
    "fp16": Bound(60, GREY_LEVEL, "11 bits, each layer rounds by 2 ** -12: below a grey level at the worst pixel"),
    "bf16": Bound(42, 0.25, "8 bits: 3 bits, which are 18 dB, less than fp16"),
    "int8": Bound(None, None, f"256 steps for each tensor's range: at most {MOST_LOSS} dB farther from the truth"),
}
_PAPER: Final = {
    "fp32": Bound(90, 0.1 * GREY_LEVEL, "as for the live networks, but each norm divides by what it finds"),
    "fp16": Bound(45, None, "11 bits; norms divide by small deviations, so that rounding is not lost in them"),
    "bf16": Bound(25, None, "8 bits: 3 bits, which are 18 dB, less than fp16"),
}
BOUNDS: Final = {live.KIND: _LIVE | {"int8+bf16": _LIVE["int8"]}, paper.KIND: _PAPER}
"""By kind and precision."""


def beyond(kind: str, rows: Sequence[Row]) -> Iterator[str]:
    """What is out of its bounds, a line for each."""
    exact = next(
        (row.truth for row in rows if row.runtime == "onnxruntime" and row.precision == "fp32" and row.truth), None
    )
    for row in rows:
        bound = BOUNDS[kind][row.precision]
        title = f"{row.runtime} {row.precision}, {row.graph} {row.output}"
        painted = row.graph == "generator"
        least = None if bound.psnr is None else bound.psnr - (0 if painted else FEATURES)
        if least is not None and row.agreement.psnr < least:
            yield f"{title}: expected at least {least:g} dB, got {row.agreement.psnr:.1f}"
        if painted and bound.largest is not None and row.agreement.largest > bound.largest:
            yield f"{title}: expected errors up to {bound.largest:.2g}, got {row.agreement.largest:.2g}"
        if row.truth is not None and exact is not None and row.truth < exact - MOST_LOSS:
            yield f"{title}: expected at least {exact - MOST_LOSS:.2f} dB against the truth, got {row.truth:.2f}"


def reasons(kind: str, rows: Sequence[Row]) -> Iterator[str]:
    """Why the bounds of the precisions that were measured are what they are, a line for each."""
    for precision in dict.fromkeys(row.precision for row in rows):
        bound = BOUNDS[kind][precision]
        limits = [] if bound.psnr is None else [f"at least {bound.psnr:g} dB"]
        limits += [] if bound.largest is None else [f"errors up to {bound.largest:.2g}"]
        yield f"{precision}: {', '.join(limits) or 'measured against the truth'}; {bound.why}"
