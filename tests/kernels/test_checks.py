"""What ops refuse, and that the message names the argument, what was expected and what came."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mien_kernels import ops
from mien_kernels.eye import EyeGeometry

U8, F32, I32, F64 = np.uint8, np.float32, np.int32, np.float64


def zeros(*shape: int, kind: Any = U8) -> Any:
    return np.zeros(shape, kind)


def read_only(*shape: int, kind: Any = U8) -> Any:
    array = zeros(*shape, kind=kind)
    array.flags.writeable = False
    return array


picture = zeros(4, 6, 3)
flow = zeros(4, 6, 2, kind=F32)
eye = np.eye(2, 3, dtype=F32)
target, source, triangle = zeros(3, 3, kind=F32), zeros(3, 2, kind=F32), np.array([[0, 1, 2]], I32)
features, per_channel = zeros(1, 2, 4, 4, kind=F32), zeros(1, 2, 1, 1, kind=F32)
shared = zeros(48, kind=F32)
points, starts, channels = zeros(3, 2, kind=F32), np.array([0, 3], I32), np.array([0], I32)


def drawn_eye(corner: tuple[int, int] = (0, 0), source: Any = picture, radius: float = 0.2, fade: float = 2.6) -> Any:
    lids = zeros(4, 9, 2, kind=F32)
    geometry = EyeGeometry(corner, eye, eye, zeros(2, 2, kind=F32), lids, radius, fade=fade)
    return ops.draw_eye(picture.copy(), source, zeros(2, 2, kind=F32), geometry)


def parts(starts: Any, channels: Any) -> Any:
    return ops.rasterize_parts(points, starts, channels, size=(1, 2, 2))


TYPE_ERRORS: list[tuple[str, Callable[[], Any]]] = [
    ("base: expected a NumPy array (any, any, any) uint8 or float32, got list", lambda: ops.blend([1], picture)),
    ("over: expected uint8, got float32", lambda: ops.blend(picture, zeros(4, 6, 4, kind=F32))),
    ("mask: expected uint8 or float32, got float64", lambda: ops.blend(picture, picture, zeros(4, 6, kind=F64))),
    ("flow: expected float32, got float64", lambda: ops.flow_warp(picture, zeros(4, 6, 2, kind=F64))),
    ("out: expected uint8, got float32", lambda: ops.flow_warp(picture, flow, zeros(4, 6, 3, kind=F32))),
    ("triangles: expected int32, got int64", lambda: ops.rasterize_flow(target, source, triangle.astype(int))),
    ("matrix: expected float32, got float64", lambda: ops.paste(picture, picture.copy(), np.eye(2, 3))),  # type: ignore[arg-type]
    ("gamma: expected float32, got float64", lambda: ops.spade_modulate(features, features.astype(F64), features)),
]

VALUE_ERRORS: list[tuple[str, Callable[[], Any]]] = [
    ("picture: expected even sides, got 3 rows and 6 columns",
     lambda: ops.erase(zeros(3, 6, 3), zeros(3, 6, kind=F32), zeros(3, 6, 2, kind=F32))),
    ("mouth: expected shape (4, 6), got (6, 4)", lambda: ops.erase(picture.copy(), zeros(6, 4, kind=F32), flow)),
    ("limits: expected 0.500001..1e+06, got 0.25",
     lambda: ops.erase(picture.copy(), zeros(4, 6, kind=F32), flow, limits=(0.5, 0.25))),
    ("flow: expected even sides, got 4 rows and 5 columns", lambda: ops.halve_flow(zeros(4, 5, 2, kind=F32))),
    ("most: expected shape (4, 6), got (4, 5)",
     lambda: ops.limit(zeros(4, 6, kind=F32), zeros(4, 5, kind=F32))),
    ("calm: expected 1e-06..1e+06, got 0.0",
     lambda: ops.weigh_flow(flow.copy(), zeros(4, 6, kind=F32), (1.0, 1.0), calm=0.0)),
    ("columns: expected shape (any,), got (4, 6)",
     lambda: ops.spread_flow(zeros(4, 2, kind=F32), zeros(4, 6, kind=F32))),
    ("colours: expected shape (256, 3), got (255, 3)", lambda: ops.tone(picture.copy(), zeros(255, 3))),
    ("opacity: expected 0..1, got 1.5", lambda: ops.paste(picture.copy(), picture, eye, opacity=1.5)),
    ("base channels: expected 3..4, got 2", lambda: ops.add_levels(zeros(4, 6, 2), zeros(4, 6))),
    ("levels: expected shape (4, 6), got (6, 4)", lambda: ops.add_levels(picture, zeros(6, 4))),
    ("over: expected shape (4, 6, 4), got (4, 6, 3)", lambda: ops.blend(picture, picture)),
    ("mask: expected shape (4, 6), got (6, 4)", lambda: ops.blend(picture, picture, zeros(6, 4))),
    ("base: expected a C-contiguous array", lambda: ops.blend(picture[:, ::2], picture, zeros(4, 3))),
    ("out: expected a writable array", lambda: ops.blend(picture, zeros(4, 6, 4), out=read_only(4, 6, 3))),
    ("frame: expected a writable array", lambda: ops.paste(read_only(4, 6, 3), picture, eye)),
    ("flow: expected shape (any, any, 2), got (4, 6, 3)", lambda: ops.flow_warp(picture, zeros(4, 6, 3, kind=F32))),
    ("source: expected at least one pixel", lambda: ops.flow_warp(zeros(0, 6, 3), flow)),
    ("flow: expected at least one pixel", lambda: ops.flow_warp(picture, zeros(0, 0, 2, kind=F32), zeros(4, 6, 3))),
    ("out: expected memory apart from flow",
     lambda: ops.halve_flow(shared[:24].reshape(2, 6, 2), shared[:6].reshape(1, 3, 2))),
    ("out: expected memory apart from rows",
     lambda: ops.spread_flow(shared[:8].reshape(4, 2), zeros(6, kind=F32), shared.reshape(4, 6, 2))),
    ("out: expected memory apart from columns",
     lambda: ops.spread_flow(zeros(4, 2, kind=F32), shared[:6], shared.reshape(4, 6, 2))),
    ("out: expected memory apart from source", lambda: ops.flow_warp(picture, flow, picture)),
    ('padding: expected "border" or "zero", got \'wrap\'', lambda: ops.flow_warp(picture, flow, None, "wrap")),  # type: ignore[arg-type]
    ("threads: expected 1 or more, got 0", lambda: ops.flow_warp(picture, flow, threads=0)),
    ("triangles: expected indices below 3, got 3", lambda: ops.rasterize_flow(target, source, triangle + I32(1))),
    ("triangles: expected indices below 3, got -1", lambda: ops.rasterize_flow(target, source, triangle - I32(1))),
    ("source: expected shape (3, 2)", lambda: ops.rasterize_flow(target, zeros(4, 2, kind=F32), triangle)),
    ("size: expected 2 lengths where no out is given, got None", lambda: ops.rasterize_flow(target, source, triangle)),
    ("starts: expected rising values in 0..3, got [3, 0]", lambda: parts(starts[::-1].copy(), channels)),
    ("starts: expected rising values in 0..3, got [1, 4]", lambda: parts(starts + I32(1), channels)),
    ("starts: expected shape (2,), got (3,)", lambda: parts(zeros(3, kind=I32), channels)),
    ("channels: expected values below 1, got 1", lambda: parts(starts, channels + I32(1))),
    ("corner: expected a box of 2x2 within 6x4, got (5, 0)", lambda: drawn_eye((5, 0))),
    ("corner: expected a box of 2x2 within 6x4, got (0, -1)", lambda: drawn_eye((0, -1))),
    ("picture channels: expected 3..4, got 1", lambda: drawn_eye(source=zeros(4, 6, 1))),
    ("picture: expected at least one pixel", lambda: drawn_eye(source=zeros(0, 6, 3))),
    ("radius: expected 1e-06..1e+06, got 0", lambda: drawn_eye(radius=0)),
    ("fade: expected 1.251..1e+07, got 1", lambda: drawn_eye(fade=1)),
    ("current channels: expected 3..4, got 1", lambda: ops.temporal_blend(zeros(4, 6, 1), zeros(4, 6, 1), flow)),
    ("out: expected memory apart from previous", lambda: ops.temporal_blend(picture.copy(), picture, flow, picture)),
    ("strength: expected 0..1, got 2", lambda: ops.temporal_blend(picture, picture, flow, strength=2)),
    ("strength: expected 0..1, got nan", lambda: ops.temporal_blend(picture, picture, flow, strength=float("nan"))),
    ("threshold: expected 0.001..1e+09, got 0", lambda: ops.temporal_blend(picture, picture, flow, threshold=0)),
    ("gain: expected shape (3,), got (4,)", lambda: ops.paste(picture, picture.copy(), eye, gain=zeros(4, kind=F32))),
    ("feather: expected 0..1e+06, got -1", lambda: ops.paste(picture, picture.copy(), eye, -1)),
    ("frame: expected memory apart from crop", lambda: ops.paste(picture, picture, eye)),
    ("image channels: expected 1..4, got 5", lambda: ops.to_tensor(zeros(4, 6, 5), eye, size=(2, 2))),
    ("out: expected shape (3, any, any), got (2, 2, 3)", lambda: ops.to_tensor(picture, eye, zeros(2, 2, 3, kind=F32))),
    ("x: expected shape (any, any, any, any)", lambda: ops.spade_modulate(features[0], features[0], features[0])),
    ("beta: expected shape (1, 2, 4, 4), got", lambda: ops.spade_modulate(features, features, per_channel)),
    ("out: expected memory apart from gamma", lambda: ops.spade_modulate(features + 1, features, features, features)),
    ("epsilon: expected 1e-30..1e+30, got 0", lambda: ops.spade_modulate(features, features, features, epsilon=0)),
    ('layout: expected "nchw" or "nhwc"', lambda: ops.to_image(zeros(3, 2, 2, kind=F32), layout="chw")),  # type: ignore[arg-type]
]  # fmt: skip


@pytest.mark.parametrize(("message", "call"), TYPE_ERRORS, ids=[message for message, _ in TYPE_ERRORS])
def test_wrong_types(message: str, call: Callable[[], Any]) -> None:
    with pytest.raises(TypeError) as caught:
        call()
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(("message", "call"), VALUE_ERRORS, ids=[message for message, _ in VALUE_ERRORS])
def test_wrong_values(message: str, call: Callable[[], Any]) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        call()
    assert str(caught.value).startswith(message)


def test_read_only_inputs_are_fine() -> None:
    assert ops.flow_warp(read_only(4, 6, 3), read_only(4, 6, 2, kind=F32)).sum() == 0
    assert ops.blend(read_only(4, 6, 3), read_only(4, 6, 3), read_only(4, 6)).sum() == 0
