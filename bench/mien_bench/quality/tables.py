"""The thesis's tables in its own form, its figures beside ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mien_bench.quality.cross import CrossScore
from mien_bench.quality.thesis import DIFFERENT, GROUPS, TABLE_41, TABLE_42, TABLE_43

NAME = 30
Scores = Mapping[str, Mapping[str, CrossScore]]
"""By group, then by row."""


def table_41(scores: Scores) -> str:
    """Consistency of action units and pose, identity, and what of the guide's face shape leaks."""
    heads = "".join(f"{name:>30}" for name in GROUPS)
    cells = f"{'AU %':>8}{'pose':>7}{'id %':>7}{'leak':>8}" * len(GROUPS)
    lines = ["", "Table 4.1", f"{'':<{NAME}}{heads}", f"{'':<{NAME}}{cells}"]
    for name in dict.fromkeys(row for group in scores.values() for row in group):
        own = (_scored(scores.get(group, {}).get(name)) for group in GROUPS)
        lines.append(f"{name:<{NAME}}" + "".join(own))
    for name, row in TABLE_41.items():
        lines.append(f"{'thesis: ' + name:<{NAME}}" + "".join(_quoted(*values) for values in row))
    for group, rows in scores.items():
        said = ", ".join(
            f"{name} {one.count} ({one.lost} lost, mean distance {one.distance:.2f})" for name, one in rows.items()
        )
        lines.append(f"{group}: {said}")
    return "\n".join([*lines, DIFFERENT])


def table_42(scores: Mapping[str, CrossScore]) -> str:
    """Identity by what was left out or weighed otherwise in training; rows that nobody trained stay empty."""
    names = list(dict.fromkeys([*TABLE_42, *scores]))
    return "\n".join(
        [
            "",
            "Table 4.2: identity %, same source, without fusion, at small size with equal time for each",
            f"{'':<{NAME}}" + "".join(f"{name:>12}" for name in names),
            f"{'here':<{NAME}}" + "".join(f"{_identity(scores.get(name)):>12}" for name in names),
            f"{'distance':<{NAME}}" + "".join(f"{_distance(scores.get(name)):>12}" for name in names),
            f"{'thesis':<{NAME}}" + "".join(f"{TABLE_42.get(name, '-'):>12}" for name in names),
        ]
    )


def table_43(scores: Mapping[str, Mapping[int, CrossScore]]) -> str:
    """Identity by the number of pictures of a person, for each model."""
    lines = ["", "Table 4.3: identity % (mean distance) by the number of pictures; people are the clips'"]
    lines.append(f"{'':<{NAME}}" + "".join(f"{f'k = {k}':>16}" for k in TABLE_43))
    for model, rows in scores.items():
        cells = (f"{_identity(rows.get(k))} ({_distance(rows.get(k))})" for k in TABLE_43)
        lines.append(f"{model:<{NAME}}" + "".join(f"{cell:>16}" for cell in cells))
    lines.append(f"{'thesis':<{NAME}}" + "".join(f"{value:>16}" for value in TABLE_43.values()))
    return "\n".join(lines)


def missing(names: Sequence[str]) -> str:
    """What is said of rows of table 4.2 without a bundle."""
    return (
        f"not trained here: {', '.join(names)}; `mien export` trains them, --ablation names the folder of the bundles"
    )


def _scored(score: CrossScore | None) -> str:
    if score is None:
        return " " * 30
    return f"{score.units:8.1f}{score.pose:7.2f}{score.identity:7.1f}{score.leak:7.0f}%"


def _quoted(units: float, pose: float, identity: float | None) -> str:
    return f"{units:8.1f}{pose:7.2f}{'-' if identity is None else f'{identity:.1f}':>7}{'-':>8}"


def _identity(score: CrossScore | None) -> str:
    return "-" if score is None else f"{score.identity:.1f}"


def _distance(score: CrossScore | None) -> str:
    return "-" if score is None else f"{score.distance:.3f}"
