"""Adapter of FasterLivePortrait: its ONNX Runtime predictor out of a checkout, on LivePortrait's networks as ONNX.

The networks lie in the checkout's own place; where they do not, random ones are exported from a checkout of
LivePortrait. Its own model classes ask for a CUDA device before anything else, so that without one only its predictor
can be run: what stands between the networks is ours.
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Final

import numpy as np

from mien_bench.engines.live_portrait import Array, Motion, moved, placed
from mien_bench.engines.protocol import Pixels, serve

PREDICTOR: Final = "src/models/predictor.py"
MODELS: Final = "checkpoints/liveportrait_onnx"
ORDER: Final = ("pitch", "yaw", "roll", "t", "exp", "scale", "kp")
"""Outputs of its motion extractor."""
GRAPHS: Final = ("appearance_feature_extractor", "motion_extractor", "stitching", "warping_spade")


class FasterLivePortrait:
    """Motion extractor, stitching, warp and decoder for each frame: all in ONNX Runtime, as its predictor opens it."""

    def __init__(self, checkout: Path, folder: Path, trained: bool) -> None:
        open_graph = _predictor(checkout).get_predictor
        self._graphs = {
            name: open_graph(predict_type="ort", model_path=str(folder / f"{name}.onnx")) for name in GRAPHS
        }
        self.trained = trained
        self.about = f"ONNX Runtime {import_module('onnxruntime').__version__}, float32, 256 to 512, its own threads"

    def prepare(self, source: Pixels, first: Pixels) -> None:
        self._feature = self._graphs["appearance_feature_extractor"].predict(_tensor(source))[0]
        self._own, self._first = self._motion(source), self._motion(first)
        self._points = placed(self._own)

    def answer(self, frame: Pixels) -> Pixels:
        wanted = moved(self._own, self._motion(frame), self._first)
        pair = np.concatenate([self._points.ravel(), wanted.ravel()])[None]
        shift = self._graphs["stitching"].predict(pair)[0][0]
        count = wanted.size
        wanted = wanted + shift[:count].reshape(wanted.shape)
        wanted[..., :2] += shift[count : count + 2]
        made: Array = self._graphs["warping_spade"].predict(self._feature, wanted[None], self._points[None])[0]
        return np.asarray(np.clip(made[0].transpose(1, 2, 0), 0, 1) * 255, np.uint8)

    def _motion(self, picture: Pixels) -> Motion:
        found = self._graphs["motion_extractor"].predict(_tensor(picture))
        return Motion.of({name: value[0] for name, value in zip(ORDER, found, strict=True)})


def _tensor(picture: Pixels) -> Array:
    return np.ascontiguousarray(picture.transpose(2, 0, 1)[None], np.float32) / 255


def _predictor(checkout: Path) -> Any:
    """Its predictor's file alone: the package around it imports what only its other models need."""
    spec = spec_from_file_location("faster_live_portrait_predictor", checkout / PREDICTOR)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _open(options: argparse.Namespace) -> FasterLivePortrait:
    folder = options.weights or options.checkout / MODELS
    if (folder / "warping_spade.onnx").exists():
        return FasterLivePortrait(options.checkout, folder, trained=True)
    if options.live_portrait is None:
        raise SystemExit(
            f"{folder}: expected LivePortrait's networks as ONNX, got none; name them, or --live-portrait to have "
            "random ones"
        )
    made = Path(mkdtemp(prefix="mien-bench-"))
    import_module("mien_bench.engines.exported").export(options.live_portrait, made)
    return FasterLivePortrait(options.checkout, made, trained=False)


if __name__ == "__main__":
    sys.exit(serve(_open))
