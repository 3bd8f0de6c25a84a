"""`mien export parity`: a table of how far apart runtimes and precisions of a bundle are, on real pairs."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from mien.bundles import find
from mien.commands.options import Options, need_places
from mien.errors import SettingError
from mien.face.crop import SIDE
from mien.machine import outputs
from mien.machine.processor import usable_threads
from mien.manifest import Bundle, read_bundle
from mien_export.data.faces import Faces
from mien_export.data.sampler import Sampler, Sampling
from mien_export.graphs.bounds import BOUNDS, beyond, reasons
from mien_export.graphs.parity import Row, compare, table
from mien_export.graphs.reference import Reference
from mien_export.graphs.trained import read_trained


def main(arguments: list[str]) -> int:
    """Run the command; 1 where something is out of its bounds.

    Raises:
        MienError: bundle, data or checkpoint are not as they should be, or a runtime is missing.
    """
    options = _parser().parse_args(arguments)
    if options.pairs < 1:
        raise SettingError(f"--pairs must be 1 or more, got {options.pairs}")
    need_places([options.json] if options.json is not None else [], [])
    bundle = read_bundle(find(options.bundle))
    trained = None if options.checkpoint is None else read_trained(options.checkpoint)
    if trained is not None and (trained.kind, trained.size) != (bundle.kind, bundle.size):
        raise SettingError(
            f"{options.checkpoint} is of {trained.kind} {trained.size}, the bundle of {bundle.kind} {bundle.size}"
        )
    sampler = Sampler(Faces(options.data, options.split), Sampling(side=SIDE))
    reference = Reference(bundle, options.threads)
    examples = list(reference.examples(sampler(number) for number in range(options.pairs)))
    reference.close()
    rows = compare(bundle, examples, options.threads, trained)
    print(table(rows))
    wrong = list(beyond(bundle.kind, rows))
    for line in (*reasons(bundle.kind, rows), *(f"OUT OF BOUNDS {line}" for line in wrong)):
        print(line)
    if options.json is not None:
        _write(options.json, bundle, rows, wrong, options.pairs)
    return int(bool(wrong))


def _write(path: Path, bundle: Bundle, rows: Sequence[Row], wrong: Sequence[str], pairs: int) -> None:
    found = {
        "model": [bundle.name, bundle.kind, bundle.size, bundle.digest],
        "pairs": pairs,
        "rows": [asdict(row) for row in rows],
        "bounds": {name: asdict(bound) for name, bound in BOUNDS[bundle.kind].items()},
        "out_of_bounds": list(wrong),
    }
    outputs.write(path, (json.dumps(found, indent=1) + "\n").encode())


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
