"""VGG-16: the layers that torchvision's file names, and random weights that are always the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mien.errors import SettingError

torch: Any = pytest.importorskip("torch", reason="torch is not installed: it comes with the extra `train`")

from mien_export.train.extractors.vgg import DEVIATION, MEAN, Vgg16, open_vgg16, random_vgg16  # noqa: E402

TORCHVISION = {0: (64, 3), 2: (64, 64), 5: (128, 64), 7: (128, 128), 10: (256, 128), 12: (256, 256), 14: (256, 256)} | {
    17: (512, 256),
    19: (512, 512),
    21: (512, 512),
}
"""Output and input channels of features.N, from its published state dict; convolutions are 3x3."""


def test_layers_are_named_and_shaped_as_in_torchvisions_file() -> None:
    shapes = {name: tuple(value.shape) for name, value in Vgg16().state_dict().items()}
    expected: dict[str, tuple[int, ...]] = {}
    expected |= {f"features.{n}.weight": (out, into, 3, 3) for n, (out, into) in TORCHVISION.items()}
    expected |= {f"features.{n}.bias": (out,) for n, (out, _) in TORCHVISION.items()}
    assert shapes == expected


def test_features_are_those_after_the_last_relu_of_each_block() -> None:
    network = random_vgg16(share=0.125)
    picture = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    found = network(picture)
    assert [tuple(f.shape) for f in found] == [(2, 8, 32, 32), (2, 16, 16, 16), (2, 32, 8, 8), (2, 64, 4, 4)]
    conv, relu = torch.nn.functional.conv2d, torch.relu
    h = ((picture + 1) / 2 - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(DEVIATION).view(3, 1, 1)
    state = network.state_dict()
    for n in (0, 2):
        h = relu(conv(h, state[f"features.{n}.weight"], state[f"features.{n}.bias"], padding=1))
    torch.testing.assert_close(found[0], h)


def test_random_weights_are_those_of_their_seed_and_keep_the_scale() -> None:
    picture = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    first, same, other = (random_vgg16(seed, 0.25)(picture) for seed in (0, 0, 1))
    assert all(torch.equal(a, b) for a, b in zip(first, same, strict=True))
    assert not torch.equal(first[-1], other[-1])
    assert all(0.2 < f.square().mean().sqrt() / first[0].square().mean().sqrt() < 5 for f in first)


def test_gradients_reach_the_picture_but_not_the_weights() -> None:
    network = random_vgg16(share=0.125)
    picture = torch.zeros(1, 3, 16, 16, requires_grad=True)
    torch.stack([f.mean() for f in network(picture)]).sum().backward()
    assert picture.grad.abs().sum() > 0
    assert all(weight.grad is None for weight in network.parameters())


def test_a_file_of_torchvisions_is_read_without_its_classifier(tmp_path: Path) -> None:
    state = random_vgg16(seed=5).state_dict()
    state |= {"features.24.weight": torch.zeros(1), "classifier.0.weight": torch.zeros(1)}
    torch.save(state, tmp_path / "vgg16.pth")
    opened = open_vgg16(tmp_path / "vgg16.pth")
    assert torch.equal(opened.features["21"].weight, state["features.21.weight"])
    assert not any(weight.requires_grad for weight in opened.parameters())


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    with pytest.raises(SettingError, match="no weight file that can be read"):
        open_vgg16(path)
    path.write_bytes(b"not a zip")
    with pytest.raises(SettingError, match="no weight file that can be read"):
        open_vgg16(path)
    torch.save({"layer.weight": torch.zeros(1)}, path)
    with pytest.raises(SettingError, match=r"lacks features\.0\.bias"):
        open_vgg16(path)
    torch.save(random_vgg16(share=0.5).state_dict(), path)
    with pytest.raises(SettingError, match="size mismatch"):
        open_vgg16(path)


def test_code_in_a_weight_file_is_not_run(tmp_path: Path) -> None:
    torch.save({"features.0.weight": _Trap()}, tmp_path / "trap.pth")
    with pytest.raises(SettingError, match="no weight file that can be read"):
        open_vgg16(tmp_path / "trap.pth")


class _Trap:
    def __reduce__(self) -> tuple[Any, ...]:
        return pytest.fail, ("the file's code was run",)
