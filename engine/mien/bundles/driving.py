"""The models that drive portraits."""

from __future__ import annotations

from mien.bundles import installed_bundles
from mien.config import WARP
from mien.errors import ModelError
from mien.manifest import read_manifest
from mien.manifest.families import family_named

PAINTING = "paint"
"""The stage whose networks drive a portrait: a key of `mien.chain.STAGES`."""


def driving_models() -> list[str]:
    """Names for `ReenactSettings.model`: `warp`, and installed bundles whose networks paint. Broken ones are left out,
    as `mien models` tells of them."""
    found = [WARP]
    for place in installed_bundles():
        try:
            family = family_named(read_manifest(place.folder).family)
        except ModelError:
            continue
        if family.stage == PAINTING:
            found.append(place.name)
    return found
