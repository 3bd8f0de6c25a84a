"""Registry of network families: mien's own in one dict, and those of installed packages."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from mien import plugins
from mien.errors import SettingError
from mien_export.families.family import NetworkFamily, Trained
from mien_export.families.landmark_unet.family import LANDMARK_UNET
from mien_export.families.oneshot_live.family import LIVE
from mien_export.families.oneshot_paper.family import PAPER
from mien_export.families.parsing.family import PARSING
from mien_export.families.scgan.family import PAPER as SCGAN_PAPER
from mien_export.families.scgan.family import SCGAN
from mien_export.families.spade_video.family import SPADE_VIDEO
from mien_export.families.style.family import STYLE
from mien_export.train import checkpoint
from mien_export.train.course import Asked, Course

GROUP: Final = "mien_export.families"

FAMILIES: Final[Mapping[str, NetworkFamily[Any]]] = {
    family.kind: family for family in (LIVE, PAPER, LANDMARK_UNET, PARSING, SCGAN, SCGAN_PAPER, SPADE_VIDEO, STYLE)
}
"""mien's own, by kind."""


def all_families() -> dict[str, NetworkFamily[Any]]:
    """By kind: mien's own, then those that installed packages add.

    Raises:
        BackendError: a package that adds one cannot be loaded.
    """
    added: dict[str, Any] = {name: plugins.added(GROUP, name) for name in plugins.added_names(GROUP)}
    return added | dict(FAMILIES)


def family_of(kind: str, where: str) -> NetworkFamily[Any]:
    """The family of a kind that `where` names.

    Raises:
        SettingError: there is none.
    """
    if kind in FAMILIES:
        return FAMILIES[kind]
    families = all_families()
    if kind not in families:
        raise SettingError(f"{where}: kind must be one of {', '.join(families)}, got {kind!r}")
    return families[kind]


def configs() -> tuple[str, ...]:
    """What `--config` names."""
    return tuple(name for family in all_families().values() for name in family.configs)


def course_of(config: str, asked: Asked | None = None) -> Course:
    """The course of a configuration.

    Raises:
        SettingError: there is no such configuration or term, or it does not take what is asked.
    """
    for family in all_families().values():
        if config in family.configs:
            return family.course(config, asked or Asked())
    raise SettingError(f"--config must be one of {', '.join(configs())}, got {config!r}")


def read_trained(path: Path) -> Trained:
    """The networks of a checkpoint.

    Raises:
        SettingError: it is missing, broken or of something else.
    """
    state = checkpoint.load(path)
    try:
        kind, size, steps, seed = state["kind"], state["size"], int(state["done"]), int(state["seed"])
        family = family_of(kind, str(path))
        if size not in family.sizes:
            raise SettingError(f"{path}: size must be one of {', '.join(family.sizes)}, got {size!r}")
        networks = family.networks(state)
    except (KeyError, TypeError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise SettingError(f"{path} is no checkpoint of networks ({reason}); give one that train wrote") from error
    return Trained(
        family,
        networks.eval().requires_grad_(False),
        size,
        steps,
        seed,
        state.get("said"),
        tuple(state.get("attributes", ())),
    )
