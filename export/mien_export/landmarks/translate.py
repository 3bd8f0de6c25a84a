"""TFLite operators as ONNX nodes, pictures with their channels first."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

import numpy as np
import tflite
from numpy.typing import NDArray

from mien.errors import ModelError
from mien_export.landmarks.builder import Builder
from mien_export.landmarks.flatbuffer import Network, Operator

Array = NDArray[Any]
RELU, RELU6 = tflite.ActivationFunctionType.RELU, tflite.ActivationFunctionType.RELU6
AXES: Final = (0, 2, 3, 1)
"""Of a picture with its channels last, where they stand with the channels first: batch, height, width, channels."""


class Translation:
    """A network that is being translated: values by the names that they have in it."""

    def __init__(self, network: Network) -> None:
        self.network, self.builder = network, Builder()
        self._values: dict[str, str] = {name: name for name in network.inputs}

    def run(self, leave: Collection[str] = ()) -> None:
        """Translate all operators in order, but for those of the kinds in `leave` and what needs their results.

        Raises:
            ModelError: one is not known.
        """
        for operator in self.network.operators:
            there = all(name in self._values or name in self.network.constants for name in operator.inputs)
            if operator.kind in leave or not there:
                continue
            if operator.kind not in _KINDS:
                raise ModelError(
                    f"{self.network.name}: expected operators of {', '.join(sorted(_KINDS))}, got {operator.kind}; "
                    "take the file of mediapipe 0.10.21"
                )
            self._values[operator.outputs[0]] = _KINDS[operator.kind](self, operator)

    def value(self, name: str) -> str:
        """The ONNX value of a tensor that is computed or constant; a constant keeps its layout."""
        if name not in self._values:
            self._values[name] = self.builder.weight(self.network.constants[name])
        return self._values[name]

    def constant(self, name: str) -> Array:
        """The numbers of a constant tensor."""
        return self.network.constants[name]

    def shape(self, name: str) -> tuple[int, ...]:
        """Of a tensor, channels last."""
        return self.network.shapes[name]


def _activated(to: Translation, value: str, options: Any) -> str:
    activation = options.FusedActivationFunction()
    if activation == tflite.ActivationFunctionType.NONE:
        return value
    if activation == RELU:
        return to.builder.node("Relu", value)
    if activation == RELU6:
        limits = [to.builder.constant(np.array(limit, np.float32)) for limit in (0, 6)]
        return to.builder.node("Clip", value, *limits)
    raise ModelError(f"{to.network.name}: expected the activations none, RELU or RELU6, got {activation}")


def _pads(size: int, out: int, stride: int, kernel: int, padding: int) -> tuple[int, int]:
    """Before and after: TFLite's SAME puts the odd one after."""
    if padding == tflite.Padding.VALID:
        return 0, 0
    lacking = max((out - 1) * stride + kernel - size, 0)
    return lacking // 2, lacking - lacking // 2


def window(to: Translation, operator: Operator, kernel: tuple[int, int]) -> dict[str, Any]:
    """Attributes of an ONNX node that convolutions and pools share."""
    options = operator.options
    before, after = to.shape(operator.inputs[0]), to.shape(operator.outputs[0])
    strides = options.StrideH(), options.StrideW()
    pads = [_pads(before[1 + i], after[1 + i], strides[i], kernel[i], options.Padding()) for i in range(len(strides))]
    begins, ends = zip(*pads, strict=True)
    return {"kernel_shape": list(kernel), "strides": list(strides), "pads": [*begins, *ends]}


def conv_node(to: Translation, value: str, like: Operator, weight: Array, bias: Array, group: int) -> str:
    """A convolution of `value` with other weights (outputs, inputs of a group, height, width) than those of `like`.

    Raises:
        ModelError: it is dilated.
    """
    options = like.options
    if options.DilationHFactor() != 1 or options.DilationWFactor() != 1:
        raise ModelError(f"{to.network.name}: expected convolutions without dilation, got one with")
    attributes = window(to, like, (weight.shape[2], weight.shape[3]))
    inputs = value, to.builder.weight(weight), to.builder.weight(bias.reshape(-1))
    return _activated(to, to.builder.node("Conv", *inputs, group=group, **attributes), options)


def _conv(to: Translation, operator: Operator) -> str:
    weight, bias = (to.constant(name) for name in operator.inputs[1:])
    return conv_node(to, to.value(operator.inputs[0]), operator, weight.transpose(0, 3, 1, 2), bias, 1)


def _depthwise(to: Translation, operator: Operator) -> str:
    weight, bias = (to.constant(name) for name in operator.inputs[1:])
    weight = weight.transpose(3, 0, 1, 2)
    return conv_node(to, to.value(operator.inputs[0]), operator, weight, bias, len(weight))


def _prelu(to: Translation, operator: Operator) -> str:
    slope = to.constant(operator.inputs[1]).transpose(2, 0, 1)
    return to.builder.node("PRelu", to.value(operator.inputs[0]), to.builder.weight(slope))


def _max_pool(to: Translation, operator: Operator) -> str:
    kernel = operator.options.FilterHeight(), operator.options.FilterWidth()
    return to.builder.node("MaxPool", to.value(operator.inputs[0]), **window(to, operator, kernel))


