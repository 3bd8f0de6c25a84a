"""`mien export parity`: a table of differences between runtimes and precisions of a bundle, on real pairs."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mien.bundles import files_of, find
from mien.commands.options import Options, need_places
from mien.errors import SettingError
from mien.machine import outputs
from mien.machine.processor import usable_threads
from mien.manifest import Bundle, read_bundle
from mien_export.data.faces import Faces
from mien_export.families.registry import family_of, read_trained
from mien_export.graphs.parity import Bound, Row, beyond, compare, reasons, table
from mien_export.graphs.tracing import Traced


def main(arguments: list[str]) -> int:
    """Run the command; 1 where something is out of its bounds.

    Raises:
        MienError: bundle, data or checkpoint are not as they should be, or a runtime is missing.
    """
    options = _parser().parse_args(arguments)
    if options.pairs < 1:
        raise SettingError(f"--pairs must be 1 or more, got {options.pairs}")
    folder = find(options.bundle)
    checkpoint = [] if options.checkpoint is None else [options.checkpoint]
    need_places([options.json], [str(path) for path in (*files_of(folder), *checkpoint)])
    bundle = read_bundle(folder)
    family = family_of(bundle.kind, str(bundle.folder))
    examples = list(family.examples(bundle, Faces(options.data, options.split), options.pairs, options.threads))
    rows = compare(bundle, examples, options.threads, _traced(options.checkpoint, bundle), family.measure)
    print(table(rows))
    wrong = list(beyond(family.bounds, rows, family.measure))
    for line in (*reasons(family.bounds, rows), *(f"OUT OF BOUNDS {line}" for line in wrong)):
        print(line)
    if options.json is not None:
        found = _found(bundle, rows, family.bounds, wrong, options.pairs)
        outputs.write(options.json, (json.dumps(found, indent=1) + "\n").encode())
    return int(bool(wrong))


def _traced(checkpoint: Path | None, bundle: Bundle) -> tuple[Traced, ...]:
    """The graphs of a checkpoint, none where none is given.

    Raises:
        SettingError: it is of other networks than the bundle.
    """
    if checkpoint is None:
        return ()
    trained = read_trained(checkpoint)
    if (trained.family.kind, trained.size) != (bundle.kind, bundle.size):
        raise SettingError(
            f"{checkpoint} is of {trained.family.kind} {trained.size}, the bundle of {bundle.kind} {bundle.size}"
        )
    return trained.graphs()


def _found(
    bundle: Bundle, rows: Sequence[Row], bounds: Mapping[str, Bound], wrong: Sequence[str], pairs: int
) -> dict[str, Any]:
    return {
        "model": [bundle.name, bundle.kind, bundle.size, bundle.digest],
        "pairs": pairs,
        "rows": [asdict(row) for row in rows],
        "bounds": {name: asdict(bound) for name, bound in bounds.items()},
        "out_of_bounds": list(wrong),
    }


def _parser() -> argparse.ArgumentParser:
    parser = Options(
        prog="mien export parity",
        description="Compare what runtimes and precisions compute with float32 in ONNX Runtime. Errors are in units of "
        "-1..1 (a grey level is 1/128), of 0..1 for masks, and of a feature's standard deviation. Exit code 1: out of "
        "bounds.",
    )
    parser.add_argument("--bundle", required=True, metavar="MODEL", help="name or folder of a bundle")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder of faces")
    parser.add_argument("--split", default="test", metavar="NAME", help="of the faces (default: %(default)s)")
    parser.add_argument("--pairs", type=int, default=8, metavar="N", help="how many (default: %(default)s)")
    parser.add_argument("--checkpoint", type=Path, metavar="FILE", help="compare with torch, too")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the figures, too")
    parser.add_argument("--threads", type=int, default=usable_threads(), metavar="N", help="processor threads")
    return parser
