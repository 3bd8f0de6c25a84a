"""MediaPipe's own operators of the landmark network: it looks at lips and eyes again, in crops turned upright.

`Landmarks2TransformMatrix` finds the crop around some landmarks, `TransformTensorBilinear` samples features in it, and
`TransformLandmarks` brings what was found there back. What each computes is stated in MediaPipe's sources under
`mediapipe/util/tflite/operations`, version 2 of each. A matrix is here (batch, 2, 3): the last column is the shift; the
original has 4 x 4 of which the other numbers are those of an identity.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from mien_export.landmarks.builder import Builder
from mien_export.landmarks.flatbuffer import Operator
from mien_export.landmarks.lanes import CROP, join_lanes
from mien_export.landmarks.translate import Translation

KEPT: Final = [0, 1, 3]
"""Columns of a matrix of 4 x 4 that are kept."""
ROWS: Final = 1
"""Axis of landmarks in (batch, landmarks, coordinates)."""


def _crop(to: Translation, operator: Operator) -> str:
    """(batch, 2, 3): from pixels of the crop to those of the features.

    The crop is the box of landmarks in a picture turned so that two of them lie side by side, enlarged.
    """
    build, options = to.builder, operator.options
    points = build.node("Slice", to.value(operator.inputs[0]), *_numbers(build, [0], [2], [2]))
    cosine, sine = _direction(build, points, options["left_rotation_idx"], options["right_rotation_idx"])
    subset = build.node("Gather", points, _indices(build, options["subset_idxs"]), axis=ROWS)
    x, y = build.split(subset, [1, 1], 2)
    along = _sum(build, (cosine, x), (sine, y))
    across = _difference(build, (cosine, y), (sine, x))
    (low_x, high_x), (low_y, high_y) = ((_least(build, value), _greatest(build, value)) for value in (along, across))
    half = build.constant(np.array(0.5, np.float32))
    middle_x, middle_y = (
        build.node("Mul", build.node("Add", low, high), half) for low, high in ((low_x, high_x), (low_y, high_y))
    )
    sizes = (("scale_x", "output_width", low_x, high_x), ("scale_y", "output_height", low_y, high_y))
    step_x, step_y = (
        build.node("Mul", build.node("Sub", high, low), _number(build, options[scale] / options[size]))
        for scale, size, low, high in sizes
    )
    first_x = build.node("Sub", middle_x, build.node("Mul", step_x, _number(build, options["output_width"] / 2)))
    first_y = build.node("Sub", middle_y, build.node("Mul", step_y, _number(build, options["output_height"] / 2)))
    minus = build.node("Neg", sine)
    rows = []
    for first, second in ((cosine, minus), (sine, cosine)):
        shift = _sum(build, (first, first_x), (second, first_y))
        turned = build.node("Mul", first, step_x), build.node("Mul", second, step_y)
        rows.append(build.node("Concat", *turned, shift, axis=2))
    return build.node("Concat", *rows, axis=1)


def _direction(build: Builder, points: str, left: int, right: int) -> tuple[str, str]:
    """Cosine and sine, each (batch, 1, 1), of the angle of the way from one landmark to another."""
    ends = [build.node("Gather", points, _indices(build, [index]), axis=ROWS) for index in (left, right)]
    way = build.node("Sub", ends[1], ends[0])
    length = build.node("ReduceL2", way, _indices(build, [2]), keepdims=1)
    cosine, sine = build.split(build.node("Div", way, length), [1, 1], 2)
    return cosine, sine


def _sampled(to: Translation, operator: Operator) -> str:
    """(batch, channels, height, width) of the crop: bilinear, zero where a place is outside of the features."""
    build, options = to.builder, operator.options
    _, height, width, _ = to.shape(operator.inputs[0])
    rows, columns = np.indices((options["output_height"], options["output_width"]), dtype=np.float32) + 0.5
    places = np.stack([columns, rows, np.ones_like(rows)], axis=2).reshape(1, -1, 3)
    matrix = build.node("Transpose", to.value(operator.inputs[1]), perm=[0, 2, 1])
    found = build.node("MatMul", build.constant(places), matrix)
    scale = build.constant(np.array([2 / (width - 1), 2 / (height - 1)], np.float32))
    shift = build.constant(np.array([1 + 1 / (width - 1), 1 + 1 / (height - 1)], np.float32))
    grid = build.node("Sub", build.node("Mul", found, scale), shift)
    size = [0, options["output_height"], options["output_width"], 2]
    grid = build.node("Reshape", grid, build.constant(np.array(size, np.int64)))
    features = to.value(operator.inputs[0])
    sampled = build.node("GridSample", features, grid, align_corners=1, padding_mode="border")
    farthest = build.node("ReduceMax", build.node("Abs", grid), _indices(build, [3]), keepdims=0)
    inside = build.node("LessOrEqual", farthest, _number(build, 1.0))
    inside = build.node("Unsqueeze", build.node("Cast", inside, to=1), _indices(build, [1]))
    to.give(operator.outputs[0], build.node("Mul", sampled, inside))
    if operator.outputs[0] == [other for other in to.network.operators if other.kind == CROP][-1].outputs[0]:
        join_lanes(to)
    return to.value(operator.outputs[0])


def _brought_back(to: Translation, operator: Operator) -> str:
    """(batch, landmarks, 2) of landmarks in pixels of a crop, by the crop's matrix."""
    build = to.builder
    turn, shift = build.split(to.value(operator.inputs[1]), [2, 1], 2)
    turned = build.node("MatMul", to.value(operator.inputs[0]), build.node("Transpose", turn, perm=[0, 2, 1]))
    return build.node("Add", turned, build.node("Transpose", shift, perm=[0, 2, 1]))


def _scaled(to: Translation, operator: Operator) -> str:
    """A product with a constant, of which a matrix takes what it keeps of 4 x 4."""
    build, (value, factor) = to.builder, operator.inputs
    if factor not in to.network.constants:
        return build.node("Mul", to.value(value), to.value(factor))
    numbers = to.constant(factor)
    if numbers.shape[-2:] == (4, 4):
        numbers = numbers[..., :2, KEPT]
    return build.node("Mul", to.value(value), build.weight(numbers))


def _sum(build: Builder, *products: tuple[str, str]) -> str:
    return build.node("Add", *(build.node("Mul", *pair) for pair in products))


def _difference(build: Builder, *products: tuple[str, str]) -> str:
    return build.node("Sub", *(build.node("Mul", *pair) for pair in products))


def _least(build: Builder, value: str) -> str:
    return build.node("ReduceMin", value, _indices(build, [ROWS]), keepdims=1)


def _greatest(build: Builder, value: str) -> str:
    return build.node("ReduceMax", value, _indices(build, [ROWS]), keepdims=1)


def _number(build: Builder, value: float) -> str:
    return build.constant(np.array(value, np.float32))


def _indices(build: Builder, values: list[int]) -> str:
    return build.constant(np.array(values, np.int64))


def _numbers(build: Builder, *lists: list[int]) -> list[str]:
    return [_indices(build, values) for values in lists]


OWN: Final[Mapping[str, Callable[[Translation, Operator], str]]] = {
    "Landmarks2TransformMatrix": _crop,
    "MUL": _scaled,
    "TransformLandmarks": _brought_back,
    CROP: _sampled,
}
"""By their names in the file."""
