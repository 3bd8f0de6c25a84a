"""The tables of fidelity by their names, for `mien bench quality`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Final

from mien_bench.fidelity import consistency_tables
from mien_bench.fidelity.consistency import Consistency, measure
from mien_bench.fidelity.judges import guides_of, open_judges, with_like_expressions
from mien_bench.fidelity.material import FidelityMaterial
from mien_bench.quality.clips import Material
from mien_bench.quality.thesis_tables import Part, joined_parts

CONSISTENCY: Final = "4.1"


def fidelity_tables(given: Material, options: argparse.Namespace, wanted: Sequence[str]) -> Part:
    """Those of the tables that are wanted.

    Raises:
        MienError: a model or judge is missing, or material cannot be read.
    """
    material = FidelityMaterial(
        given,
        options.openseeface,
        tuple(options.models),
        options.guides,
        options.frames,
        options.seconds,
        options.threads,
    )
    parts = []
    for name in FIDELITY:
        if name in wanted:
            print(f"{name} ...", flush=True)
            parts.append(FIDELITY[name](material))
    return joined_parts(parts)


def _consistency(material: FidelityMaterial) -> Part:
    threads = material.threads or 1
    with open_judges(material.openseeface, material.given.data, threads) as (judges, notes):
        guides = []
        for driver in material.drivers:
            guides += guides_of(driver, material.guides, judges)
            print(f"  {driver.name}: {len(guides)} guides so far", flush=True)
        guides = with_like_expressions(guides)
        found: list[Consistency] = []
        for subject in material.subjects():
            rows = list(measure(subject, guides, material.models, judges, material.threads))
            found += rows
            said = ", ".join(f"{one.row} {one.mean_units(judges.names[0]):.2f}" for one in rows)
            print(f"  {subject.group}, {subject.identity}: {said}", flush=True)
        if not found:
            return Part(notes=(*notes, "no table 4.1: too few guides of other people"))
        return Part(
            tuple(consistency_tables.rows(found, judges.names)),
            tuple(consistency_tables.tables(found, judges.names)),
            notes=notes,
            checks=tuple(consistency_tables.targets(found)),
        )


FIDELITY: Final[dict[str, Callable[[FidelityMaterial], Part]]] = {CONSISTENCY: _consistency}
