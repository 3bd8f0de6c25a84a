"""From a checkpoint of the segmenter to a bundle of the family `parsing`: `mien export parsing`."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

import mien
from mien.commands.options import Options
from mien.errors import SettingError
from mien.face.classes import CLASSES, NAMES
from mien.face.crop import SIDE
from mien.manifest import Bundle, Graph, TensorSpec, write_manifest
from mien.manifest.bundle import BATCH
from mien.manifest.family import SIGNED
from mien_export.families.parsing.course import KIND, averaged_weights
from mien_export.families.parsing.network import SIZES, Segmenter
from mien_export.graphs.folder import replaced
from mien_export.graphs.traced import Traced
from mien_export.graphs.tracing import exported
from mien_export.train import checkpoint

OPERATORS: Final = frozenset(
    {"Add", "Concat", "Conv", "DepthToSpace", "Relu", "Reshape", "Resize", "SpaceToDepth", "Transpose"}
)
INPUT: Final = TensorSpec("picture", "picture", (BATCH, 3, SIDE, SIDE), range=SIGNED)
OUTPUT: Final = TensorSpec("labels", "labels", (BATCH, len(CLASSES), SIDE, SIDE))


def read_segmenter(path: Path) -> tuple[Segmenter, dict[str, str]]:
    """The averaged network of a checkpoint, for use, and what the checkpoint says of its training.

    Raises:
        SettingError: it is missing, broken or of something else.
    """
    state = checkpoint.load(path)
    size = state.get("size")
    if size not in SIZES:
        raise SettingError(f"{path}: size must be one of {', '.join(SIZES)}, got {size!r}")
    network = Segmenter(SIZES[size])
    network.load_state_dict(averaged_weights(path))
    said = {"size": size, "losses": str(state["said"]), "steps": str(state["done"]), "seed": str(state["seed"])}
    return network.eval().requires_grad_(False), said


def segmenter_graph(network: Segmenter) -> Traced:
    """The graph of the family, batch normalisation folded into the convolutions."""
    for unit in [module for module in network.modules() if isinstance(module, nn.Sequential)]:
        if len(unit) == 3 and isinstance(unit[1], nn.BatchNorm2d):
            unit[0], unit[1] = fuse_conv_bn_eval(unit[0], unit[1]), nn.Identity()
    return Traced("segmenter", network, (INPUT,), (OUTPUT,), OPERATORS)


def write_bundle(folder: Path, trained: Path, trained_on: str, commit: str) -> Bundle:
    """Write graph and manifest into an empty folder.

    Raises:
        SettingError: `trained` is no checkpoint of a segmenter.
        ModelError: the network cannot be exported.
    """
    network, said = read_segmenter(trained)
    traced = segmenter_graph(network)
    path = folder / "segmenter.onnx"
    path.write_bytes(exported(traced).SerializeToString(deterministic=True))
    graph = Graph(traced.name, "fp32", path, "", traced.inputs, traced.outputs, "request")
    bundle = Bundle(
        folder,
        name=KIND,
        family=KIND,
        kind=KIND,
        size=said["size"],
        side=SIDE,
        licence="Apache-2.0",
        version=mien.__version__,
        commit=commit,
        trained_on=f"{trained_on}; {said['steps']} steps, seed {said['seed']}",
        losses=said["losses"],
        graphs=(graph,),
        classes=NAMES,
    )
    return write_manifest(bundle, folder)


def main(arguments: list[str]) -> int:
    """Run the command.

    Raises:
        MienError: a checkpoint or folder that is not as it should be.
    """
    parser = Options(prog="mien export parsing", description="Write the bundle of a segmenter from its checkpoint.")
    parser.add_argument("--checkpoint", type=Path, required=True, metavar="FILE", help="what mien export train wrote")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the bundle; one there is replaced")
    parser.add_argument("--trained-on", default="labels made by mien", metavar="WORDS", help="data and counts")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    with replaced(options.out) as folder:
        write_bundle(folder, options.checkpoint, options.trained_on, _commit())
    print(options.out)
    return 0


def _commit() -> str:
    """Of the checkout that this code lies in, if it lies in one."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
