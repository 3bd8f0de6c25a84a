"""All tables of `mien bench quality --table avatars`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.commands.options import count
from mien.errors import BackendError
from mien.machine.processor import usable_threads
from mien.nobody.maker import MODEL, Maker, open_maker
from mien.parse.models import FaceMesh
from mien_bench.avatars.made import DEMANDS, Avatar, Demand, agreements, drawn, landmark_error, met, seen
from mien_bench.face_video import resegmentation
from mien_bench.face_video.judges import MAKER, Judge, open_judges
from mien_bench.face_video.resegmentation import Sitter, accuracy, mean_iou
from mien_bench.quality.clips import Material
from mien_bench.quality.dlib_face import DlibDetector
from mien_bench.quality.people import unseen_faces
from mien_bench.quality.thesis_tables import Part, joined_parts
from mien_bench.results import Check, Row, Table

Pixels = NDArray[np.uint8]

AVATARS: Final = "avatars"
PAPER: Final = (("SCGAN", 10.2, 79.11, 98.95), ("SPADE", 18.5, 74.76, 97.82), ("Pix2Pix", 20.4, 78.71, 98.05))
"""FID, mIoU and pixel accuracy in per cent, of the paper's CelebA column."""
LEAST_IOU, LEAST_MET, STRANGERS = 0.80, 0.85, 0.01
"""Targets: mIoU by the label maker, share of wishes that are met, share of stranger pairs that are nearer."""
REAL: Final = 24
"""Real portraits beside, at most."""
NOTES: Final = (
    (
        "mIoU and accuracy: the map asked for against the map that a judge finds in the portrait, at 256 x 256. Real "
        "pictures: a judge against itself on the mirrored picture. The packaged segmenter is in the generator's loss, "
        "the label maker is not."
    ),
    (
        "The paper's figures are of another data set and other labels: they stand beside, and are not to be compared. "
        "Its FID is of Inception features, which are not at hand."
    ),
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Options of this table alone."""
    parser.add_argument("--avatars", type=count, default=32, metavar="N", help="portraits of nobody (32)")
    parser.add_argument("--avatar-model", default=MODEL, metavar="BUNDLE", help="that makes them (the packaged one)")


def need_maker(options: argparse.Namespace) -> None:
    """Refuse a bundle that is not there, before minutes are spent.

    Raises:
        ModelError: it is missing, broken, or of another family.
    """
    with open_maker(1, options.avatar_model):
        pass


def avatar_tables(given: Material, options: argparse.Namespace) -> Part:
    """Faces found, maps kept, wishes met, and how near anybody is.

    Raises:
        MienError: a model is missing, or material cannot be read.
    """
    threads = options.threads or usable_threads()
    with (
        open_maker(threads, options.avatar_model) as maker,
        open_judges(threads) as (judges, notes),
        FaceMesh(still=True) as mesh,
    ):
        avatars = list(drawn(maker, options.avatars, threads))
        parts = [
            Part(notes=tuple(notes)),
            _found(avatars, mesh),
            _maps(avatars, judges, _sitters(given)),
            _wishes(maker, judges[-1], mesh, options.avatars, threads),
            _nearest(avatars, given),
        ]
    return joined_parts(parts)


def _sitters(given: Material) -> list[Sitter]:
    if not given.has_faces:
        return []
    return [Sitter.of(face.name, face.pixels, face.landmarks) for face in unseen_faces(given.faces, REAL)]


def _found(avatars: Sequence[Avatar], mesh: FaceMesh) -> Part:
    errors = [landmark_error(one, mesh) for one in avatars]
    there = tuple(error for error in errors if error is not None)
    share = len(there) / len(avatars)
    print(f"  faces found in {len(there)} of {len(avatars)}", flush=True)
    condition = {"on": AVATARS}
    rows = [
        Row("face found", "", tuple(float(error is not None) for error in errors), "higher", condition, each="portrait")
    ]
    if there:
        rows.append(Row("landmark error", "eye distances", there, "lower", condition, each="portrait"))
    check = Check("avatars: a face is found in all", ">= 1", f"{share:.3f}", share >= 1)
    return Part(tuple(rows), checks=(check,))


def _maps(avatars: Sequence[Avatar], judges: Sequence[Judge], sitters: Sequence[Sitter]) -> Part:
    lines, rows, checks = list[tuple[str, ...]](), list[Row](), list[Check]()
    for judge in judges:
        counts = agreements(avatars, judge)
        whole = counts.sum(axis=0)
        lines.append((f"avatars, by {judge.name}", f"{mean_iou(whole):.3f}", f"{accuracy(whole):.3f}"))
        for name, measure in (("mIoU", mean_iou), ("accuracy", accuracy)):
            values = tuple(measure(one) for one in counts)
            rows.append(Row(name, "", values, "higher", {"on": AVATARS, "judge": judge.name}, each="portrait"))
        if judge.name == MAKER:
            value = mean_iou(whole)
            checks.append(Check(f"avatars: mIoU by {MAKER}", f">= {LEAST_IOU:g}", f"{value:.3f}", value >= LEAST_IOU))
    for one in resegmentation.measure(sitters, [], judges) if sitters else ():
        whole = one.counts.sum(axis=0)
        lines.append((f"real pictures, by {one.judge}", f"{mean_iou(whole):.3f}", f"{accuracy(whole):.3f}"))
    own = len(lines)
    lines += [(f"paper: {name}", f"{iou / 100:.3f}", f"{right / 100:.3f}") for name, _, iou, right in PAPER]
    title = f"Maps of {len(avatars)} portraits of nobody, segmented again"
    table = Table(title, ("", "mIoU", "accuracy"), tuple(lines), tuple(range(own, len(lines))), NOTES)
    return Part(tuple(rows), (table,), checks=tuple(checks))


def _wishes(maker: Maker, judge: Judge, mesh: FaceMesh, number: int, threads: int) -> Part:
    shares = {demand.name: _share(demand, maker, judge, mesh, number, threads) for demand in DEMANDS}
    lines = tuple((name, f"{share:.2f}") for name, share in shares.items())
    mean = float(np.mean(list(shares.values())))
    note = (
        f"Of {number} seeds, the share in which the portrait with the wish shows more of it than the one with the "
        f"opposite; measured as portraits to learn from are, on the map of {judge.name}."
    )
    rows = tuple(
        Row("wish met", "", (share,), "higher", {"on": AVATARS, "wish": name}) for name, share in shares.items()
    )
    check = Check("avatars: wishes are met", f">= {LEAST_MET:g}", f"{mean:.3f}", mean >= LEAST_MET)
    return Part(rows, (Table("Wishes", ("wish", "met"), lines, (), (note,)),), checks=(check,))


def _share(demand: Demand, maker: Maker, judge: Judge, mesh: FaceMesh, number: int, threads: int) -> float:
    pairs = zip(drawn(maker, number, threads, demand.wish), drawn(maker, number, threads, demand.against), strict=True)
    found = [
        met(seen(one, judge, mesh, demand.trait), seen(other, judge, mesh, demand.trait), demand.more)
        for one, other in pairs
    ]
    print(f"  {demand.name}: {sum(found)} of {number}", flush=True)
    return float(np.mean(found))


def _nearest(avatars: Sequence[Avatar], given: Material) -> Part:
    """How near an embedding finds the nearest real person, beside how near strangers are."""
    if not given.has_faces:
        return Part(notes=("avatars: nobody to compare with: the data folder with faces is not known",))
    try:
        detector = DlibDetector()
    except BackendError as error:
        return Part(notes=(f"avatars: no distances to real people: {error}",))
    real = np.array(
        [found.embedding for face in unseen_faces(given.faces, split="train") if (found := detector(face.pixels))]
    )
    own = [found.embedding for one in avatars if (found := detector(one.picture))]
    apart = np.linalg.norm(real[:, None] - real[None], axis=2)
    limit = float(np.quantile(apart[np.triu_indices(len(real), 1)], STRANGERS))
    np.fill_diagonal(apart, np.inf)
    others = tuple(apart.min(axis=1).tolist())
    values = tuple(float(np.linalg.norm(real - one, axis=1).min()) for one in own)
    least = min(values, default=0.0)
    row = Row("distance to the nearest person", "", values, "higher", {"on": AVATARS}, each="portrait")
    beside = Row("distance to the nearest person", "", others, "neither", {"on": "real people"}, each="portrait")
    check = Check("avatars: nobody is near a real person", f">= {limit:.3f}", f"{least:.3f}", least >= limit)
    return Part(
        (row, beside), checks=(check,), notes=(f"{len(own)} of {len(avatars)} were compared with {len(real)} people",)
    )
