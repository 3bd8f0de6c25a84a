"""`mien export label-quality`: a segmenter against the label maker, on drawn accessories, and against itself.

Everything is measured against labels that mien makes itself, never against a human's.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.clock import Clock, MonotonicClock
from mien.commands.options import Options, count, need_places
from mien.face import classes
from mien.face.classes import NAMES
from mien.face.crop import SIDE, crop_matrix
from mien.face.pose import fit_pose
from mien.machine import outputs
from mien.machine.processor import usable_threads
from mien.parse.models import FaceMesh
from mien.parsing.opening import MODEL, open_segmenter
from mien.plane import placed
from mien_export.families.parsing.drawn import Worn, with_body
from mien_export.families.parsing.face_frame import Array
from mien_export.families.parsing.label_maker import make_labels
from mien_export.families.parsing.labelled import Labelled, default_place, load
from mien_export.families.parsing.measure import DRAWN, MADE, Agreement
from mien_export.families.parsing.samples import MIRRORED_LABELS, moved_flow
from mien_export.samples.blending import mattes

Pixels = NDArray[np.uint8]
Label = Callable[[Pixels, Array], Pixels]
"""From a picture (S, S, 3) and landmarks (478, 3) to its labels (S, S)."""

CHANGES: Final = ("flip", "warp", "colour")


def against_labels(labelled: Labelled, label: Label) -> Agreement:
    """Of `label` with the labels that were made."""
    return Agreement.of(
        (labelled.labels[i], label(labelled.pictures[i], labelled.landmarks[i].astype(np.float64)))
        for i in range(len(labelled))
    )


def on_drawn(labelled: Labelled, label: Label, kind: int, seed: int = 0) -> float:
    """Intersection over union of a class on pictures onto which it was drawn."""

    def pairs() -> Iterator[tuple[Pixels, Pixels]]:
        for i in range(len(labelled)):
            rng, landmarks = np.random.default_rng([seed, i]), labelled.landmarks[i].astype(np.float64)
            picture, labels = labelled.pictures[i], labelled.labels[i]
            if kind == classes.NECKLACE:  # portraits end too high for one
                picture, labels, _ = with_body(picture, labels, labelled.mattes[i], rng)
            worn = Worn(picture, labels, landmarks)
            _DRAW[kind](worn, rng)
            if (worn.labels == kind).any():
                yield worn.labels, label(worn.picture, landmarks)

    return float(Agreement.of(pairs()).iou[kind])


_DRAW: Final[dict[int, Callable[[Worn, np.random.Generator], None]]] = {
    classes.GLASSES: Worn.glasses,
    classes.HAT: Worn.hat,
    classes.EARRING: Worn.earrings,
    classes.NECKLACE: Worn.necklace,
}


def consistency(pictures: Pixels, label: Label, change: str, seed: int = 0) -> Agreement:
    """Of the labels of changed pictures with the changed labels of the pictures; landmarks are found anew.

    Args:
        pictures: (N, S, S, 3); those in which no face is found, changed or not, are left out.
        change: one of `CHANGES`.
    """
    with FaceMesh(still=True) as mesh:
        return Agreement.of(_changed_pairs(pictures, label, change, seed, mesh))


def _changed_pairs(
    pictures: Pixels, label: Label, change: str, seed: int, mesh: FaceMesh
) -> Iterator[tuple[Pixels, Pixels]]:
    for index, picture in enumerate(pictures):
        rng = np.random.default_rng([seed, index])
        other, moved = _changed(picture, change, rng)
        before, after = mesh(picture), mesh(other)
        if before and after:
            yield moved(label(picture, before[0])), label(other, after[0])


def _changed(picture: Pixels, change: str, rng: np.random.Generator) -> tuple[Pixels, Callable[[Pixels], Pixels]]:
    """A changed picture, and how labels change with it."""
    if change == "flip":
        return np.ascontiguousarray(picture[:, ::-1]), lambda labels: MIRRORED_LABELS[labels[:, ::-1]]
    if change == "warp":
        flow = moved_flow(picture.shape[0], picture.shape[0], rng)
        inside = ((flow >= 0) & (flow <= picture.shape[0] - 1)).all(axis=2)
        moved = cv2.remap(picture, flow, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return moved, lambda labels: np.where(inside, cv2.remap(labels, flow, None, cv2.INTER_NEAREST), 255)
    return _tinted(picture, rng), lambda labels: labels


def _tinted(picture: Pixels, rng: np.random.Generator) -> Pixels:
    """Other gain, tint and gamma, and noise of 2 %."""
    values = (picture / np.float32(255)) ** np.exp(rng.normal(0, 0.25))
    values = values * np.exp(rng.normal(0, 0.18, 3) + rng.normal(0, 0.15)) + rng.normal(0, 0.02, picture.shape)
    return np.asarray(np.clip(255 * values, 0, 255), dtype=np.uint8)


def label_again(picture: Pixels, landmarks: Array) -> Pixels:
    """The label maker as a `Label`: its matte is found anew."""
    (matte,) = mattes([picture / np.float32(255)])
    return make_labels(picture, landmarks, matte)


def milliseconds(labelled: Labelled, label: Label, clock: Clock, rounds: int = 4) -> dict[str, float]:
    """From a picture of 256 x 256 pixels, which is the network's whole crop, to its labels: least, tenth and median."""
    crops = []
    for picture, landmarks in zip(labelled.pictures, labelled.landmarks.astype(np.float64), strict=True):
        matrix = crop_matrix(fit_pose(landmarks))
        crop = cv2.warpAffine(picture, matrix, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)
        crops.append((crop, placed(landmarks, matrix)))
    label(*crops[0])
    times = []
    for crop, landmarks in crops * rounds:
        before = clock.now()
        label(crop, landmarks)
        times.append(1e3 * (clock.now() - before))
    found = zip(("least", "p10", "p50"), np.percentile(times, (0, 10, 50)), strict=True)
    return {name: round(float(value), 2) for name, value in found}


