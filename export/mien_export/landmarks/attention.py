"""The second looks of the landmark network: at lips and eyes, in crops of its features that are turned upright.

MediaPipe has three operators of its own for that. `Landmarks2TransformMatrix` finds the crop around some landmarks,
`TransformTensorBilinear` samples features in it, and `TransformLandmarks` brings what was found there back. What each
computes is stated in MediaPipe's sources under `mediapipe/util/tflite/operations`, version 2 of each. Here all crops
are computed at once. The matrix of a crop is (3, 2), for a row (x, y, 1) from the left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mien.errors import ModelError
from mien_export.landmarks.builder import Builder
from mien_export.landmarks.flatbuffer import Network
from mien_export.landmarks.translate import Translation

Array = NDArray[Any]
MATRIX: Final = "Landmarks2TransformMatrix"
CROP: Final = "TransformTensorBilinear"
BACK: Final = "TransformLandmarks"
OWN: Final = frozenset({MATRIX, CROP, BACK})
"""Operators that are not translated one by one."""
AXES: Final = 4, 4
"""Shape of a matrix in the file, of which the first two rows, and all columns but the third, are used."""


@dataclass(frozen=True, slots=True, eq=False)
class Crops:
    """Values of the ONNX graph."""

    features: str
    """(batch, crops times channels, height, width): what is seen in them, side by side."""
    tensors: tuple[str, ...]
    """The same in the file, one after the other."""
    matrices: str
    """(batch, crops, 3, 2): from pixels of a crop to those of the network's input."""
    subsets: tuple[tuple[int, ...], ...]
    """Landmarks that each crop is around."""


def crops(to: Translation, landmarks: str) -> Crops:
    """The crops, from `landmarks` (batch, 468, 3) in pixels of the network's input.

    Raises:
        ModelError: they are not all alike.
    """
    build, network = to.builder, to.network
    ways = [operator.options for operator in network.operators if operator.kind == MATRIX]
    looks = [operator for operator in network.operators if operator.kind == CROP]
    sizes = {(way["output_width"], way["output_height"], way["scale_x"], way["scale_y"]) for way in ways}
    if len(sizes) != 1 or len(ways) != len(looks):
        raise ModelError(f"{network.name}: expected crops of one size, got {len(sizes)} sizes of {len(ways)} crops")
    (width, height, *scale) = sizes.pop()
    matrices = _matrices(build, _scaled(to, landmarks), ways, (width, height), scale)
    features = _sampled(to, looks[0].inputs[0], matrices, (height, width), len(ways))
    larger = np.stack([_factors(network, look.inputs[1]) for look in looks])[None]
    return Crops(
        features,
        tuple(look.outputs[0] for look in looks),
        build.node("Mul", matrices, build.constant(larger)),
        tuple(tuple(way["subset_idxs"]) for way in ways),
    )


def brought_back(build: Builder, points: str, matrices: str) -> str:
    """(batch, N, points, 2) of points in pixels of N crops, by the matrices (batch, N, 3, 2) of these."""
    turn, shift = build.split(matrices, [2, 1], 2)
    return build.node("Add", build.node("MatMul", points, turn), shift)


def _scaled(to: Translation, landmarks: str) -> str:
    """(batch, 468, 2) in pixels of the features."""
    build = to.builder
    first = next(operator for operator in to.network.operators if operator.kind == MATRIX)
    factor = next(operator for operator in to.network.operators if operator.outputs == first.inputs).inputs[1]
    (places, _) = build.split(landmarks, [2, 1], 2)
    return build.node("Mul", places, build.weight(to.constant(factor)))


def _factors(network: Network, matrix: str) -> Array:
    """(3, 2): by what the file multiplies a matrix before it brings landmarks back."""
    (product,) = (one for one in network.operators if one.kind == "MUL" and matrix in one.inputs)
    numbers = network.constants[product.inputs[1]].reshape(AXES)
    return np.asarray(numbers[:2, [0, 1, 3]].T, np.float32)


def _matrices(
    build: Builder, points: str, ways: list[dict[str, Any]], size: tuple[int, int], scale: list[float]
) -> str:
    """(batch, crops, 3, 2): from pixels of a crop, of `size` (width, height), to those of the features.

    A crop is the box of its landmarks in a picture turned so that two of them lie side by side, enlarged by `scale`.
    """
    ends = [
        _gathered(build, points, [[way[name]] for way in ways]) for name in ("left_rotation_idx", "right_rotation_idx")
    ]
    way = build.node("Sub", ends[1], ends[0])
    along = build.node("Div", way, build.node("ReduceL2", way, _whole(build, [3]), keepdims=1))
    cosine, sine = build.split(along, [1, 1], 3)
    across = build.node("Concat", build.node("Neg", sine), cosine, axis=3)
    turn = build.node("Concat", along, across, axis=2)
    most = max(len(way["subset_idxs"]) for way in ways)
    subsets = [[*way["subset_idxs"], *way["subset_idxs"][:1] * (most - len(way["subset_idxs"]))] for way in ways]
    turned = build.node("MatMul", _gathered(build, points, subsets), build.node("Transpose", turn, perm=[0, 1, 3, 2]))
    low, high = (build.node(kind, turned, _whole(build, [2]), keepdims=1) for kind in ("ReduceMin", "ReduceMax"))
    middle = build.node("Mul", build.node("Add", low, high), _numbers(build, 0.5))
    step = build.node("Mul", build.node("Sub", high, low), _numbers(build, np.divide(scale, size)))
    corner = build.node("Sub", middle, build.node("Mul", step, _numbers(build, np.divide(size, 2))))
    upright = build.node("Concat", build.node("Mul", step, _numbers(build, np.eye(2))), corner, axis=2)
    return build.node("MatMul", upright, turn)


def _sampled(to: Translation, name: str, matrices: str, size: tuple[int, int], count: int) -> str:
    """Crops of `size` (height, width) of the features `name`: bilinear, zero where a place is outside of them."""
    build = to.builder
    _, height, width, _ = to.shape(name)
    rows, columns = np.indices(size) + 0.5
    places = np.stack([columns, rows, np.ones_like(rows)], axis=2).reshape(1, 1, -1, 3)
    found = build.node("MatMul", _numbers(build, places), matrices)
    extent = np.array([width - 1, height - 1])
    grid = build.node("Sub", build.node("Mul", found, _numbers(build, 2 / extent)), _numbers(build, 1 + 1 / extent))
    grid = build.node("Reshape", grid, _whole(build, [0, count * size[0], size[1], 2]))
    sampled = build.node("GridSample", to.value(name), grid, align_corners=1, padding_mode="border")
    farthest = build.node("ReduceMax", build.node("Abs", grid), _whole(build, [3]), keepdims=0)
    inside = build.node("Cast", build.node("LessOrEqual", farthest, _numbers(build, 1.0)), to=1)
    sampled = build.node("Mul", sampled, build.node("Unsqueeze", inside, _whole(build, [1])))
    return build.node("Concat", *build.split(sampled, [size[0]] * count, 2), axis=1)


def _gathered(build: Builder, points: str, indices: list[list[int]]) -> str:
    """(batch, crops, N, 2) of points (batch, 468, 2): N of them for each crop."""
    return build.node("Gather", points, _whole(build, indices), axis=1)


def _numbers(build: Builder, values: Any) -> str:
    return build.constant(np.asarray(values, np.float32))


def _whole(build: Builder, values: Any) -> str:
    return build.constant(np.asarray(values, np.int64))
