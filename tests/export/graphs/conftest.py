"""Small live networks with weights of nobody's training, and a bundle of them in all precisions."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from mien.manifest import Bundle
from mien_export.data.faces import Faces
from mien_export.data.sampler import Sampler, Sampling
from mien_export.graphs.int8 import RealPairs
from mien_export.graphs.reference import Example, Reference
from mien_export.graphs.trained import Trained
from mien_export.graphs.writing import Words, write_bundle
from mien_export.train.live import LiveNetworks

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: it comes with the extra `cpu`")
pytest.importorskip("openvino", reason="openvino is not installed: it comes with the extra `cpu`")

WORDS = Words("oneshot-live", "Apache-2.0", "0", "unknown", "nothing", "none")


@pytest.fixture(scope="session")
def trained() -> Trained:
    """Weights as they begin, but for heads and modulations, which begin so quiet that nothing would be seen of them."""
    torch.manual_seed(3)
    networks = LiveNetworks("xs").eval().requires_grad_(False)
    networks.generator.head.weight.mul_(10)
    for name, weight in networks.generator.named_parameters():
        if ".gamma." in name or ".beta." in name:
            weight.mul_(5)
    return Trained(networks, "xs", 0, 3)


@pytest.fixture(scope="session")
def told() -> list[str]:
    """What was said while the bundle was written."""
    return []


@pytest.fixture(scope="session")
def bundle(trained: Trained, faces_folder: Path, told: list[str], tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """In fp32, fp16 and int8."""

    def pairs(split: str) -> Sampler:
        return Sampler(Faces(faces_folder, split), Sampling(side=256))

    train, test = pairs("train"), pairs("test")
    real = RealPairs(lambda: map(train, range(6)), lambda: map(test, range(3)))
    folder = tmp_path_factory.mktemp("bundle")
    return write_bundle(folder, trained, WORDS, ("fp32", "fp16", "int8"), real, 1, told.append)


@pytest.fixture(scope="session")
def examples(bundle: Bundle, faces_folder: Path) -> list[Example]:
    """Real inputs, which no precision was calibrated on, and what fp32 makes of them."""
    sampler = Sampler(Faces(faces_folder, "test"), Sampling(seed=1, side=256))
    reference = Reference(bundle, 1)
    found = list(reference.examples(map(sampler, range(3))))
    reference.close()
    return found
