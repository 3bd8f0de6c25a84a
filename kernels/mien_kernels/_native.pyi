"""The compiled module; called through `mien_kernels.ops`, which checks arguments first."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_Bytes = NDArray[np.uint8]
_Floats = NDArray[np.float32]
_Ints = NDArray[np.int32]

def add_levels(base: _Bytes, levels: _Bytes, out: _Bytes, threads: int) -> None: ...
def blend(
    under: NDArray[Any], over: NDArray[Any], mask: NDArray[Any] | None, out: NDArray[Any], threads: int
) -> None: ...
def draw_eye(
    out: _Bytes,
    picture: _Bytes,
    mask: _Floats,
    left: int,
    top: int,
    to_eye: _Floats,
    to_picture: _Floats,
    looks: _Floats,
    lids: _Floats,
    inverse_radius: float,
    fade: float,
    inverse_span: float,
    margin: float,
    threads: int,
) -> None: ...
def erase(
    picture: _Bytes,
    mouth: _Floats,
    flow: _Floats,
    nothing: float,
    gain: float,
    bearable: float,
    span: float,
    threads: int,
) -> None: ...
def flow_warp(
    source: NDArray[Any], flow: _Floats, out: NDArray[Any], zero: bool, channels_last: bool, threads: int
) -> None: ...
def halve_flow(flow: _Floats, out: _Floats, threads: int) -> None: ...
def limit(values: _Floats, most: _Floats, threads: int) -> None: ...
def paste(
    frame: _Bytes,
    crop: _Bytes,
    matrix: _Floats,
    inverse_feather: float,
    gain: _Floats,
    bias: _Floats,
    mask: _Floats | None,
    opacity: float,
    threads: int,
) -> None: ...
def rasterize_flow(
    target: _Floats, source: _Floats, triangles: _Ints, flow: _Floats, depth: _Floats, threads: int
) -> None: ...
def rasterize_parts(points: _Floats, starts: _Ints, channels: _Ints, out: _Floats, threads: int) -> None: ...
def spade_modulate(
    x: _Floats,
    gamma: _Floats,
    beta: _Floats,
    out: _Floats,
    epsilon: float,
    slope: float,
    channels_last: bool,
    threads: int,
) -> None: ...
def spread_flow(rows: _Floats, columns: _Floats, out: _Floats, threads: int) -> None: ...
def temporal_blend(
    current: _Bytes,
    previous: _Bytes,
    flow: _Floats,
    weight: _Floats | None,
    out: _Bytes,
    strength: float,
    inverse_threshold: float,
    threads: int,
) -> None: ...
def to_image(tensor: _Floats, out: _Bytes, scale: float, bias: float, channels_last: bool, threads: int) -> None: ...
def to_tensor(
    image: _Bytes,
    matrix: _Floats,
    out: _Floats,
    scale: float,
    bias: float,
    zero: bool,
    channels_last: bool,
    antialias: bool,
    threads: int,
) -> None: ...
def tone(picture: _Bytes, colours: _Bytes, threads: int) -> None: ...
def weigh_flow(
    flow: _Floats,
    depth: _Floats,
    weight: _Floats,
    share_x: float,
    share_y: float,
    still: float,
    inverse_calm: float,
    threads: int,
) -> None: ...
def filter_stderr(texts: list[str]) -> bool: ...
def available_isas() -> list[str]: ...
def selected_isa() -> str: ...
def select_isa(name: str) -> bool: ...
