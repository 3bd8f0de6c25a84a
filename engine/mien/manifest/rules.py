"""Checks of a bundle against its family: graphs, ports and links."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

from mien.errors import ModelError
from mien.manifest.bundle import BATCH, PRECISIONS, Bundle, Graph, TensorSpec
from mien.manifest.family import RUNS, Family, GraphRule, Link, Port
from mien.plane import Box

SIDES = range(64, 1025, 32)
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
"""Of an attribute that a bundle names itself: users type it."""
VIEW_STEP = 16
"""Pixels of the crop of which all numbers of a view are multiples: the coarsest features have a place in so many."""


def check(bundle: Bundle, family: Family, where: str) -> None:
    """Refuse a bundle that breaks the contract of its family.

    Args:
        where: the manifest as the user knows it, for messages.

    Raises:
        ModelError: the first thing that is wrong.
    """
    for wrong in _faults(bundle, family):
        raise ModelError(f"{where}: {wrong}; take a bundle that was exported for this version of mien")


def _faults(bundle: Bundle, family: Family) -> Iterator[str]:
    if bundle.kind not in family.all_kinds:
        yield f"kind must be one of {', '.join(family.all_kinds)}, got {bundle.kind!r}"
    if bundle.side not in SIDES:
        yield f"side must be a multiple of {SIDES.step} from {SIDES.start} to {SIDES[-1]}, got {bundle.side}"
    if bundle.classes != family.classes:
        yield f"classes must name the channels {_listed(family.classes)}, got {_listed(bundle.classes)}"
    yield from _faults_of_attributes(bundle.attributes, family.attributes)
    yield from _faults_of_view(bundle.seen, bundle.side)
    yield from _faults_of_list(bundle, family)
    rules = {rule.name: rule for rule in family.graphs}
    for graph in bundle.graphs:
        title = f"graph {graph.name} {graph.precision}"
        yield from _faults_of_graph(graph, rules[graph.name], bundle, title)
        yield from _faults_of_likeness(graph, bundle.graph(graph.name), title)
    for link in family.links:
        yield from _faults_of_link(bundle, link)


def _faults_of_attributes(names: tuple[str, ...], known: tuple[str, ...] | None) -> Iterator[str]:
    if known is None:
        if not names or len(set(names)) < len(names) or not all(NAME.fullmatch(name) for name in names):
            yield f"attributes must be different names of small letters, digits and hyphens, got {_listed(names)}"
    elif odd := set(names) - set(known):
        yield f"attributes must be of {_listed(known)}, got {_listed(sorted(odd))}"


def _faults_of_view(view: Box, side: int) -> Iterator[str]:
    numbers = [view.x, view.y, view.width, view.height]
    if any(number % VIEW_STEP for number in numbers):
        yield f"view must be of multiples of {VIEW_STEP}, got {numbers}"
    inside = min(view.x, view.y) >= 0 and max(view.x + view.width, view.y + view.height) <= side
    if not inside or min(view.shape) <= 0:
        yield f"view must be x, y, width and height of a part of a crop of side {side}, got {numbers}"


def _faults_of_list(bundle: Bundle, family: Family) -> Iterator[str]:
    """Of which graphs there are."""
    names = [rule.name for rule in family.graphs]
    seen = Counter((graph.name, graph.precision) for graph in bundle.graphs)
    for (name, precision), times in seen.items():
        if name not in names:
            yield f"a graph's name must be one of {', '.join(names)}, got {name!r}"
        if precision not in PRECISIONS:
            yield f"graph {name}: precision must be one of {', '.join(PRECISIONS)}, got {precision!r}"
        if times > 1:
            yield f"graph {name} {precision} is listed {times} times"
    for name in names:
        if (name, "fp32") not in seen:
            yield f"expected a graph {name} in fp32, which the others are held to, got none"
    for precision in bundle.precisions_for_auto:
        if precision not in PRECISIONS:
            yield f"precisions_for_auto must be of {', '.join(PRECISIONS)}, got {precision!r}"
    for runs in RUNS:
        order = [rule.name for rule in family.graphs if rule.runs == runs]
        listed = list(dict.fromkeys(graph.name for graph in bundle.graphs if graph.name in order))
        if listed != order:
            yield f"graphs must be listed in the order {', '.join(order)}, got {', '.join(listed)}"


def _faults_of_graph(graph: Graph, rule: GraphRule, bundle: Bundle, title: str) -> Iterator[str]:
    if graph.runs != rule.runs:
        yield f"{title}: runs must be {rule.runs!r}, as in the family {bundle.family}, got {graph.runs!r}"
    names = Counter(tensor.name for tensor in graph.inputs + graph.outputs)
    for name, times in names.items():
        if times > 1:
            yield f"{title}: tensor {name} is listed {times} times"
    for tensors, ports, side in ((graph.inputs, rule.inputs, "inputs"), (graph.outputs, rule.outputs, "outputs")):
        yield from _faults_of_side(tensors, ports, f"{title}, {side}")
        by_role = {port.role: port for port in ports}
        for tensor in tensors:
            port = by_role[tensor.role]
            yield from _faults_of_tensor(tensor, port, bundle, graph.precision, f"{title}, tensor {tensor.name}")


def _faults_of_side(tensors: tuple[TensorSpec, ...], ports: tuple[Port, ...], title: str) -> Iterator[str]:
    roles = Counter(tensor.role for tensor in tensors)
    by_role = {port.role: port for port in ports}
    for role, times in roles.items():
        if role not in by_role:
            yield f"{title}: role must be one of {', '.join(sorted(by_role))}, got {role!r}"
        elif times > 1 and not by_role[role].many:
            yield f"{title}: expected one tensor with the role {role}, got {times}"
    for role in sorted(port.role for port in ports if port.needed and port.role not in roles):
        yield f"{title}: expected a tensor with the role {role}, got none"


def _faults_of_tensor(tensor: TensorSpec, port: Port, bundle: Bundle, precision: str, title: str) -> Iterator[str]:
    dtypes = ("float32", "float16") if precision == "fp16" and port.dtype == "float32" else (port.dtype,)
    if tensor.dtype not in dtypes:
        yield f"{title}: dtype must be {' or '.join(dtypes)}, got {tensor.dtype!r}"
    yield from _faults_of_shape(tensor, port, bundle, title)
    if port.range is not None and tensor.range != port.range:
        yield f"{title}: range of the role {tensor.role} must be {list(port.range)}, got {_shown(tensor.range)}"
    if tensor.range is not None and not -math.inf < tensor.range[0] < tensor.range[1] < math.inf:
        yield f"{title}: range must be [least, greatest], got {_shown(tensor.range)}"
    if tensor.warped and not port.warped:
        yield f"{title}: a tensor of the role {tensor.role} cannot be warped"


def _faults_of_shape(tensor: TensorSpec, port: Port, bundle: Bundle, title: str) -> Iterator[str]:
    axes = ("channels",) if port.extent == "vector" else ("channels", "height", "width")
    if len(tensor.shape) != 1 + len(axes) or tensor.shape[0] != BATCH:
        yield f'{title}: shape must be ["{BATCH}", {", ".join(axes)}], got {list(tensor.shape)}'
    elif not all(isinstance(size, int) and size > 0 for size in tensor.shape[1:]):
        yield f"{title}: sizes after the batch must be positive whole numbers, got {list(tensor.shape)}"
    channels = len(bundle.attributes) if port.channels == "attributes" else port.channels
    wanted = tensor.shape[1] if channels is None else channels
    extents = _extents(port, bundle)
    if tensor.shape[1] != wanted or (extents and tensor.shape[2:] not in extents):
        places = list(extents[0]) if extents else list(tensor.shape[2:])
        expected = f"{[BATCH, wanted, *places]}{', or a half, a quarter of its size' if port.coarser else ''}"
        yield f"{title}: shape of the role {tensor.role} must be {expected}, got {list(tensor.shape)}"


def _extents(port: Port, bundle: Bundle) -> list[tuple[int, int]]:
    """Heights and widths that a port may have, the finest first; none where any will do."""
    if port.extent not in ("crop", "view"):
        return []
    height, width = bundle.seen.shape if port.extent == "view" else (bundle.side, bundle.side)
    found = [(height, width)]
    while port.coarser and height % 2 == width % 2 == 0:
        height, width = height // 2, width // 2
        found.append((height, width))
    return found


def _faults_of_likeness(graph: Graph, exact: Graph, title: str) -> Iterator[str]:
    """Of one precision against fp32: what differs is how it computes, not what it takes and gives."""
    if (_outline(graph.inputs), _outline(graph.outputs)) != (_outline(exact.inputs), _outline(exact.outputs)):
        yield f"{title}: expected inputs and outputs as in fp32 but for the dtype, got others"


def _faults_of_link(bundle: Bundle, link: Link) -> Iterator[str]:
    source, target = bundle.graph(link.source), bundle.graph(link.target)
    leaving = [tensor for tensor in source.outputs if tensor.role in link.roles]
    to_view = (source.runs, target.runs) == ("once", "frame")
    if to_view and bundle.seen != Box.whole(bundle.side, bundle.side):
        for tensor in leaving:
            if not tensor.warped and len(tensor.shape) == 4:
                yield f"{tensor.name} is not warped to a view, so {link.target} needs the whole crop, got {bundle.view}"
    given = _outline(_in_view(tensor, bundle) if to_view else tensor for tensor in leaving)
    taken = _outline(tensor for tensor in target.inputs if tensor.role in link.roles)
    if given != taken:
        odd = ", ".join(sorted({str(outline[0]) for outline in given ^ taken}))
        yield (
            f"tensors must leave {link.source} as they enter {link.target}, but for the view: name, role, shape, "
            f"warped; {odd} differ"
        )


def _in_view(tensor: TensorSpec, bundle: Bundle) -> TensorSpec:
    """A tensor of the crop as a graph that sees the view takes it: as large as the view is in it."""
    batch, channels, *places = tensor.shape
    if not places:
        return tensor
    seen = (int(n) * part // bundle.side for n, part in zip(places, bundle.seen.shape, strict=True))
    return replace(tensor, shape=(batch, channels, *seen))


def _outline(tensors: Iterable[TensorSpec]) -> set[tuple[object, ...]]:
    return {(tensor.name, tensor.role, tensor.shape, tensor.range, tensor.warped) for tensor in tensors}


def _shown(limits: tuple[float, float] | None) -> str:
    return "none" if limits is None else str(list(limits))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"