def _average_pool(to: Translation, operator: Operator) -> str:
    kernel = operator.options.FilterHeight(), operator.options.FilterWidth()
    if kernel == to.shape(operator.inputs[0])[1:3]:
        return to.builder.node("GlobalAveragePool", to.value(operator.inputs[0]))
    return to.builder.node("AveragePool", to.value(operator.inputs[0]), **window(to, operator, kernel))


def _pad(to: Translation, operator: Operator) -> str:
    pads = to.constant(operator.inputs[1])
    value = to.value(operator.inputs[0])
    if not pads[:3].any() and not pads[3, 0]:
        return widened(to.builder, value, to.shape(operator.inputs[0])[3], to.shape(operator.outputs[0])[3])
    numbers = to.builder.constant(pads[[0, 3, 1, 2]].T.reshape(-1).astype(np.int64))
    return to.builder.node("Pad", value, numbers)


def widened(build: Builder, value: str, before: int, after: int, groups: int = 1) -> str:
    """Each of `groups` of channels with more of them, which are zero.

    A convolution by ones and zeros: runtimes that keep channels last would turn the picture for a Pad and back.
    """
    weight = np.tile(np.eye(after, before, dtype=np.float16), (groups, 1))[:, :, None, None]
    return build.node("Conv", value, build.weight(weight), group=groups, kernel_shape=[1, 1])


def _reshape(to: Translation, operator: Operator) -> str:
    before, after = to.shape(operator.inputs[0]), to.shape(operator.outputs[0])
    value = to.value(operator.inputs[0])
    if len(before) == 4 and max(before[1:3]) > 1:
        value = to.builder.node("Transpose", value, perm=[AXES[i] for i in range(4)])
    if len(after) == 4 and max(after[1:3]) > 1:
        raise ModelError(f"{to.network.name}: expected no reshape to a picture, got one to {after}")
    sizes = [0, after[3], 1, 1] if len(after) == 4 else [0, *after[1:]]
    return to.builder.node("Reshape", value, to.builder.constant(np.array(sizes, np.int64)))


def _resize(to: Translation, operator: Operator) -> str:
    options, size = operator.options, to.shape(operator.outputs[0])[1:3]
    mode = "align_corners" if options.AlignCorners() else "half_pixel" if options.HalfPixelCenters() else "asymmetric"
    before = to.shape(operator.inputs[0])[1:3]
    scales = to.builder.constant(np.array([1, 1, size[0] / before[0], size[1] / before[1]], np.float32))
    value = to.value(operator.inputs[0])
    return to.builder.node("Resize", value, "", scales, mode="linear", coordinate_transformation_mode=mode)


def _hard_swish(to: Translation, operator: Operator) -> str:
    return to.builder.node("HardSwish", to.value(operator.inputs[0]))


def _depth_to_space(to: Translation, operator: Operator) -> str:
    return to.builder.node("DepthToSpace", to.value(operator.inputs[0]), blocksize=operator.options.BlockSize())


def _transposed(to: Translation, operator: Operator) -> str:
    """MediaPipe's transposed convolution with a bias, whose options are padding and strides as three int32."""
    strides = np.frombuffer(operator.options, "<i4")[1:].tolist()
    weight = to.constant(operator.inputs[1]).transpose(3, 0, 1, 2)
    if list(weight.shape[2:]) != strides:
        raise ModelError(f"{to.network.name}: expected a kernel as large as its stride, got {weight.shape[2:]}")
    inputs = to.value(operator.inputs[0]), to.builder.weight(weight), to.value(operator.inputs[2])
    return to.builder.node("ConvTranspose", *inputs, strides=strides)


def _joined(to: Translation, operator: Operator) -> str:
    axis = operator.options.Axis()
    if len(to.shape(operator.outputs[0])) == 4:
        axis = {1: 2, 2: 3, 3: 1}[axis]
    return to.builder.node("Concat", *(to.value(name) for name in operator.inputs), axis=axis)


def _two(kind: str) -> Callable[[Translation, Operator], str]:
    def translated(to: Translation, operator: Operator) -> str:
        value = to.builder.node(kind, *(to.value(name) for name in operator.inputs))
        return _activated(to, value, operator.options)

    return translated


def _one(kind: str) -> Callable[[Translation, Operator], str]:
    return lambda to, operator: to.builder.node(kind, to.value(operator.inputs[0]))


def _whole(to: Translation, operator: Operator) -> str:
    """A slice that takes all."""
    if to.shape(operator.inputs[0]) != to.shape(operator.outputs[0]):
        raise ModelError(f"{to.network.name}: expected a slice of everything, got {to.shape(operator.outputs[0])}")
    return to.value(operator.inputs[0])


_KINDS: Final[Mapping[str, Callable[[Translation, Operator], str]]] = {
    "ADD": _two("Add"),
    "AVERAGE_POOL_2D": _average_pool,
    "CONCATENATION": _joined,
    "CONV_2D": _conv,
    "Convolution2DTransposeBias": _transposed,
    "DEPTHWISE_CONV_2D": _depthwise,
    "DEPTH_TO_SPACE": _depth_to_space,
    "HARD_SWISH": _hard_swish,
    "LOGISTIC": _one("Sigmoid"),
    "MAX_POOL_2D": _max_pool,
    "MUL": _two("Mul"),
    "PAD": _pad,
    "PRELU": _prelu,
    "RELU": _one("Relu"),
    "RESHAPE": _reshape,
    "RESIZE_BILINEAR": _resize,
    "STRIDED_SLICE": _whole,
}
