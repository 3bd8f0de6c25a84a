"""`mien export label-quality`: how well a segmenter labels portraits that it never learnt from."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from mien.commands.options import Options, count, need_places
from mien.face.classes import NAMES
from mien.labelling import MODEL, open_segmenter
from mien.machine import outputs
from mien.machine.processor import usable_threads
from mien_export.families.parsing.labelled import default_place, load
from mien_export.families.parsing.measuring import (
    CHANGES,
    DRAWN,
    MADE,
    Label,
    against_labels,
    consistency,
    label_again,
    on_drawn,
)


def main(arguments: list[str]) -> int:
    """Run the command.

    Raises:
        MienError: the bundle or the labels are missing or broken.
    """
    options = _parser().parse_args(arguments)
    need_places([options.json] if options.json is not None else [], [])
    labelled = load(options.labels or default_place("test"))
    with open_segmenter(options.threads, options.bundle) as (segmenter, about):
        found = _against(labelled, segmenter)
        changed = {change: _consistent(labelled.pictures, segmenter, change) for change in CHANGES}
    if options.label_maker:
        changed |= {f"{change}, label maker": _consistent(labelled.pictures, label_again, change) for change in CHANGES}
    _print(about, len(labelled), found, changed)
    if options.json is not None:
        result = {"runtime": about, "portraits": len(labelled), **found, "consistency": changed}
        outputs.write(options.json, (json.dumps(result, indent=1) + "\n").encode())
    return 0


def _against(labelled: Any, label: Label) -> dict[str, Any]:
    agreement = against_labels(labelled, label)
    iou = {NAMES[kind]: round(float(agreement.iou[kind]), 4) for kind in MADE}
    drawn = {NAMES[kind]: round(on_drawn(labelled, label, kind), 4) for kind in DRAWN}
    mean, accuracy = round(agreement.mean_iou(), 4), round(agreement.accuracy, 4)
    return {"mean_iou": mean, "accuracy": accuracy, "iou": iou, "drawn_iou": drawn}


def _consistent(pictures: np.ndarray, label: Label, change: str) -> dict[str, float]:
    print(f"consistency under {change}", file=sys.stderr, flush=True)
    agreement = consistency(pictures, label, change)
    return {"mean_iou": round(agreement.mean_iou(), 4), "accuracy": round(agreement.accuracy, 4)}


def _print(about: str, portraits: int, found: dict[str, Any], changed: dict[str, dict[str, float]]) -> None:
    print(f"{about}; {portraits} portraits")
    print(
        f"against the label maker: mean IoU {found['mean_iou']:.3f} of {len(MADE)} classes, {found['accuracy']:.3f} right"
    )
    for name, value in found["iou"].items():
        print(f"  {name:<12}{value:.3f}")
    print("drawn onto the portraits:")
    for name, value in found["drawn_iou"].items():
        print(f"  {name:<12}{value:.3f}")
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
