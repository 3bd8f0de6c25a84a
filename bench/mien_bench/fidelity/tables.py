"""The tables of fidelity by their names, for `mien bench quality`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from mien.labelling import parse_labels
from mien.parse.models import segment_person
from mien.portrait.portrait import Portrait
from mien_bench.fidelity import consistency_tables, driver_channels, following, integrity, open_mouths, stillness
from mien_bench.fidelity.consistency import Consistency, measure
from mien_bench.fidelity.driver_channels import ways_of
from mien_bench.fidelity.drivers import Driver
from mien_bench.fidelity.following import MOTION, Pair, cell, follow, is_smiling, narrowing, purse
from mien_bench.fidelity.head_layer import head_layer
from mien_bench.fidelity.integrity import Integrity
from mien_bench.fidelity.judges import guides_of, open_judges, open_point_readers, with_like_expressions
from mien_bench.fidelity.landmarkers import MeshReader, open_mesh_reader
from mien_bench.fidelity.material import FidelityMaterial
from mien_bench.fidelity.open_mouths import Closing, closing, open_portraits
from mien_bench.quality.clips import Material
from mien_bench.quality.thesis_tables import Part, joined_parts

CONSISTENCY: Final = "4.1"
INTEGRITY: Final = "integrity"


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


def _integrity(material: FidelityMaterial) -> Part:
    found: list[Integrity] = []
    for name, portrait in material.portraits.items():
        labels = parse_labels(portrait.pixels, threads=material.threads)
        head = head_layer(portrait, labels, segment_person(portrait.pixels))
        for model in material.models:
            for driver in material.shaken:
                args = driver, material.frames, model, material.threads
                found.append(integrity.measure(name, portrait, head, *args))
        print(f"  {name}: {' | '.join(integrity.cells([one for one in found if one.portrait == name]))}", flush=True)
    return Part(tuple(integrity.rows(found)), (integrity.table(found),), checks=tuple(integrity.targets(found)))


def _open_mouths(material: FidelityMaterial) -> Part:
    found: list[Closing] = []
    threads = material.threads or 1
    with open_point_readers(material.openseeface, material.given.data, threads) as readers:
        for driver in material.drivers:
            for case in open_portraits(driver):
                for model in material.models:
                    found.append(closing(case, material.drivers, model, readers, material.threads))
                print(f"  {case.name}, {case.kind}", flush=True)
    if not found:
        return Part(notes=("no open mouths: no driver has both wide and closed mouths",))
    rows, checks = tuple(open_mouths.rows(found)), tuple(open_mouths.targets(found))
    return Part(rows, (open_mouths.table(found),), checks=checks)


def _motion(material: FidelityMaterial) -> Part:
    plain = list(_pairs(material, follow, material.portraits, material.drivers))
    shaken = list(_pairs(material, follow, material.portraits, material.shaken))
    title = f"Motion found again in the output, {material.frames} frames a pair"
    parts = (
        _followed(plain, title, MOTION, "drivers"),
        _followed(shaken, f"{title}, shaken drivers", MOTION, "shaken drivers"),
    )
    return replace(joined_parts(parts), checks=tuple(following.targets(plain, shaken)))


def _pursing(material: FidelityMaterial) -> Part:
    smiling = {name: portrait for name, portrait in material.portraits.items() if is_smiling(portrait)}
    drivers = [driver for driver in material.drivers if narrowing(driver, material.frames)]
    if not smiling or not drivers:
        return Part(notes=(f"no pursing: {len(smiling)} portraits smile, {len(drivers)} drivers purse",))
    found = list(_pairs(material, purse, smiling, drivers))
    part = _followed(found, "Pursing: mouth widths of smiling portraits found again", ("width",), "smiling portraits")
    return replace(part, checks=tuple(following.pursing_targets(found)))


MeasurePair = Callable[[str, Portrait, Driver, int, str, MeshReader, int | None], Pair | None]
"""`follow` or `purse`."""


def _pairs(
    material: FidelityMaterial,
    measure_pair: MeasurePair,
    portraits: Mapping[str, Portrait],
    drivers: Sequence[Driver],
) -> Iterator[Pair]:
    with open_mesh_reader() as reader:
        for name, portrait in portraits.items():
            for model in material.models:
                pairs = [
                    measure_pair(name, portrait, driver, material.frames, model, reader, material.threads)
                    for driver in drivers
                ]
                seen = [pair for pair in pairs if pair is not None]
                channels = dict.fromkeys(channel for pair in seen for channel in pair.found)
                said = ", ".join(f"{channel} {cell(seen, channel)}" for channel in channels)
                print(f"  {name}, {model}: {said}", flush=True)
                yield from seen


def _followed(found: Sequence[Pair], title: str, channels: Sequence[str], on: str) -> Part:
    return Part(tuple(following.rows(found, channels, on)), (following.table(found, title, channels),))


def _jitter(material: FidelityMaterial) -> Part:
    some = material.drivers[: stillness.STILLS]
    noisy = [stillness.noisy_still(driver, material.anyone, seed) for seed, driver in enumerate(some)]
    calm = [still for driver in material.drivers if (still := stillness.stillest_second(driver)) is not None]
    parts = []
    for on, title, drivers in (
        ("noisy stills", "Jitter: a still picture with a webcam's noise", noisy),
        ("stillest seconds", "Jitter: the stillest second of each clip", calm),
    ):
        runs = [
            stillness.measure(name, portrait, still, model, material.threads)
            for model in material.models
            for name, portrait in _told(material.portraits, on)
            for still in drivers
        ]
        found = [run for run in runs if run is not None]
        parts.append(Part(tuple(stillness.rows(found, on)), (stillness.table(found, title),)))
    return joined_parts(parts)


def _told(portraits: Mapping[str, Portrait], on: str) -> Iterator[tuple[str, Portrait]]:
    for name, portrait in portraits.items():
        print(f"  {on}: {name}", flush=True)
        yield name, portrait


def _channels(material: FidelityMaterial) -> Part:
    found = []
    for driver in material.drivers:
        found.append(ways_of(driver))
        print(f"  {driver.name}: {len(found[-1].flow)} pairs of frames", flush=True)
    shares = driver_channels.shares(found)
    return Part(tuple(driver_channels.rows(shares)), (driver_channels.table(shares),))


FIDELITY: Final[dict[str, Callable[[FidelityMaterial], Part]]] = {
    CONSISTENCY: _consistency,
    "open-mouths": _open_mouths,
    INTEGRITY: _integrity,
    "motion": _motion,
    "pursing": _pursing,
    "jitter": _jitter,
    "channels": _channels,
}