def main(arguments: list[str]) -> int:
    """Run the command.

    Raises:
        MienError: the bundle or the labels are missing or broken.
    """
    options = _parser().parse_args(arguments)
    need_places([options.json], [str(options.labels or default_place("test"))])
    labelled = load(options.labels or default_place("test"))
    with open_segmenter(options.threads, options.bundle) as (segmenter, about):
        found = _against(labelled, segmenter) | {"milliseconds": milliseconds(labelled, segmenter, MonotonicClock())}
        changed = {change: _consistent(labelled.pictures, segmenter, change) for change in CHANGES}
    if options.label_maker:
        changed |= {f"{change}, label maker": _consistent(labelled.pictures, label_again, change) for change in CHANGES}
    _print(about, len(labelled), found, changed)
    if options.json is not None:
        result = {"runtime": about, "portraits": len(labelled), **found, "consistency": changed}
        outputs.write(options.json, (json.dumps(result, indent=1) + "\n").encode())
    return 0


def _against(labelled: Labelled, label: Label) -> dict[str, Any]:
    agreement = against_labels(labelled, label)
    iou = {NAMES[kind]: round(float(agreement.iou[kind]), 4) for kind in MADE}
    drawn = {NAMES[kind]: round(on_drawn(labelled, label, kind), 4) for kind in DRAWN}
    mean, accuracy = round(agreement.mean_iou(), 4), round(agreement.accuracy, 4)
    return {"mean_iou": mean, "accuracy": accuracy, "iou": iou, "drawn_iou": drawn}


def _consistent(pictures: Pixels, label: Label, change: str) -> dict[str, float]:
    print(f"consistency under {change}", file=sys.stderr, flush=True)
    agreement = consistency(pictures, label, change)
    return {"mean_iou": round(agreement.mean_iou(), 4), "accuracy": round(agreement.accuracy, 4)}


def _print(about: str, portraits: int, found: dict[str, Any], changed: dict[str, dict[str, float]]) -> None:
    print(f"{about}; {portraits} portraits")
    means = f"mean IoU of {len(MADE)} classes {found['mean_iou']:.3f}, accuracy {found['accuracy']:.3f}"
    print(f"against the label maker: {means}")
    for name, value in found["iou"].items():
        print(f"  {name:<12}{value:.3f}")
    print("drawn onto the portraits:")
    for name, value in found["drawn_iou"].items():
        print(f"  {name:<12}{value:.3f}")
    times = ", ".join(f"{name} {value:.1f}" for name, value in found["milliseconds"].items())
    print(f"milliseconds for {SIDE} x {SIDE} pixels: {times}")
    print("labels of the changed portrait against changed labels: mean IoU, share of pixels")
    for name, row in changed.items():
        print(f"  {name:<22}{row['mean_iou']:.3f}  {row['accuracy']:.3f}")


def _parser() -> argparse.ArgumentParser:
    parser = Options(
        prog="mien export label-quality",
        description="Measure a segmenter. Truth is what mien's label maker says, never what a human says.",
    )
    parser.add_argument("--bundle", default=MODEL, metavar="MODEL", help="name or folder (default: %(default)s)")
    parser.add_argument("--labels", type=Path, metavar="FILE", help="of the test split (default: in the user's cache)")
    parser.add_argument("--label-maker", action="store_true", help="measure how the label maker repeats itself, too")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the figures, too")
    parser.add_argument("--threads", type=count, default=usable_threads(), metavar="N", help="processor threads")
    return parser
