"""Adapter of first-order-model: its networks out of a checkout, with the configuration for faces of 256 pixels."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from mien_bench.engines.protocol import Pixels, serve

CONFIGURATION = "config/vox-256.yaml"


class FirstOrderModel:
    """Relative motion of keypoints and their Jacobians, then the generator: all in torch."""

    def __init__(self, checkout: Path, weights: Path | None, threads: int) -> None:
        sys.path.insert(0, str(checkout))
        self._torch = import_module("torch")
        self._torch.set_num_threads(threads)
        self._torch.manual_seed(0)
        given = import_module("yaml").safe_load((checkout / CONFIGURATION).read_text())["model_params"]
        common = given["common_params"]
        generator = import_module("modules.generator").OcclusionAwareGenerator
        detector = import_module("modules.keypoint_detector").KPDetector
        self._generator: Any = generator(**given["generator_params"], **common).eval()
        self._detector: Any = detector(**given["kp_detector_params"], **common).eval()
        if weights is not None:
            state = self._torch.load(weights, map_location="cpu", weights_only=True)
            self._generator.load_state_dict(state["generator"])
            self._detector.load_state_dict(state["kp_detector"])
        self.trained = weights is not None
        self.about = f"torch {self._torch.__version__}, float32, 256 to 256"

    def prepare(self, source: Pixels, first: Pixels) -> None:
        with self._torch.no_grad():
            self._source = self._tensor(source)
            self._own = self._detector(self._source)
            self._first = self._detector(self._tensor(first))

    def answer(self, frame: Pixels) -> Pixels:
        torch = self._torch
        with torch.no_grad():
            now = self._detector(self._tensor(frame))
            turned = torch.matmul(now["jacobian"], torch.inverse(self._first["jacobian"]))
            wanted = {
                "value": self._own["value"] + now["value"] - self._first["value"],
                "jacobian": torch.matmul(turned, self._own["jacobian"]),
            }
            made = self._generator(self._source, kp_source=self._own, kp_driving=wanted)["prediction"]
            return np.asarray((made[0].permute(1, 2, 0).clamp(0, 1) * 255).round().byte().numpy())

    def _tensor(self, picture: Pixels) -> Any:
        return self._torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None].float() / 255


def _open(options: argparse.Namespace) -> FirstOrderModel:
    return FirstOrderModel(options.checkout, options.weights, options.threads)


if __name__ == "__main__":
    sys.exit(serve(_open))
