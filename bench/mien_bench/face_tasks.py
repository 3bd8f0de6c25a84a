"""The ops that draw a face: its flow and its parsing map."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mien_bench.face_shapes import OUTLINES, outlines, turned_mesh
from mien_bench.harness import Side, Task
from mien_bench.libraries import Peers
from mien_bench.places import Place
from mien_kernels import ops, reference

SIZE: Final = 256
PIXELS: Final = 1e-3
COVERAGE: Final = 1e-4
COVERAGE_OF_CV2: Final = 0.02
"""OpenCV thickens what it fills by its anti-aliased border."""
SUBPIXEL_BITS: Final = 8
PIXEL_FLOPS: Final = 3 * 4 + 1
"""Three planes at a pixel and a comparison of depths, each pixel counted once; in double, and edges are integers."""
TRIANGLE_FLOPS: Final = 3 * 17
"""Three planes set up."""
COVER_FLOPS: Final = 3
"""A running sum, its magnitude and limit; edges, which are few, are not counted."""


def rasterize_flow(place: Place, peers: Peers) -> Iterator[Task]:
    """The portrait's mesh, the head turned."""
    mesh = turned_mesh(SIZE)
    given = [place.put(array) for array in (mesh.target, mesh.source, mesh.triangles)]
    out, depth = (place.put(np.zeros(shape, np.float32)) for shape in ((SIZE, SIZE, 2), (SIZE, SIZE)))

    def expected() -> NDArray[np.float32]:
        return reference.rasterize_flow(mesh.target, mesh.source, mesh.triangles, (SIZE, SIZE))[0]

    others = (Side("NumPy reference", expected, expected, PIXELS),) if place.name == "cpu" else ()
    count = out.nbytes + depth.nbytes
    yield Task(
        op="rasterize_flow",
        about=f"{len(mesh.triangles)} triangles {SIZE}x{SIZE}",
        device=place.name,
        bytes=count,
        flops=PIXEL_FLOPS * SIZE * SIZE + TRIANGLE_FLOPS * len(mesh.triangles),
        ours=Side(
            "mien",
            lambda: ops.rasterize_flow(given[0], given[1], given[2], out, depth, place.threads),
            lambda: place.get(out),
            PIXELS,
        ),
        peers=others,
        copies=place.copies(count),
        expected=expected,
    )


def rasterize_parts(place: Place, peers: Peers) -> Iterator[Task]:
    """Nine outlines, each into a channel of its own."""
    points, starts = outlines(SIZE)
    channels = np.arange(len(OUTLINES), dtype=np.int32)
    given = [place.put(array) for array in (points, starts, channels)]
    out = place.put(np.zeros((len(OUTLINES), SIZE, SIZE), np.float32))
    expected = partial(reference.rasterize_parts, points, starts, channels, (len(OUTLINES), SIZE, SIZE))
    others = [Side("NumPy reference", expected, expected, COVERAGE)] if place.name == "cpu" else []
    if place.name == "cpu" and peers.has("cv2"):
        others.append(_fill_poly(peers.cv2(), points, starts))
    yield Task(
        op="rasterize_parts",
        about=f"{len(OUTLINES)} outlines {SIZE}x{SIZE}",
        device=place.name,
        bytes=out.nbytes,
        flops=COVER_FLOPS * out.size,
        ours=Side(
            "mien",
            lambda: ops.rasterize_parts(given[0], given[1], given[2], out, place.threads),
            lambda: place.get(out),
            COVERAGE,
        ),
        peers=tuple(others),
        copies=place.copies(out.nbytes),
        expected=expected,
    )


def _fill_poly(cv2: Any, points: NDArray[np.float32], starts: NDArray[np.int32]) -> Side:
    """Clear, fill, convert: what our op does at once."""
    fixed = np.round(points * (1 << SUBPIXEL_BITS)).astype(np.int32)
    parts = [fixed[first:last] for first, last in pairwise(starts.tolist())]
    levels = np.zeros((len(parts), SIZE, SIZE), np.uint8)
    out = np.zeros(levels.shape, np.float32)

    def run() -> None:
        levels[:] = 0
        for level, part in zip(levels, parts, strict=True):
            cv2.fillPoly(level, [part], 255, cv2.LINE_AA, SUBPIXEL_BITS)
        np.multiply(levels, np.float32(1 / 255), out=out)

    return Side("clear, cv2.fillPoly, to float32", run, lambda: out, COVERAGE_OF_CV2)
