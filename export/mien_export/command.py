"""`mien export NAME`: training and export commands, each loaded on demand."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

from mien.errors import BackendError, SettingError

COMMANDS: Final = {
    "train": ("mien_export.train.command", "train a network on a folder of faces"),
    "pack": ("mien_export.families.oneshot_live.pack_command", "make pairs to learn from beforehand"),
    "ablation": (
        "mien_export.ablation",
        "train the columns of an ablation and write their bundles",
    ),
    "labels": ("mien_export.families.parsing.label_command", "label portraits for the family parsing"),
    "label-quality": (
        "mien_export.families.parsing.quality",
        "measure a segmenter against the label maker and against itself",
    ),
    "landmarks": ("mien_export.landmarks.command", "convert MediaPipe's landmark and detector networks"),
    "onnx": ("mien_export.graphs.command", "write a model bundle from a checkpoint"),
    "people": ("mien_export.families.scgan.people_command", "make what the avatar maker learns from"),
    "parity": ("mien_export.graphs.parity_command", "how far runtimes and precisions of a bundle are apart"),
    "refine": ("mien_export.families.style.refine_command", "draw a portrait in a style slowly and well"),
    "style": ("mien_export.families.style.own_command", "learn a style of one's own from one picture"),
    "views": ("mien_export.data.views", "animate portraits for the family landmark-unet"),
    "trt": ("mien_export.trt_command", "build TensorRT engines of a bundle ahead of their first use"),
}
"""Module and purpose by name."""


def main(arguments: list[str]) -> int:
    """Run the command that the first argument names.

    Raises:
        MienError: it is none, or what the command raises.
    """
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_usage())
        return 0
    name, *rest = arguments
    if name not in COMMANDS:
        raise SettingError(f"export must be one of {', '.join(COMMANDS)}, got {name!r}")
    result: int = _module(name).main([word for word in rest if word != "--debug"])
    return result


def _module(name: str) -> Any:
    try:
        return import_module(COMMANDS[name][0])
    except ModuleNotFoundError as error:
        raise BackendError(
            f"export {name}: expected the package {error.name}, got none; pip install 'mien[train,cpu]'"
        ) from error


def _usage() -> str:
    rows = [f"  {name:<15}{about}" for name, (_, about) in COMMANDS.items()]
    return "\n".join(["usage: mien export NAME [OPTIONS]; NAME --help lists the options", "", *rows])
