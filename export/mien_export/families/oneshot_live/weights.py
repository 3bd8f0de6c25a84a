"""Initial weights from a bundle, pruned to a smaller network of the family if needed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from mien.errors import SettingError
from mien.manifest import read_bundle
from mien_export.families.oneshot_live.networks import ENCODED, KIND, LiveSize
from mien_export.families.oneshot_live.step import LiveNetworks
from mien_export.graphs.weights import weights_of

_FACTOR, _GAMMA = ".factor.", ".gamma."


def read_weights(folder: Path) -> tuple[str, dict[str, Tensor]]:
    """(size, state of `LiveNetworks`) of a bundle in float32, undoing what `lean` and `tidied` did to them.

    Raises:
        SettingError: the bundle is of another kind.
        ModelError: it cannot be read.
    """
    bundle = read_bundle(folder)
    if bundle.kind != KIND:
        raise SettingError(f"{folder}: expected a bundle of kind {KIND}, got {bundle.kind}; give another one")
    state: dict[str, Tensor] = {}
    for part in ("appearance", "generator"):
        state |= {f"{part}.{name}": value for name, value in _of_graph(bundle.graph(part).path).items()}
    return bundle.size, state


def averaged(networks: LiveNetworks, size: str, folders: Sequence[Path]) -> LiveNetworks:
    """New networks, whose weights are the means over `networks` and the bundles in `folders`, each counted alike.

    Runs that went on from the same weights are joined so: their errors differ by chance, and the mean has less of them
    (Wortsman et al. 2022).

    Raises:
        SettingError: a bundle is of another kind or size.
        ModelError: it cannot be read.
    """
    states = [networks.state_dict()]
    for folder in folders:
        own, state = read_weights(folder)
        if own != size:
            raise SettingError(
                f"{folder}: expected weights of size {size} to average with, got {own}; give another one"
            )
        states.append(state)
    out = LiveNetworks(size)
    out.load_state_dict({name: torch.stack([one[name] for one in states]).mean(0) for name in states[0]})
    return out.eval().requires_grad_(False)


def _of_graph(path: Path) -> dict[str, Tensor]:
    state = {}
    for name, value in weights_of(path).items():
        if not name.endswith((".weight", ".bias")):
            continue  # a constant of the graph
        if _FACTOR in name and name.endswith(".bias"):
            value = value - 1
        state[name.replace(_FACTOR, _GAMMA)] = value
    return state


Group = str
"""Channels that must be kept or dropped together: those of a residual stream, or of one branch's hidden layer."""


@dataclass(frozen=True, slots=True)
class _Conv:
    """A convolution by what it does, whatever its number in the network."""

    name: str
    """Prefix of its weight and bias."""
    out: Group | None = None
    """None: a width that all sizes have."""
    into: Group | None = None


def cut(weights: dict[str, Tensor], larger: LiveSize, smaller: LiveSize) -> dict[str, Tensor]:
    """State of `LiveNetworks` of size `smaller`, to learn on from, out of one of size `larger`.

    A channel's worth is the product of the squared norms of the weights that write it and of those that read it, the
    bound of what its loss changes downstream; each group keeps its channels of most worth, in their order.

    Raises:
        ValueError: `smaller` has a level, a block or a width that `larger` has not.
    """
    have, want = dict(_convs(larger)), dict(_convs(smaller))
    if not want.keys() <= have.keys():
        raise ValueError(f"{smaller.name} has {sorted(want.keys() - have.keys())[0]}, which {larger.name} has not")
    kept = _kept(weights, have, _widths(larger), _widths(smaller))
    out: dict[str, Tensor] = {}
    for what, conv in want.items():
        source = have[what]
        weight, bias = weights[f"{source.name}.weight"], weights[f"{source.name}.bias"]
        if source.out is not None:
            weight, bias = weight[kept[source.out]], bias[kept[source.out]]
        if source.into is not None:
            weight = weight[:, kept[source.into]]
        out |= {f"{conv.name}.weight": weight.clone(), f"{conv.name}.bias": bias.clone()}
    return out


