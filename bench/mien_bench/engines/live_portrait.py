"""Adapter of LivePortrait: its networks out of a checkout, in the order in which its pipeline calls them.

The arithmetic between the networks is from its paper's equations: implicit keypoints, posed and moved.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mien_bench.engines.protocol import Pixels, serve

Array = NDArray[Any]

BINS: Final = 66
"""An angle is an expectation over so many bins of 3 degrees, from -97.5."""
CONFIGURATION: Final = "src/config/models.yaml"
WEIGHTS: Final = "pretrained_weights/liveportrait"
NETWORKS: Final = {
    "appearance_feature_extractor": ("appearance_feature_extractor", "AppearanceFeatureExtractor"),
    "motion_extractor": ("motion_extractor", "MotionExtractor"),
    "warping_module": ("warping_network", "WarpingNetwork"),
    "spade_generator": ("spade_generator", "SPADEDecoder"),
}
STITCHING: Final = ("stitching_retargeting_network", "StitchingRetargetingNetwork")
STITCHING_STATE: Final = "retarget_shoulder"


@dataclass(frozen=True, slots=True)
class Motion:
    """What the motion extractor sees in one picture."""

    points: Array
    """(K, 3): canonical keypoints."""
    rotation: Array
    """(3, 3), applied from the right."""
    expression: Array
    """(K, 3)."""
    scale: Array
    """(1,)."""
    shift: Array
    """(3,); depth is not used."""

    @staticmethod
    def of(found: Mapping[str, Array]) -> Motion:
        """From the extractor's outputs of one picture: kp, pitch, yaw, roll, t, exp, scale."""
        angles = [degrees(found[name]) for name in ("pitch", "yaw", "roll")]
        points, expression = (found[name].reshape(-1, 3) for name in ("kp", "exp"))
        return Motion(points, rotation_of(*angles), expression, found["scale"].ravel(), found["t"].ravel())


def degrees(bins: Array) -> float:
    """The angle that (66,) unnormalised log probabilities of bins expect."""
    shares = np.exp(bins.ravel() - bins.max())
    return float((shares / shares.sum() * np.arange(BINS)).sum() * 3 - 97.5)


def rotation_of(pitch: float, yaw: float, roll: float) -> Array:
    """(3, 3) for angles in degrees, to be applied from the right: the transpose of roll * yaw * pitch."""
    (cx, cy, cz), (sx, sy, sz) = (part(np.radians([pitch, yaw, roll])) for part in (np.cos, np.sin))
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return np.asarray((about_z @ about_y @ about_x).T)


def placed(motion: Motion) -> Array:
    """(K, 3): x = s (x_c R + d) + t."""
    return _at(motion.points @ motion.rotation + motion.expression, motion.scale, motion.shift)


def moved(own: Motion, now: Motion, first: Motion) -> Array:
    """(K, 3): the portrait's keypoints with the driver's motion since its first frame."""
    rotation = now.rotation @ first.rotation.T @ own.rotation
    expression: Array = own.expression + now.expression - first.expression
    scale = own.scale * (now.scale / first.scale)
    return _at(own.points @ rotation + expression, scale, own.shift + now.shift - first.shift)


def _at(points: Array, scale: Array, shift: Array) -> Array:
    return np.asarray(points * scale + shift * np.array([1, 1, 0]), np.float32)


def networks(checkout: Path, weights: Path | None) -> dict[str, Any]:
    """The five networks that a frame needs, in evaluation; random where there are no weights."""
    sys.path.insert(0, str(checkout))
    torch = import_module("torch")
    torch.manual_seed(0)
    given = import_module("yaml").safe_load((checkout / CONFIGURATION).read_text())["model_params"]
    found = {name: _network(*place, given[f"{name}_params"]) for name, place in NETWORKS.items()}
    found["stitching"] = _network(*STITCHING, given["stitching_retargeting_module_params"]["stitching"])
    if weights is not None:
        for name in NETWORKS:
            found[name].load_state_dict(_state(torch, weights / "base_models" / f"{name}.pth"))
        state = _state(torch, weights / "retargeting_models" / "stitching_retargeting_module.pth")[STITCHING_STATE]
        found["stitching"].load_state_dict({key.replace("module.", ""): value for key, value in state.items()})
    return found


def weights_of(checkout: Path, named: Path | None) -> Path | None:
    """Those named, else those in the checkout's own place; None where there are none."""
    own = checkout / WEIGHTS
    return named or (own if (own / "base_models").is_dir() else None)


class LivePortrait:
    """Motion extractor, stitching, warp and decoder for each frame: all in torch."""

    def __init__(self, checkout: Path, weights: Path | None, threads: int) -> None:
        self._torch = import_module("torch")
        self._torch.set_num_threads(threads)
        self._networks = networks(checkout, weights)
        self.trained = weights is not None
        self.about = f"torch {self._torch.__version__}, float32, 256 to 512"

    def prepare(self, source: Pixels, first: Pixels) -> None:
        with self._torch.no_grad():
            picture = self._tensor(source)
            self._feature = self._networks["appearance_feature_extractor"](picture)
            self._own = self._motion(picture)
            self._first = self._motion(self._tensor(first))
            self._points = placed(self._own)

    def answer(self, frame: Pixels) -> Pixels:
        torch = self._torch
        with torch.no_grad():
            wanted = moved(self._own, self._motion(self._tensor(frame)), self._first)
            pair = torch.from_numpy(np.concatenate([self._points.ravel(), wanted.ravel()]))[None].float()
            shift = self._networks["stitching"](pair)[0].numpy()
            count = wanted.size
            wanted = wanted + shift[:count].reshape(wanted.shape)
            wanted[..., :2] += shift[count : count + 2]
            points = [torch.from_numpy(one).float()[None] for one in (self._points, wanted)]
            warped = self._networks["warping_module"](self._feature, kp_source=points[0], kp_driving=points[1])
            made = self._networks["spade_generator"](feature=warped["out"])
            return np.asarray((made[0].permute(1, 2, 0).clamp(0, 1) * 255).byte().numpy())

    def _motion(self, picture: Any) -> Motion:
        found = self._networks["motion_extractor"](picture)
        return Motion.of({name: value[0].numpy() for name, value in found.items()})

    def _tensor(self, picture: Pixels) -> Any:
        return self._torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None].float() / 255


def _network(module: str, name: str, given: dict[str, Any]) -> Any:
    return getattr(import_module(f"src.modules.{module}"), name)(**given).eval()


def _state(torch: Any, path: Path) -> Any:
    return torch.load(path, map_location="cpu", weights_only=True)


def _open(options: argparse.Namespace) -> LivePortrait:
    return LivePortrait(options.checkout, weights_of(options.checkout, options.weights), options.threads)


if __name__ == "__main__":
    sys.exit(serve(_open))
