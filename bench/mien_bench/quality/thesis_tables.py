"""Identity in the thesis's own tables 4.2 and 4.3, its figures beside ours, and grain, of the people who are there."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mien_bench.quality import grain, thesis_runs
from mien_bench.quality.clips import Material
from mien_bench.quality.cross import CrossScore
from mien_bench.quality.dlib_face import DlibDetector
from mien_bench.quality.thesis_runs import (
    DIFFERENT_42,
    DIFFERENT_43,
    GROUPS,
    TABLE_42,
    TABLE_43,
    train_columns,
)
from mien_bench.results import Check, Fact, Row, Strip, Table

Scores = Mapping[str, Mapping[str, CrossScore]]
"""By group, then by row."""
THESIS: Final = ("4.2", "4.3")
GRAIN: Final = "grain"


@dataclass(frozen=True, slots=True)
class Part:
    """Rows, tables to stand beside a paper's, pictures, what could not be had, and what was promised."""

    rows: tuple[Row, ...] = ()
    tables: tuple[Table, ...] = ()
    strips: tuple[Strip, ...] = ()
    notes: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()


def joined_parts(parts: Sequence[Part]) -> Part:
    """All parts as one."""
    return Part(
        tuple(row for part in parts for row in part.rows),
        tuple(table for part in parts for table in part.tables),
        tuple(strip for part in parts for strip in part.strips),
        tuple(note for part in parts for note in part.notes),
        tuple(check for part in parts for check in part.checks),
    )


def table_42(scores: Mapping[str, CrossScore]) -> Table:
    """Identity by what was left out or weighed otherwise in training; rows that nobody trained stay empty."""
    names = list(dict.fromkeys([*TABLE_42, *scores]))
    lacking = [name for name in TABLE_42 if name not in scores]
    return Table(
        "Table 4.2: identity %, same source, without fusion",
        ("", *names),
        (
            ("here", *(_identity(scores.get(name)) for name in names)),
            ("distance", *(_distance(scores.get(name)) for name in names)),
            ("thesis", *(str(TABLE_42.get(name, "-")) for name in names)),
        ),
        (2,),
        (DIFFERENT_42, *([_not_trained(lacking)] if lacking else [])),
    )


def table_43(scores: Mapping[str, Mapping[int, CrossScore]]) -> Table:
    """Identity by the number of pictures of a person, for each model."""
    ours = [
        (Path(model).name, *(f"{_identity(rows.get(k))} ({_distance(rows.get(k))})" for k in TABLE_43))
        for model, rows in scores.items()
    ]
    return Table(
        "Table 4.3: identity % (mean distance) by the number of pictures",
        ("", *(f"k = {k}" for k in TABLE_43)),
        (*ours, ("thesis", *map(str, TABLE_43.values()))),
        (len(ours),),
        (DIFFERENT_43,),
    )


def rows_of(score: CrossScore, condition: Mapping[str, Fact]) -> Iterator[Row]:
    """One model's figures; those that are known of each reference with a value of each. Nothing of nobody."""
    if score.of_references:
        pose, distance = zip(*score.of_references.values(), strict=True)
        yield Row("pose, difference", "deg", pose, "lower", condition, each="reference")
        yield Row("identity, distance", "", distance, "lower", condition, each="reference")
    if math.isfinite(score.leak):
        yield Row("face shape leakage", "%", (score.leak,), "neither", condition, each="run")
    if score.count:
        yield Row("identity", "%", (score.identity,), "higher", condition, each="run")


def _not_trained(names: list[str]) -> str:
    return (
        f"not trained here: {', '.join(names)}; `mien export` trains them, --ablation names the folder of the bundles"
    )


def _identity(score: CrossScore | None) -> str:
    return "-" if score is None else _cell(score.identity, 1)


def _distance(score: CrossScore | None) -> str:
    return "-" if score is None else _cell(score.distance, 3)


def _cell(value: float, digits: int, unit: str = "") -> str:
    return f"{value:.{digits}f}{unit}" if math.isfinite(value) else "-"


def thesis_tables(given: Material, options: argparse.Namespace, wanted: tuple[str, ...]) -> Part:
    """Those of the tables that are wanted.

    Raises:
        MienError: a model or dlib is missing, or material cannot be read.
    """
    second_look = DlibDetector()
    people = thesis_runs.cast(given, second_look, options.guides)
    parts = [Part(notes=tuple(f"nobody of the group {name!r} is here" for name in GROUPS if not people.groups[name]))]
    if "4.2" in wanted:
        length = _length(options)
        if options.ablation is not None and length is not None:
            train_columns(given.faces, options.ablation, length, options.threads)
        parts.append(_ablation(thesis_runs.ablation_scores(people, options.ablation, second_look, options.threads)))
    if "4.3" in wanted:
        args = given.watched, people.guides, options.models, second_look, options.threads
        parts.append(_several(thesis_runs.several_scores(*args)))
    if GRAIN in wanted:
        grains = grain.grains(people.groups[GROUPS[-1]], people.guides, options.models, options.threads)
        parts.append(Part(tuple(grain.rows(grains)), (grain.table(grains),)))
    return joined_parts(parts)


def _length(options: argparse.Namespace) -> tuple[str, float] | None:
    """Of the training of each column; None: none is trained."""
    if options.ablation_steps:
        return "steps", options.ablation_steps
    return ("minutes", options.ablation_minutes) if options.ablation_minutes else None


def _ablation(scores: Mapping[str, CrossScore]) -> Part:
    rows = (row for name, score in scores.items() for row in rows_of(score, {"on": "table 4.2", "model": name}))
    return Part(tuple(rows), (table_42(scores),))


def _several(scores: Mapping[str, Mapping[int, CrossScore]]) -> Part:
    rows: list[Row] = []
    for model, found in scores.items():
        for count, score in found.items():
            condition: dict[str, Fact] = {"on": "clips", "model": Path(model).name, "pictures": count}
            rows += rows_of(score, condition)
    return Part(tuple(rows), (table_43(scores),))