def _kept(
    weights: dict[str, Tensor], convs: dict[str, _Conv], have: dict[Group, int], want: dict[Group, int]
) -> dict[Group, Tensor]:
    written, read = ({group: torch.zeros(width) for group, width in have.items()} for _ in range(2))
    for conv in convs.values():
        weight = weights[f"{conv.name}.weight"]
        if conv.out is not None:
            written[conv.out] += weight.square().sum((1, 2, 3)) + weights[f"{conv.name}.bias"].square()
        if conv.into is not None:
            read[conv.into] += weight.square().sum((0, 2, 3))
    kept = {}
    for group, width in want.items():
        if width > have[group]:
            raise ValueError(f"expected at most {have[group]} channels of {group}, got {width}")
        worth = written[group] * read[group]
        kept[group] = worth.topk(width).indices.sort().values
    return kept


def _widths(size: LiveSize) -> dict[Group, int]:
    widths: dict[Group, int] = {}
    for resolution, width in zip(ENCODED, size.encoder, strict=True):
        widths |= {f"encoder {resolution}": width, f"encoder {resolution} hidden": width}
    for level in size.levels:
        widths[f"level {level.resolution}"] = level.channels
        widths |= {f"level {level.resolution} hidden {block}": level.channels for block in range(level.blocks)}
    return widths


def _convs(size: LiveSize) -> Iterator[tuple[str, _Conv]]:
    yield from _encoder(size)
    resolutions = [level.resolution for level in size.levels]
    for i, level in enumerate(size.levels):
        stream = f"level {level.resolution}"
        yield f"parsing feature at {level.resolution}", _Conv(f"generator.parse.{i}")
        for block in range(level.blocks):
            yield from _block(f"generator.blocks.{i}.{block}", stream, block)
        if level.resolution > resolutions[0]:
            above = f"level {resolutions[i - 1]}"
            yield f"reduction to {level.resolution}", _Conv(f"generator.reduce.{i - 1}", stream, above)
        if level.resolution > 64:
            yield f"pictures at {level.resolution}", _Conv(f"generator.enter.{level.resolution}", stream)
    yield f"head at {resolutions[-1]}", _Conv("generator.head", None, f"level {resolutions[-1]}")


def _block(name: str, stream: Group, block: int) -> Iterator[tuple[str, _Conv]]:
    hidden = f"{stream} hidden {block}"
    for unit, group in (("modulate_first", stream), ("modulate_second", hidden)):
        for factor in ("gamma", "beta"):
            yield f"{hidden}, {unit} {factor}", _Conv(f"{name}.{unit}.{factor}", group)
    yield f"{hidden}, first", _Conv(f"{name}.first", hidden, stream)
    yield f"{hidden}, second", _Conv(f"{name}.second", stream, hidden)


def _encoder(size: LiveSize) -> Iterator[tuple[str, _Conv]]:
    streams = [f"encoder {resolution}" for resolution in ENCODED]
    yield "stem", _Conv("appearance.stem", streams[0])
    for i, stream in enumerate(streams):
        yield f"{stream}, first", _Conv(f"appearance.encode.{i}.first", f"{stream} hidden", stream)
        yield f"{stream}, second", _Conv(f"appearance.encode.{i}.second", stream, f"{stream} hidden")
        if i:
            yield f"{stream}, from above", _Conv(f"appearance.down.{i - 1}", stream, streams[i - 1])
    finest = ENCODED.index(size.features[-1][0])
    for i in range(finest, len(streams) - 1):
        yield f"{streams[i]}, from below", _Conv(f"appearance.lateral.{i - finest}", streams[i], streams[i + 1])
    for k, (resolution, _) in enumerate(size.features):
        yield (
            f"feature at {resolution}",
            _Conv(f"appearance.project.{k}", f"level {resolution}", streams[ENCODED.index(resolution)]),
        )
