"""The ops that draw a face, its flow and its parsing map, on the canonical face at any size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mien.draw.eyes import LIDS, eye_frame
from mien.draw.outlines import outline_mask
from mien.face import topology
from mien.face.pose import Angles, Similarity, rotation_of
from mien.face.topology import canonical_face
from mien.plane import Box
from mien.portrait.portrait import Portrait
from mien.reenact.mesh import mesh_of
from mien.reenact.target import Target
from mien_bench.kernels.devices import Device
from mien_bench.kernels.harness import Peers, Side, Task
from mien_bench.kernels.picture_tasks import GREY, picture
from mien_bench.kernels.roofline import AFFINE_FLOPS, GREY_FLOPS, MIX_FLOPS, PLACE_FLOPS, SAMPLE_FLOPS
from mien_kernels import ops, reference
from mien_kernels.eye import EyeGeometry

OUTLINES = (
    topology.OVAL,
    topology.LEFT_BROW,
    topology.RIGHT_BROW,
    topology.LEFT_EYE,
    topology.RIGHT_EYE,
    topology.NOSE,
    topology.UPPER_LIP,
    topology.LOWER_LIP,
    topology.INNER_LIPS,
)
SIZE: Final = 256
EYE_SIZE: Final = 1024
PIXELS: Final = 1e-3
COVERAGE: Final = 1e-4
COVERAGE_OF_CV2: Final = 0.02
"""OpenCV thickens what it fills by its anti-aliased border."""
SUBPIXEL_BITS: Final = 8
PIXEL_FLOPS: Final = 3 * 4 + 1
"""Three planes at a pixel and a comparison of depths, each pixel counted once; in double, and edges are integers."""
TRIANGLE_FLOPS: Final = 3 * 17
"""Three planes set up."""
EYE_FLOPS: Final = (
    2 * AFFINE_FLOPS + PLACE_FLOPS + 19 + 15 + 2 * 8 * 7 + 3 * (SAMPLE_FLOPS + MIX_FLOPS + 2 * GREY_FLOPS)
)
"""At a pixel between the lids: 19 for the gaze, 15 for the lids, 7 for each of a rim's 8 pieces, of two rims."""
COVER_FLOPS: Final = 3
"""A running sum, its magnitude and limit; edges, which are few, are not counted."""


@dataclass(frozen=True, slots=True, eq=False)
class MovedMesh:
    """A portrait's mesh, and where it has turned to."""

    source: NDArray[np.float32]
    """(V, 2)."""
    target: NDArray[np.float32]
    """(V, 3)."""
    triangles: NDArray[np.int32]
    """(T, 3)."""


def portrait_of(size: int) -> Portrait:
    """The canonical face, looking at the viewer from a picture of `size` squared."""
    shape = canonical_face().points
    pose = Similarity(np.eye(3), np.array([0.5 * size, 0.42 * size, 0.0]), size * 0.3)
    pixels: NDArray[Any] = np.zeros((size, size, 3), np.uint8)
    return Portrait(pixels, pose.apply(shape), pose, shape, shape, shape, None, None, "")


def turned_mesh(size: int) -> MovedMesh:
    """Its mesh, the head turned a little."""
    portrait = portrait_of(size)
    mesh = mesh_of(portrait)
    pose = Similarity(rotation_of(Angles(12.0, 5.0, 4.0)), portrait.pose.translation, portrait.pose.scale)
    target = Target(portrait.shape, pose, pose.apply(portrait.shape))
    return MovedMesh(mesh.source, np.ascontiguousarray(mesh.place(portrait, target)), mesh.triangles.copy())


