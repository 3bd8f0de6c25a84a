"""Table 4.1 for reading: one for each group of references, one by unit; rows and targets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.config import WARP
from mien_bench.fidelity.consistency import CONTROLS, REFERENCE, SHUFFLED, Consistency
from mien_bench.fidelity.judges import DLIB, LIKE, MESH_READER, OPEN_SEE_FACE, ROLLED
from mien_bench.fidelity.points68 import UNITS
from mien_bench.quality.dlib_face import SAME_PERSON
from mien_bench.quality.summary import mean_interval
from mien_bench.quality.thesis_runs import GROUPS, TABLE_41
from mien_bench.results import Better, Check, Fact, Row, Table

Array = NDArray[np.float64]

ALL: Final = "all"
JUDGES: Final = (OPEN_SEE_FACE, DLIB, MESH_READER)
UNITS_LEAST, UNIT_LEAST, POSE_MOST, IDENTITY_LEAST = 0.82, 0.5, 1.5, 98.0
"""Targets: correlation in the mean and of any unit, degrees, per cent."""
NOTES: Final = (
    (
        "AU: Pearson's correlation over the guides of a reference, unit by unit; mean over 12 units, then over "
        "references; 95 % interval bootstrapped over references. The thesis does not name its estimator."
    ),
    (
        "Units are distances of un-posed points from the person's calm face. OpenSeeFace and dlib (mean of 8 boxes) "
        "judge; the mesh drives the engine and is shown only for comparison."
    ),
    "Ceiling: the guide itself turned by 6 degrees in the picture's plane. Floor: shuffled answers.",
    "Pose: mean absolute difference of yaw, pitch, roll in degrees. Identity: dlib, within 0.6 of the reference.",
)
UNIT_NOTES: Final = (
    "Mean over references [95 % interval] (lowest); ceiling: the guide turned; like: another person's like expression.",
)


def tables(found: Sequence[Consistency], names: Sequence[str]) -> Iterator[Table]:
    """All groups together, each group, and the units; `names` are the judges that were there."""
    judges = [name for name in JUDGES if name in names]
    yield _of_group(ALL, found, judges)
    for group in GROUPS:
        own = [one for one in found if one.group == group]
        if own:
            yield _of_group(group, own, judges)
    yield _by_unit(found, judges)


def rows(found: Sequence[Consistency], names: Sequence[str]) -> Iterator[Row]:
    """A row for each group, line of the table and judge, with a value of each reference; units of all groups."""
    for group in (ALL, *GROUPS):
        for line in _lines(found):
            own = [one for one in found if one.row == line and group in (ALL, one.group)]
            condition: dict[str, Fact] = {"on": group, "model": line}
            for name in names:
                better: Better = "neither" if line in (REFERENCE, SHUFFLED, *CONTROLS) else "higher"
                yield from _row(f"action units, {name}", "", [one.mean_units(name) for one in own], better, condition)
                lower: Better = "neither" if better == "neither" else "lower"
                yield from _row(f"pose, {name}", "deg", [one.pose[name] for one in own], lower, condition)
                if group == ALL:
                    for place, unit in enumerate(UNITS):
                        values = [float(one.units[name][place]) for one in own]
                        yield from _row(f"AU{unit}, {name}", "", values, better, condition)
            yield from _row("identity kept", "%", [_kept(one) for one in own], "higher", condition)
            yield from _row("identity, mean distance", "", [_distance(one) for one in own], "lower", condition)


def targets(found: Sequence[Consistency]) -> Iterator[Check]:
    """What a generator shall reach over all references, by OpenSeeFace where it judges."""
    for line in _lines(found):
        own = [one for one in found if one.row == line]
        if line in (REFERENCE, SHUFFLED, WARP, *CONTROLS) or OPEN_SEE_FACE not in own[0].units:
            continue
        units = _mean([one.mean_units(OPEN_SEE_FACE) for one in own])
        each = np.nanmean([one.units[OPEN_SEE_FACE] for one in own], axis=0)
        lowest = int(np.nanargmin(each))
        pose = _mean([one.pose[OPEN_SEE_FACE] for one in own])
        kept = _mean([_kept(one) for one in own])
        least = f"AU{UNITS[lowest]} {each[lowest]:.2f}"
        yield Check(f"4.1, {line}: action units", f">= {UNITS_LEAST:g}", f"{units:.2f}", units >= UNITS_LEAST)
        yield Check(f"4.1, {line}: each unit", f">= {UNIT_LEAST:g}", least, bool(each[lowest] >= UNIT_LEAST))
        yield Check(f"4.1, {line}: pose", f"< {POSE_MOST:g} deg", f"{pose:.2f}", pose < POSE_MOST)
        if np.isfinite(kept):
            yield Check(f"4.1, {line}: identity", f">= {IDENTITY_LEAST:g} %", f"{kept:.1f}", kept >= IDENTITY_LEAST)


def _row(name: str, unit: str, values: Sequence[float], better: Better, condition: Mapping[str, Fact]) -> Iterator[Row]:
    seen = tuple(value for value in values if np.isfinite(value))
    if seen:
        yield Row(name, unit, seen, better, condition, each="reference")


def _of_group(group: str, found: Sequence[Consistency], judges: Sequence[str]) -> Table:
    columns = (
        "",
        *(f"AU, {name}" for name in judges),
        *(f"pose, {name}" for name in judges),
        "id %",
        "distance",
        "lost",
    )
    ours = []
    for line in _lines(found):
        own = [one for one in found if one.row == line]
        ours.append(
            (
                line,
                *(mean_interval([one.mean_units(name) for one in own]) for name in judges),
                *(mean_interval([one.pose[name] for one in own]) for name in judges),
                mean_interval([_kept(one) for one in own], "{:.1f}"),
                mean_interval([_distance(one) for one in own]),
                str(sum(one.lost for one in own)),
            )
        )
    theirs = list(_theirs(group, len(judges)))
    quoted = tuple(range(len(ours), len(ours) + len(theirs)))
    people = len({one.reference for one in found})
    notes = NOTES if group == ALL else ()
    return Table(f"Table 4.1, {group}: {people} references", columns, (*ours, *theirs), quoted, notes)


def _theirs(group: str, judges: int) -> Iterator[tuple[str, ...]]:
    """The thesis's rows; for all groups together the mean of its three."""
    for name, groups in TABLE_41.items():
        picked = groups if group == ALL else (groups[GROUPS.index(group)],)
        units, pose = np.mean([one[0] for one in picked]), np.mean([one[1] for one in picked])
        kept = [identity for _, _, identity in picked]
        said = "-" if None in kept else f"{np.mean(np.array(kept, dtype=np.float64)):.1f}"
        blank = ("-",) * (judges - 1)
        yield (f"thesis: {name}", f"{units / 100:.2f}", *blank, f"{pose:.2f}", *blank, said, "-", "-")


