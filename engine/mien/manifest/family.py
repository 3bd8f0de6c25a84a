"""A model family: its graphs, when each of them runs, what enters and leaves it, and how the graphs are linked.

A family is data. The reading of manifests checks every bundle against its family by one code (`mien.manifest.rules`),
and what runs graphs asks it when each runs and what its inputs mean. It names roles; `mien.paint.fillers` fills them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final, Literal, get_args

Runs = Literal["once", "frame", "request"]
"""When a graph runs: once per portrait, for every frame, or when somebody asks for it."""
RUNS: Final[tuple[Runs, ...]] = get_args(Runs)
Extent = Literal["crop", "view", "any", "vector"]
"""Height and width of a tensor: the crop's, the view's, any, or it has none: (batch, channels)."""
Channels = int | Literal["attributes"] | None
"""A number, as many as the bundle names attributes, or any."""
Range = tuple[float, float]

SIGNED: Final[Range] = (-1.0, 1.0)
UNIT: Final[Range] = (0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Port:
    """What a graph's tensor of one role must look like."""

    role: str
    """What the tensor means, such as `warped`: the portrait warped to the target's shape."""
    channels: Channels = None
    extent: Extent = "any"
    range: Range | None = None
    """Least and greatest value that the manifest must name; None: it need not name any."""
    dtype: str = "float32"
    """A graph in fp16 may have float16 where this is float32."""
    needed: bool = True
    """Whether a graph must have a tensor of this role."""
    many: bool = False
    """Whether a graph may have several."""
    coarser: bool = False
    """Whether height and width may be a half, a quarter and so on of the extent."""
    warped: bool = False
    """Whether its tensors may be marked `warped` in a manifest: moved by the frame's flow on their way along a link."""


@dataclass(frozen=True, slots=True)
class GraphRule:
    """One graph of a family."""

    name: str
    runs: Runs
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]

    def port(self, role: str, inputs: bool) -> Port | None:
        """The port of this role among inputs or outputs, None where there is none."""
        return next((port for port in (self.inputs if inputs else self.outputs) if port.role == role), None)


@dataclass(frozen=True, slots=True)
class Link:
    """Outputs of one graph that are inputs of another: of these roles, under the same names.

    From a graph that runs once to one that runs for every frame they lead from the whole crop to the view.
    """

    source: str
    target: str
    roles: frozenset[str]


@dataclass(frozen=True, slots=True)
class Family:
    """The contract of all bundles of a family."""

    name: str
    graphs: tuple[GraphRule, ...]
    """In the order in which they run."""
    links: tuple[Link, ...] = ()
    kinds: tuple[str, ...] = ()
    """Networks that keep this contract, which training and export tell apart; none named: one called as the family."""
    classes: tuple[str, ...] = ()
    """Channels of the family's label maps; each bundle repeats them, so that another order is noticed."""
    attributes: tuple[str, ...] | None = ()
    """Names of which a bundle lists those that it was trained on; None: each bundle names its own, at least one."""
    stage: str = "paint"
    """Which stage runs its graphs: a key of `mien.chain.STAGES`."""

    def __post_init__(self) -> None:
        """Refuse rules that contradict each other.

        Raises:
            ValueError: two graphs of one name, none at all, or a link between ports that there are not.
        """
        names = Counter(graph.name for graph in self.graphs)
        if not names or max(names.values()) > 1:
            raise ValueError(f"family {self.name}: expected graphs of different names, got {list(names.elements())}")
        for link in self.links:
            for name, inputs in ((link.source, False), (link.target, True)):
                rule = self.graph(name)
                lacking = [role for role in sorted(link.roles) if rule is None or rule.port(role, inputs) is None]
                if lacking:
                    side = "inputs" if inputs else "outputs"
                    raise ValueError(f"family {self.name}: graph {name} has no {side} of the roles {lacking}")

    def graph(self, name: str) -> GraphRule | None:
        """The rule of the graph of this name, None where there is none."""
        return next((graph for graph in self.graphs if graph.name == name), None)

    @property
    def all_kinds(self) -> tuple[str, ...]:
        """What `kind` in a manifest may be."""
        return self.kinds or (self.name,)

    @property
    def ranges(self) -> dict[str, Range | None]:
        """Least and greatest values by role."""
        return {port.role: port.range for rule in self.graphs for port in (*rule.inputs, *rule.outputs)}

    def linked(self, graph: str) -> frozenset[str]:
        """Roles of the inputs that other graphs give to this one."""
        return frozenset(role for link in self.links if link.target == graph for role in link.roles)
