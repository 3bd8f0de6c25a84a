"""The second looks at lips and eyes, side by side: one operator where the file has three or five of the same shape.

The networks behind the crops are trees of blocks. A block is a depthwise and a pointwise convolution, to which its
input is added (where it halves the size, the input's greatest values, with more channels), or a pointwise one alone. On
features as small as these a runtime spends more time on calls than on sums. So the features of all networks are joined
along their channels, the lanes, and pointwise convolutions work in groups. The sums stay the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mien.errors import ModelError
from mien_export.landmarks.flatbuffer import Network, Operator
from mien_export.landmarks.translate import Translation, conv_node, widened, window

Array = NDArray[Any]
CHANNELS: Final = 1


@dataclass(frozen=True, slots=True)
class Block:
    """Operators of one block."""

    convolutions: tuple[Operator, ...]
    """A depthwise and a pointwise one, or a pointwise one."""
    sum: Operator | None
    """None: nothing is added."""
    slope: Operator
    pool: Operator | None
    pad: Operator | None

    @property
    def operators(self) -> tuple[Operator, ...]:
        """All that there are."""
        found = *self.convolutions, self.sum, self.slope, self.pool, self.pad
        return tuple(operator for operator in found if operator is not None)


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What the networks behind the crops find."""

    value: str
    """(batch, lanes, points, 2) in pixels of the crops; a lane with fewer points than others has zeros behind them."""
    crops: tuple[int, ...]
    """Of each lane, which crop it looks at."""
    counts: tuple[int, ...]
    """Points of each lane."""


def found_in(to: Translation, features: str, tensors: Sequence[str]) -> Found:
    """All that lies behind the crops.

    Args:
        features: the ONNX value of the crops, joined along their channels.
        tensors: their names in the file.

    Raises:
        ModelError: the networks are not of the shape that is expected.
    """
    after = _consumers(to.network)
    lanes, crops, value = list(tensors), list(range(len(tensors))), features
    while blocks := [(i, block) for i, lane in enumerate(lanes) for block in _blocks(lane, after)]:
        taken = [i for i, _ in blocks]
        if taken != list(range(len(lanes))):
            value = _chosen(to, value, taken, to.shape(lanes[0])[3])
        value = _translated(to, value, [block for _, block in blocks])
        lanes, crops = [block.slope.outputs[0] for _, block in blocks], [crops[i] for i in taken]
    heads = [operator for lane in lanes for operator in after(lane)]
    counts = [to.shape(head.outputs[0])[3] // 2 for head in heads]
    return Found(_points(to, value, heads, 2 * max(counts)), tuple(crops), tuple(counts))


def _points(to: Translation, value: str, heads: Sequence[Operator], most: int) -> str:
    """The last convolution of each lane, with `most` numbers."""

    def filled(place: int) -> Array:
        parts = [to.constant(head.inputs[place]) for head in heads]
        return np.concatenate([np.pad(part, [(0, most - len(part)), *[(0, 0)] * (part.ndim - 1)]) for part in parts])

    weight = filled(1).transpose(0, 3, 1, 2)
    flat = conv_node(to, value, heads[0], weight, filled(2), len(heads))
    size = to.builder.constant(np.array([0, len(heads), most // 2, 2]))
    return to.builder.node("Reshape", flat, size)


def _consumers(network: Network) -> Callable[[str], list[Operator]]:
    return lambda name: [operator for operator in network.operators if name in operator.inputs]


def _blocks(tensor: str, after: Callable[[str], list[Operator]]) -> Iterator[Block]:
    """Those that begin at a tensor; none where it is the last one of its network."""
    following = after(tensor)
    pool = next((operator for operator in following if operator.kind == "MAX_POOL_2D"), None)
    pad = next((operator for operator in after(pool.outputs[0]) if operator.kind == "PAD"), None) if pool else None
    skipped = tensor if pool is None else (pad or pool).outputs[0]
    for operator in following:
        if operator.kind == "CONV_2D":
            for slope in after(operator.outputs[0]):
                if slope.kind == "PRELU":
                    yield Block((operator,), None, slope, None, None)
        elif operator.kind == "DEPTHWISE_CONV_2D":
            (pointwise,) = after(operator.outputs[0])
            (total,) = after(pointwise.outputs[0])
            (slope,) = after(total.outputs[0])
            if skipped not in total.inputs:
                raise ModelError(f"{tensor}: expected a block with {skipped} added, got {', '.join(total.inputs)}")
            yield Block((operator, pointwise), total, slope, pool, pad)


def _chosen(to: Translation, value: str, lanes: Sequence[int], width: int) -> str:
    """The lanes in another order or several times, each of `width` channels."""
    channels = np.concatenate([np.arange(lane * width, (lane + 1) * width) for lane in lanes])
    return to.builder.node("Gather", value, to.builder.constant(channels), axis=CHANNELS)


def _translated(to: Translation, value: str, blocks: Sequence[Block]) -> str:
    """One block for all lanes."""
    build, first, count = to.builder, blocks[0], len(blocks)
    shapes = {tuple(to.shape(operator.outputs[0]) for operator in block.operators) for block in blocks}
    if len(shapes) != 1:
        raise ModelError(f"{to.network.name}: expected blocks of one shape, got {len(shapes)} shapes")

    def joined(operators: Iterable[Operator], place: int, axes: tuple[int, ...]) -> Array:
        """Constants of the lanes, the axis of channels first."""
        return np.concatenate([to.constant(operator.inputs[place]).transpose(axes) for operator in operators])

    found = value
    for convolutions in zip(*(block.convolutions for block in blocks), strict=True):
        depthwise = convolutions[0].kind == "DEPTHWISE_CONV_2D"
        weight = joined(convolutions, 1, (3, 0, 1, 2) if depthwise else (0, 3, 1, 2))
        bias = joined(convolutions, 2, (0,))
        found = conv_node(to, found, convolutions[0], weight, bias, len(weight) if depthwise else count)
    if first.sum is not None:
        found = build.node("Add", found, _skipped(to, value, first, count))
    return build.node("PRelu", found, build.weight(joined((block.slope for block in blocks), 1, (2, 0, 1))))


def _skipped(to: Translation, value: str, block: Block, count: int) -> str:
    """What is added to the convolutions' result: each lane, its greatest values where that is smaller.

    Channels that are lacking are zero.
    """
    if block.pool is None:
        return value
    kernel = block.pool.options.FilterHeight(), block.pool.options.FilterWidth()
    value = to.builder.node("MaxPool", value, **window(to, block.pool, kernel))
    if block.pad is None:
        return value
    before, after = (to.shape(name)[3] for name in (block.pad.inputs[0], block.pad.outputs[0]))
    return widened(to.builder, value, before, after, count)
