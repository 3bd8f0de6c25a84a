"""The thesis's tables in its own form, its figures beside ours."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path

from mien_bench.quality.cross import CrossScore
from mien_bench.quality.thesis import DIFFERENT, DIFFERENT_42, DIFFERENT_43, GROUPS, TABLE_41, TABLE_42, TABLE_43
from mien_bench.results import Fact, Row, Table

Scores = Mapping[str, Mapping[str, CrossScore]]
"""By group, then by row."""
_CELLS = ("AU %", "pose", "id %", "leak")


def table_41(scores: Scores) -> Table:
    """Consistency of action units and pose, identity, and what of the guide's face shape leaks."""
    columns = ("", *(f"{group}: {cell}" for group in GROUPS for cell in _CELLS))
    names = dict.fromkeys(row for group in scores.values() for row in group)
    ours = [(name, *(c for group in GROUPS for c in _scored(scores.get(group, {}).get(name)))) for name in names]
    theirs = [(f"thesis: {name}", *(c for values in row for c in _quoted(*values))) for name, row in TABLE_41.items()]
    quoted = tuple(range(len(ours), len(ours) + len(theirs)))
    return Table("Table 4.1", columns, (*ours, *theirs), quoted, (*DIFFERENT, *_counts(scores)))


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
        units, pose, distance = zip(*score.of_references.values(), strict=True)
        yield Row("action units, consistency", "%", units, "higher", condition, each="reference")
        yield Row("pose, difference", "deg", pose, "lower", condition, each="reference")
        yield Row("identity, distance", "", distance, "lower", condition, each="reference")
    if math.isfinite(score.leak):
        yield Row("face shape that leaks", "%", (score.leak,), "neither", condition, each="run")
    if score.count:
        yield Row("identity", "%", (score.identity,), "higher", condition, each="run")


def _counts(scores: Scores) -> Iterator[str]:
    for group, rows in scores.items():
        said = ", ".join(
            f"{n} {one.count} ({one.lost} lost, mean distance {one.distance:.2f})" for n, one in rows.items()
        )
        yield f"{group}: {said}"


def _not_trained(names: list[str]) -> str:
    return (
        f"not trained here: {', '.join(names)}; `mien export` trains them, --ablation names the folder of the bundles"
    )


def _scored(score: CrossScore | None) -> tuple[str, ...]:
    if score is None:
        return ("-",) * len(_CELLS)
    return _told(score.units, 1), _told(score.pose, 2), _told(score.identity, 1), _told(score.leak, 0, "%")


def _quoted(units: float, pose: float, identity: float | None) -> tuple[str, ...]:
    return f"{units:.1f}", f"{pose:.2f}", "-" if identity is None else f"{identity:.1f}", "-"


def _identity(score: CrossScore | None) -> str:
    return "-" if score is None else _told(score.identity, 1)


def _distance(score: CrossScore | None) -> str:
    return "-" if score is None else _told(score.distance, 3)


def _told(value: float, digits: int, unit: str = "") -> str:
    return f"{value:.{digits}f}{unit}" if math.isfinite(value) else "-"
