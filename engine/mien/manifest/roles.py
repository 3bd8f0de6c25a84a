"""What tensors may mean, and what each meaning demands of shape and range."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from mien.face.topology import PARTS

SIGNED: Final = (-1.0, 1.0)
UNIT: Final = (0.0, 1.0)
KINDS: Final = ("oneshot-live", "oneshot-paper")
PRECISIONS: Final = ("fp32", "fp16", "int8")
"""Of graphs; fp32 comes first, since the others are held to it."""
DTYPES: Final = ("float32", "float16")


@dataclass(frozen=True, slots=True)
class Role:
    """What a tensor of this role must look like."""

    channels: int | None
    """None: any number, at a height and width of its own instead of the crop's."""
    range: tuple[float, float] | None
    """None: unbounded."""
    coarser: bool = False
    """Whether it may be a half, a quarter and so on of the crop's side, where the graph takes means of it alone."""


ROLES: Final[Mapping[str, Role]] = {
    "picture": Role(3, SIGNED),
    "portrait_parsing": Role(len(PARTS), UNIT),
    "feature": Role(None, None),
    "latent": Role(None, None),
    "parsing": Role(len(PARTS), UNIT, coarser=True),
    "warped": Role(3, SIGNED),
    "hint": Role(3, SIGNED),
    "generated": Role(3, SIGNED),
    "mask": Role(1, UNIT),
}
MANY: Final = frozenset({"feature"})
"""Roles that several tensors of one graph may have."""
LINKS: Final = frozenset({"feature", "latent"})
"""Roles that lead from an output of `appearance` to the input of the same name of `generator`."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Roles that one side of a graph must have and may have."""

    needed: frozenset[str]
    allowed: frozenset[str]


INPUTS: Final[Mapping[str, Ports]] = {
    "appearance": Ports(frozenset({"picture"}), frozenset({"picture", "portrait_parsing"})),
    "generator": Ports(frozenset({"parsing", "warped"}), frozenset({"parsing", "warped", "hint"}) | LINKS),
}
OUTPUTS: Final[Mapping[str, Ports]] = {
    "appearance": Ports(frozenset({"feature"}), LINKS),
    "generator": Ports(frozenset({"generated", "mask"}), frozenset({"generated", "mask"})),
}
GRAPHS: Final = tuple(INPUTS)
