"""The compiled CUDA module; called through `mien_kernels.cuda`, which checks arguments first.

Arrays are addresses in device memory (0: none). `stream` is a cudaStream_t, `device` an ordinal or -1 for the current
one. Every op raises RuntimeError with its name and CUDA's words if the launch is refused, and waits for nothing.
"""

from collections.abc import Sequence
from typing import Any

_Size = Sequence[int]

def add_levels(base: int, levels: int, out: int, pixels: int, channels: int, device: int, stream: int, /) -> None: ...
def blend(
    under: int,
    over: int,
    mask: int,
    out: int,
    pixels: int,
    channels: int,
    kind: str,
    mask_kind: str,
    device: int,
    stream: int,
    /,
) -> None: ...
def draw_eye(
    out: int,
    picture: int,
    mask: int,
    size: _Size,
    picture_size: _Size,
    box: _Size,
    corner: _Size,
    to_eye: Sequence[float],
    to_picture: Sequence[float],
    looks: Sequence[float],
    lids: Sequence[float],
    inverse_radius: float,
    fade: float,
    inverse_span: float,
    margin: float,
    device: int,
    stream: int,
    /,
) -> None: ...
def erase(
    picture: int,
    mouth: int,
    flow: int,
    size: _Size,
    nothing: float,
    gain: float,
    bearable: float,
    span: float,
    device: int,
    stream: int,
    /,
) -> None: ...
def flow_warp(
    source: int,
    flow: int,
    out: int,
    batch: int,
    size: _Size,
    flow_size: _Size,
    out_size: _Size,
    kind: str,
    zero: bool,
    channels_last: bool,
    device: int,
    stream: int,
    /,
) -> None: ...
def halve_flow(flow: int, out: int, size: _Size, device: int, stream: int, /) -> None: ...
def limit(values: int, most: int, count: int, device: int, stream: int, /) -> None: ...
def paste(
    frame: int,
    crop: int,
    mask: int,
    size: _Size,
    crop_size: _Size,
    matrix: Sequence[float],
    inverse_feather: float,
    gain: Sequence[float],
    bias: Sequence[float],
    opacity: float,
    device: int,
    stream: int,
    /,
) -> None: ...
def rasterize_flow(
    target: int,
    source: int,
    triangles: int,
    flow: int,
    depth: int,
    vertex_count: int,
    triangle_count: int,
    size: _Size,
    device: int,
    stream: int,
    /,
) -> None: ...
def rasterize_parts(
    points: int,
    starts: int,
    channels: int,
    out: int,
    point_count: int,
    outline_count: int,
    size: _Size,
    device: int,
    stream: int,
    /,
) -> None: ...
def spade_parts(batch: int, channels: int, pixels: int, kind: str, channels_last: bool, device: int, /) -> int: ...
def spade_modulate(
    x: int,
    gamma: int,
    beta: int,
    out: int,
    parts: int,
    part_count: int,
    batch: int,
    channels: int,
    pixels: int,
    epsilon: float,
    slope: float,
    kind: str,
    channels_last: bool,
    device: int,
    stream: int,
    /,
) -> None: ...
def spread_flow(rows: int, columns: int, out: int, size: _Size, device: int, stream: int, /) -> None: ...
def temporal_blend(
    current: int,
    previous: int,
    flow: int,
    weight: int,
    out: int,
    size: _Size,
    flow_size: _Size,
    weight_size: _Size,
    strength: float,
    inverse_threshold: float,
    device: int,
    stream: int,
    /,
) -> None: ...
def to_image(
    tensor: int,
    out: int,
    size: _Size,
    kind: str,
    scale: float,
    bias: float,
    channels_last: bool,
    device: int,
    stream: int,
    /,
) -> None: ...
def to_tensor(
    image: int,
    out: int,
    size: _Size,
    out_size: _Size,
    kind: str,
    matrix: Sequence[float],
    scale: float,
    bias: float,
    zero: bool,
    channels_last: bool,
    antialias: bool,
    device: int,
    stream: int,
    /,
) -> None: ...
def tone(picture: int, colours: int, pixels: int, device: int, stream: int, /) -> None: ...
def weigh_flow(
    flow: int,
    depth: int,
    weight: int,
    size: _Size,
    share: Sequence[float],
    still: float,
    inverse_calm: float,
    device: int,
    stream: int,
    /,
) -> None: ...
def looked_at(array: Any) -> tuple[int, tuple[int, ...], tuple[int, ...], str, int]: ...
def device_count() -> int: ...
