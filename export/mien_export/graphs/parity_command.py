"""`mien export parity`: a table of how far apart runtimes and precisions of a bundle are, on real pairs."""

from __future__ import annotations

import argparse
from pathlib import Path

from mien.errors import SettingError
from mien.face.crop import SIDE
from mien.manifest import read_bundle
from mien.threads import usable_threads
from mien_export.data.faces import Faces
from mien_export.data.sampler import Sampler, Sampling
from mien_export.graphs.parity import compare, table
from mien_export.graphs.reference import Reference
from mien_export.graphs.trained import read_trained


def main(arguments: list[str]) -> int:
    """Run the command.

    Raises:
        MienError: bundle, data or checkpoint are not as they should be, or a runtime is missing.
    """
    options = _parser().parse_args(arguments)
    if options.pairs < 1:
        raise SettingError(f"--pairs must be 1 or more, got {options.pairs}")
    bundle = read_bundle(options.bundle)
    trained = None if options.checkpoint is None else read_trained(options.checkpoint)
    if trained is not None and trained.size != bundle.size:
        raise SettingError(f"{options.checkpoint} is of size {trained.size}, the bundle of size {bundle.size}")
    sampler = Sampler(Faces(options.data, options.split), Sampling(side=SIDE))
    reference = Reference(bundle, options.threads)
    examples = list(reference.examples(sampler(number) for number in range(options.pairs)))
    reference.close()
    print(table(compare(bundle, examples, options.threads, trained)))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mien export parity",
        description="Compare what runtimes and precisions compute with float32 in ONNX Runtime. Errors are in units of "
        "-1..1 (a grey level is 1/128), of 0..1 for masks, and of a feature's standard deviation.",
    )
    parser.add_argument("--bundle", type=Path, required=True, metavar="DIR", help="what mien export onnx wrote")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder of faces")
    parser.add_argument("--split", default="test", metavar="NAME", help="of the faces (default: %(default)s)")
    parser.add_argument("--pairs", type=int, default=8, metavar="N", help="how many (default: %(default)s)")
    parser.add_argument("--checkpoint", type=Path, metavar="FILE", help="compare with torch, too")
    parser.add_argument("--threads", type=int, default=usable_threads(), metavar="N", help="processor threads")
    return parser