def outlines(size: int) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Nine outlines of the face: points (N, 2) in pixels and starts (10,)."""
    plane = portrait_of(size).landmarks[:, :2]
    points = np.concatenate([plane[list(outline)] for outline in OUTLINES]).astype(np.float32)
    return points, np.cumsum([0, *(len(outline) for outline in OUTLINES)]).astype(np.int32)


def draw_eye(device: Device, peers: Peers) -> Iterator[Task]:
    """An eye of a close portrait, its lids half closed, its iris aside."""
    ring = portrait_of(EYE_SIZE).landmarks[list(topology.LEFT_EYE), :2]
    frame = eye_frame(ring)
    own = frame.local(ring)
    lids = np.concatenate([own[LIDS], own[LIDS] * [1.0, 0.5]]).astype(np.float32)
    closed = frame.pixels(own * [1.0, 0.5])
    box = Box.around(closed, 2, EYE_SIZE, EYE_SIZE)
    assert box is not None, "the face is within its picture"
    corner = (box.x, box.y)
    mask = outline_mask(closed - np.array(corner), box.shape)
    mask = np.rint(mask)  # a second time draws no more than the first
    source, out = picture(EYE_SIZE), picture(EYE_SIZE, 1)
    looks = np.array([[0.1, 0.0], [0.0, 0.0]], np.float32)
    eye = EyeGeometry(corner, frame.into, frame.back, looks, lids, 0.2)
    expected = partial(reference.draw_eye, out, source, mask, eye)
    into, given, share = device.put(out), device.put(source), device.put(mask)
    yield Task(
        op="draw_eye",
        about=f"{mask.shape[1]}x{mask.shape[0]} in {EYE_SIZE}x{EYE_SIZE}x3 uint8",
        device=device.name,
        bytes=10 * mask.size,
        flops=EYE_FLOPS * int(mask.sum()),
        ours=Side(
            "mien",
            lambda: ops.draw_eye(into, given, share, eye, threads=device.threads),
            lambda: device.get(into),
            GREY,
        ),
        peers=(Side("NumPy reference", expected, expected, GREY),) if device.name == "cpu" else (),
        copies=device.copies(10 * mask.size),
        expected=expected,
    )


def rasterize_flow(device: Device, peers: Peers) -> Iterator[Task]:
    """The portrait's mesh, the head turned."""
    mesh = turned_mesh(SIZE)
    given = [device.put(array) for array in (mesh.target, mesh.source, mesh.triangles)]
    out, depth = (device.put(np.zeros(shape, np.float32)) for shape in ((SIZE, SIZE, 2), (SIZE, SIZE)))

    def expected() -> NDArray[np.float32]:
        return reference.rasterize_flow(mesh.target, mesh.source, mesh.triangles, (SIZE, SIZE))[0]

    others = (Side("NumPy reference", expected, expected, PIXELS),) if device.name == "cpu" else ()
    count = out.nbytes + depth.nbytes
    yield Task(
        op="rasterize_flow",
        about=f"{len(mesh.triangles)} triangles {SIZE}x{SIZE}",
        device=device.name,
        bytes=count,
        flops=PIXEL_FLOPS * SIZE * SIZE + TRIANGLE_FLOPS * len(mesh.triangles),
        ours=Side(
            "mien",
            lambda: ops.rasterize_flow(given[0], given[1], given[2], out, depth, device.threads),
            lambda: device.get(out),
            PIXELS,
        ),
        peers=others,
        copies=device.copies(count),
        expected=expected,
    )


def rasterize_parts(device: Device, peers: Peers) -> Iterator[Task]:
    """Nine outlines, each into a channel of its own."""
    points, starts = outlines(SIZE)
    channels = np.arange(len(OUTLINES), dtype=np.int32)
    given = [device.put(array) for array in (points, starts, channels)]
    out = device.put(np.zeros((len(OUTLINES), SIZE, SIZE), np.float32))
    expected = partial(reference.rasterize_parts, points, starts, channels, (len(OUTLINES), SIZE, SIZE))
    others = [Side("NumPy reference", expected, expected, COVERAGE)] if device.name == "cpu" else []
    if device.name == "cpu" and peers.has("cv2"):
        others.append(_fill_poly(peers.cv2(), points, starts))
    yield Task(
        op="rasterize_parts",
        about=f"{len(OUTLINES)} outlines {SIZE}x{SIZE}",
        device=device.name,
        bytes=out.nbytes,
        flops=COVER_FLOPS * out.size,
        ours=Side(
            "mien",
            lambda: ops.rasterize_parts(given[0], given[1], given[2], out, device.threads),
            lambda: device.get(out),
            COVERAGE,
        ),
        peers=tuple(others),
        copies=device.copies(out.nbytes),
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