def _by_unit(found: Sequence[Consistency], judges: Sequence[str]) -> Table:
    models = [line for line in _lines(found) if line not in (REFERENCE, SHUFFLED, *CONTROLS)]
    lines = [(line, name) for line in models for name in judges if name != MESH_READER]
    lines += [(line, name) for name in judges if name != MESH_READER for line in (ROLLED, LIKE)]
    cells = []
    for place, unit in enumerate(UNITS):
        row = [f"AU{unit}"]
        for line, name in lines:
            values = [float(one.units[name][place]) for one in found if one.row == line]
            seen = [value for value in values if np.isfinite(value)]
            low = f" ({min(seen):.2f})" if seen and line in models else ""
            row.append(mean_interval(values) + low)
        cells.append(tuple(row))
    heads = {ROLLED: "ceiling", LIKE: "like"}
    columns = ("", *(f"{heads.get(line, line)}, {name}" for line, name in lines))
    return Table("Table 4.1 by action unit, all references", columns, tuple(cells), notes=UNIT_NOTES)


def _lines(found: Sequence[Consistency]) -> list[str]:
    return list(dict.fromkeys(one.row for one in found))


def _kept(one: Consistency) -> float:
    """Per cent of the answers that count as the same person."""
    return 100 * float(np.mean([away < SAME_PERSON for away in one.distances])) if one.distances else float("nan")


def _distance(one: Consistency) -> float:
    seen = [away for away in one.distances if np.isfinite(away)]
    return float(np.mean(seen)) if seen else float("nan")


def _mean(values: Sequence[float]) -> float:
    seen = [value for value in values if np.isfinite(value)]
    return float(np.mean(seen)) if seen else float("nan")
