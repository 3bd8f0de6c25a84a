"""Cross-reenactment: the thesis's tables 4.1 to 4.3, and grain, of the people who are there."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from mien_bench.quality import grain, trials
from mien_bench.quality.columns import train_columns
from mien_bench.quality.cross import CrossScore
from mien_bench.quality.found import Found, joined
from mien_bench.quality.given import Given
from mien_bench.quality.second_look import SecondLook
from mien_bench.quality.tables import rows_of, table_41, table_42, table_43
from mien_bench.quality.thesis import GROUPS
from mien_bench.results import Fact, Row

THESIS: Final = ("4.1", "4.2", "4.3")
GRAIN: Final = "grain"


def crossed(given: Given, options: argparse.Namespace, wanted: tuple[str, ...]) -> Found:
    """Those of the tables that are wanted.

    Raises:
        MienError: a model or dlib is missing, or material cannot be read.
    """
    second_look = SecondLook()
    people = trials.cast(given, second_look, options.guides)
    parts = [Found(notes=tuple(f"nobody of the group {name!r} is here" for name in GROUPS if not people.groups[name]))]
    if "4.1" in wanted:
        parts.append(_consistency(trials.consistency_scores(people, options.models, second_look, options.threads)))
    if "4.2" in wanted:
        length = _length(options)
        if options.ablation is not None and length is not None:
            train_columns(given.faces, options.ablation, length, options.threads)
        parts.append(_ablation(trials.ablation_scores(people, options.ablation, second_look, options.threads)))
    if "4.3" in wanted:
        args = given.watched, people.guides, options.models, second_look, options.threads
        parts.append(_several(trials.several_scores(*args)))
    if GRAIN in wanted:
        grains = grain.grains(people.groups[GROUPS[-1]], people.guides, options.models, options.threads)
        parts.append(Found(tuple(grain.rows(grains)), (grain.table(grains),)))
    return joined(parts)


def _consistency(scores: Mapping[str, Mapping[str, CrossScore]]) -> Found:
    rows = (
        row
        for group, found in scores.items()
        for name, score in found.items()
        for row in rows_of(score, {"on": group, "model": name})
    )
    return Found(tuple(rows), (table_41(scores),))


def _length(options: argparse.Namespace) -> tuple[str, float] | None:
    """Of the training of each column; None: none is trained."""
    if options.ablation_steps:
        return "steps", options.ablation_steps
    return ("minutes", options.ablation_minutes) if options.ablation_minutes else None


def _ablation(scores: Mapping[str, CrossScore]) -> Found:
    rows = (row for name, score in scores.items() for row in rows_of(score, {"on": "table 4.2", "model": name}))
    return Found(tuple(rows), (table_42(scores),))


def _several(scores: Mapping[str, Mapping[int, CrossScore]]) -> Found:
    rows: list[Row] = []
    for model, found in scores.items():
        for count, score in found.items():
            condition: dict[str, Fact] = {"on": "clips", "model": Path(model).name, "pictures": count}
            rows += rows_of(score, condition)
    return Found(tuple(rows), (table_43(scores),))
