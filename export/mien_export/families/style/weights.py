"""Networks of styles from bundles, and with room for one style more."""

from __future__ import annotations

from pathlib import Path

import torch

from mien.errors import SettingError
from mien.manifest import read_bundle
from mien_export.families.style.network import KIND, SIZES, StyleNetwork
from mien_export.graphs.weights import weights_of

_COLOURS, _VIEW = "colours", "view"
"""As the module calls them, and as the exporter does that lays them out in rows."""


def read_network(folder: Path) -> tuple[StyleNetwork, str, tuple[str, ...]]:
    """The network of a bundle, its size, and the names of its styles.

    Raises:
        SettingError: the bundle is of another kind.
        ModelError: it cannot be read.
    """
    bundle = read_bundle(folder)
    if bundle.kind != KIND:
        raise SettingError(f"{folder}: expected a bundle of kind {KIND}, got {bundle.kind}; give another one")
    weights = weights_of(bundle.graph("whole").path)
    network = StyleNetwork(SIZES[bundle.size], len(bundle.attributes))
    state = {name: weights[f"network.{name}"] for name in network.state_dict() if name != _COLOURS}
    network.load_state_dict(state | {_COLOURS: weights[_VIEW].view(-1, 3, 3)})
    return network, bundle.size, bundle.attributes


def with_another(network: StyleNetwork, size: str, colours: torch.Tensor, offset: torch.Tensor) -> StyleNetwork:
    """The network with one style more, which begins with the mean of the others' strokes and with a colour transfer.

    Args:
        colours: A, (3, 3).
        offset: t, (3,).
    """
    grown = StyleNetwork(SIZES[size], network.styles + 1)
    state = {
        name: torch.cat([value, value.mean(0, keepdim=True)]) if _by_style(name) else value
        for name, value in network.state_dict().items()
    }
    grown.load_state_dict(state)
    with torch.no_grad():
        grown.colours[-1], grown.offsets[-1] = colours, offset
    return grown


def _by_style(name: str) -> bool:
    return name in (_COLOURS, "offsets") or name.endswith((".scale", ".shift"))
