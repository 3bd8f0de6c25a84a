"""From a configuration's name, and what a user gives, to a course."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Final, TypeVar

from mien.errors import SettingError
from mien_export.train import config as live
from mien_export.train.course import Course
from mien_export.train.extractors.given import Given
from mien_export.train.live_course import LiveCourse
from mien_export.train.paper import config as paper
from mien_export.train.paper.course import PaperCourse
from mien_export.train.schedule import shared_out

NAMES: Final = (*live.CONFIGS, *paper.CONFIGS)
"""What `--config` names."""

C = TypeVar("C", live.LiveConfig, paper.PaperConfig)


def course_of(
    name: str,
    *,
    steps: int | None = None,
    weights: Sequence[tuple[str, float]] = (),
    given: Given | None = None,
    begin: Path | None = None,
    mouths: Path | None = None,
    packed: Path | None = None,
) -> Course:
    """The course of a configuration.

    Args:
        steps: in all, instead of the configuration's.
        weights: of terms of the loss, instead of the configuration's; 0 switches a term off.
        begin, mouths, packed: of `LiveCourse`.

    Raises:
        SettingError: there is no such configuration or term, or it does not take what is given.
    """
    given = given or Given()
    if name in live.CONFIGS:
        return LiveCourse(_changed(live.CONFIGS[name], steps, weights), begin, mouths, packed, given)
    if name not in paper.CONFIGS:
        raise SettingError(f"--config must be one of {', '.join(NAMES)}, got {name!r}")
    for option, value in (("--begin", begin), ("--mouths", mouths), ("--packed", packed)):
        if value is not None:
            raise SettingError(f"{option} is for configurations oneshot-live-..., got {name}; leave it out")
    return PaperCourse(_changed(paper.CONFIGS[name], steps, weights), given)


def _changed(config: C, steps: int | None, weights: Sequence[tuple[str, float]]) -> C:
    stages: Any = config.stages if steps is None else shared_out(config.stages, steps)
    terms = [field.name for field in fields(config.losses)]
    for term, _ in weights:
        if term not in terms:
            raise SettingError(f"--weight: expected a term of {', '.join(terms)}, got {term!r}")
    losses: Any = replace(config.losses, **dict(weights))
    return replace(config, stages=stages, losses=losses)
