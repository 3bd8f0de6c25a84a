"""LivePortrait's networks, random, as the ONNX files that FasterLivePortrait runs."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any, Final

from mien_bench.engines.faster_live_portrait import ORDER
from mien_bench.engines.live_portrait import networks

OPSET: Final = 20
"""The first whose GridSample takes volumes."""
POINTS: Final = 21
FEATURE: Final = (1, 32, 16, 64, 64)


def export(checkout: Path, folder: Path) -> None:
    """Write the four graphs."""
    torch = import_module("torch")
    found = networks(checkout, None)
    picture = torch.zeros(1, 3, 256, 256)
    points = torch.zeros(1, POINTS, 3)

    class Motion(torch.nn.Module):  # type: ignore[misc, name-defined]
        def forward(self, given: Any) -> Any:
            values = found["motion_extractor"](given)
            return tuple(values[name] for name in ORDER)

    class WarpingSpade(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.warp, self.paint = found["warping_module"], found["spade_generator"]

        def forward(self, feature: Any, driving: Any, source: Any) -> Any:
            return self.paint(feature=self.warp(feature, kp_driving=driving, kp_source=source)["out"])

    given: dict[str, tuple[Any, tuple[Any, ...]]] = {
        "appearance_feature_extractor": (found["appearance_feature_extractor"], (picture,)),
        "motion_extractor": (Motion(), (picture,)),
        "stitching": (found["stitching"], (torch.zeros(1, 2 * POINTS * 3),)),
        "warping_spade": (WarpingSpade(), (torch.zeros(FEATURE), points, points + 0.1)),
    }
    for name, (network, inputs) in given.items():
        torch.onnx.export(network.eval(), inputs, str(folder / f"{name}.onnx"), opset_version=OPSET, dynamo=True)
