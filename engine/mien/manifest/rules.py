"""What makes a bundle one that the engine can run: roles, shapes, ranges and how the graphs hang together."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

from mien.errors import ModelError
from mien.face.crop import View
from mien.face.topology import PARTS
from mien.manifest.bundle import BATCH, Bundle, Graph, TensorSpec
from mien.manifest.roles import DTYPES, GRAPHS, INPUTS, KINDS, LINKS, MANY, OUTPUTS, PRECISIONS, ROLES, Ports, Role

SIDES = range(64, 1025, 32)
VIEW_STEP = 16
"""Pixels of the crop of which all numbers of a view are multiples: the coarsest features have a place in so many."""


def check(bundle: Bundle, where: str) -> None:
    """Refuse a bundle that breaks the contract.

    Args:
        where: the manifest as the user knows it, for messages.

    Raises:
        ModelError: the first thing that is wrong.
    """
    for wrong in _faults(bundle):
        raise ModelError(f"{where}: {wrong}; take a bundle that was exported for this version of mien")


def _faults(bundle: Bundle) -> Iterator[str]:
    if bundle.kind not in KINDS:
        yield f"kind must be one of {', '.join(KINDS)}, got {bundle.kind!r}"
    if bundle.side not in SIDES:
        yield f"side must be a multiple of {SIDES.step} from {SIDES.start} to {SIDES[-1]}, got {bundle.side}"
    if bundle.parsing != PARTS:
        yield f"parsing must name the channels {', '.join(PARTS)}, got {', '.join(bundle.parsing) or 'none'}"
    yield from _faults_of_view(bundle.seen, bundle.side)
    yield from _faults_of_list(bundle)
    for graph in bundle.graphs:
        title = f"graph {graph.name} {graph.precision}"
        yield from _faults_of_ports(graph, title)
        shape = bundle.seen.shape if graph.name == "generator" else (bundle.side, bundle.side)
        for tensor in graph.inputs + graph.outputs:
            yield from _faults_of_tensor(tensor, shape, graph.precision, f"{title}, tensor {tensor.name}")
        yield from _faults_of_likeness(graph, bundle.graph(graph.name), title)
    yield from _faults_of_links(bundle)


def _faults_of_view(view: View, side: int) -> Iterator[str]:
    numbers = [view.x, view.y, view.width, view.height]
    if any(number % VIEW_STEP for number in numbers):
        yield f"view must be of multiples of {VIEW_STEP}, got {numbers}"
    inside = min(view.x, view.y) >= 0 and max(view.x + view.width, view.y + view.height) <= side
    if not inside or min(view.shape) <= 0:
        yield f"view must be x, y, width and height of a part of a crop of side {side}, got {numbers}"


def _faults_of_list(bundle: Bundle) -> Iterator[str]:
    """Of which graphs there are."""
    seen = Counter((graph.name, graph.precision) for graph in bundle.graphs)
    for (name, precision), times in seen.items():
        if name not in GRAPHS:
            yield f"a graph's name must be one of {', '.join(GRAPHS)}, got {name!r}"
        if precision not in PRECISIONS:
            yield f"graph {name}: precision must be one of {', '.join(PRECISIONS)}, got {precision!r}"
        if times > 1:
            yield f"graph {name} {precision} is listed {times} times"
    for name in GRAPHS:
        if (name, "fp32") not in seen:
            yield f"expected a graph {name} in fp32, which the others are held to, got none"
    for precision in bundle.precisions_for_auto:
        if precision not in PRECISIONS:
            yield f"precisions_for_auto must be of {', '.join(PRECISIONS)}, got {precision!r}"


def _faults_of_ports(graph: Graph, title: str) -> Iterator[str]:
    names = Counter(tensor.name for tensor in graph.inputs + graph.outputs)
    for name, times in names.items():
        if times > 1:
            yield f"{title}: tensor {name} is listed {times} times"
    yield from _faults_of_side(graph.inputs, INPUTS[graph.name], f"{title}, inputs")
    yield from _faults_of_side(graph.outputs, OUTPUTS[graph.name], f"{title}, outputs")


def _faults_of_side(tensors: tuple[TensorSpec, ...], ports: Ports, title: str) -> Iterator[str]:
    roles = Counter(tensor.role for tensor in tensors)
    for role, times in roles.items():
        if role not in ports.allowed:
            yield f"{title}: role must be one of {', '.join(sorted(ports.allowed))}, got {role!r}"
        if times > 1 and role not in MANY:
            yield f"{title}: expected one tensor with the role {role}, got {times}"
    for role in sorted(ports.needed - set(roles)):
        yield f"{title}: expected a tensor with the role {role}, got none"


def _faults_of_tensor(tensor: TensorSpec, shape: tuple[int, int], precision: str, title: str) -> Iterator[str]:
    role = ROLES[tensor.role]
    dtypes = DTYPES if precision == "fp16" else DTYPES[:1]
    if tensor.dtype not in dtypes:
        yield f"{title}: dtype must be {' or '.join(dtypes)}, got {tensor.dtype!r}"
    if len(tensor.shape) != 4 or tensor.shape[0] != BATCH:
        yield f'{title}: shape must be ["{BATCH}", channels, height, width], got {list(tensor.shape)}'
    elif not all(isinstance(size, int) and size > 0 for size in tensor.shape[1:]):
        yield f"{title}: sizes after the batch must be positive whole numbers, got {list(tensor.shape)}"
    elif role.channels is not None and tensor.shape[1:] not in _shapes(role, role.channels, shape):
        expected = f"{[BATCH, role.channels, *shape]}{', or a half, a quarter of its size' if role.coarser else ''}"
        yield f"{title}: shape of the role {tensor.role} must be {expected}, got {list(tensor.shape)}"
    if role.range is not None and tensor.range != role.range:
        yield f"{title}: range of the role {tensor.role} must be {list(role.range)}, got {_shown(tensor.range)}"
    if tensor.range is not None and not -math.inf < tensor.range[0] < tensor.range[1] < math.inf:
        yield f"{title}: range must be [least, greatest], got {_shown(tensor.range)}"
    if tensor.warped and tensor.role != "feature":
        yield f"{title}: only features can be warped, got the role {tensor.role}"


def _shapes(role: Role, channels: int, shape: tuple[int, int]) -> set[tuple[str | int, ...]]:
    height, width = shape
    found: set[tuple[str | int, ...]] = {(channels, height, width)}
    while role.coarser and height % 2 == width % 2 == 0:
        height, width = height // 2, width // 2
        found.add((channels, height, width))
    return found


def _faults_of_likeness(graph: Graph, exact: Graph, title: str) -> Iterator[str]:
    """Of one precision against fp32: what differs is how it computes, not what it takes and gives."""
    if (_outline(graph.inputs), _outline(graph.outputs)) != (_outline(exact.inputs), _outline(exact.outputs)):
        yield f"{title}: expected inputs and outputs as in fp32 but for the dtype, got others"


def _faults_of_links(bundle: Bundle) -> Iterator[str]:
    leaving = bundle.graph("appearance").outputs
    if bundle.seen != View.whole(bundle.side):
        for tensor in leaving:
            if not tensor.warped:
                yield f"{tensor.name} is not warped to a view, so the generator needs the whole crop, got {bundle.view}"
    given = _outline(_in_view(tensor, bundle) for tensor in leaving)
    taken = _outline(tensor for tensor in bundle.graph("generator").inputs if tensor.role in LINKS)
    if given != taken:
        odd = ", ".join(sorted({str(outline[0]) for outline in given ^ taken}))
        yield (
            "features must leave appearance as they enter generator, but for the view: name, role, shape, warped; "
            f"{odd} differ"
        )


def _in_view(tensor: TensorSpec, bundle: Bundle) -> TensorSpec:
    """A feature as `generator` takes it: as large as the view is in it."""
    batch, channels, *places = tensor.shape
    seen = (int(n) * part // bundle.side for n, part in zip(places, bundle.seen.shape, strict=True))
    return replace(tensor, shape=(batch, channels, *seen))


def _outline(tensors: Iterable[TensorSpec]) -> set[tuple[object, ...]]:
    return {(tensor.name, tensor.role, tensor.shape, tensor.range, tensor.warped) for tensor in tensors}


def _shown(limits: tuple[float, float] | None) -> str:
    return "none" if limits is None else str(list(limits))
