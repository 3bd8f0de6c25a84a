"""Small live networks with weights of nobody's training, and a bundle of them in all precisions."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from mien.manifest import Bundle
from mien_export.data.faces import Faces
from mien_export.families.family import Trained
from mien_export.families.oneshot_examples import examples_of
from mien_export.families.oneshot_live.family import LIVE
from mien_export.families.oneshot_live.step import LiveNetworks
from mien_export.graphs.measure import Example
from mien_export.graphs.writing import RealFaces, Words, write_bundle

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
    return Trained(LIVE, networks, "xs", 0, 3)


@pytest.fixture(scope="session")
def distinct() -> Trained:
    """Weights of which none are alike: what is alike is written once."""
    torch.manual_seed(7)
    networks = LiveNetworks("xs").eval().requires_grad_(False)
    for name, value in networks.named_parameters():
        if name.endswith("bias"):  # which begin alike
            value.normal_(0, 0.1)
    return Trained(LIVE, networks, "xs", 0, 7)


@pytest.fixture(scope="session")
def distinct_bundle(distinct: Trained, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return write_bundle(tmp_path_factory.mktemp("distinct"), distinct, WORDS, ("fp32",), None, 1, print)


@pytest.fixture(scope="session")
def told() -> list[str]:
    """What was said while the bundle was written."""
    return []


@pytest.fixture(scope="session")
def bundle(trained: Trained, faces_folder: Path, told: list[str], tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """In fp32, fp16 and int8."""
    real = RealFaces(Faces(faces_folder, "train"), Faces(faces_folder, "test"), 6, 3)
    folder = tmp_path_factory.mktemp("bundle")
    return write_bundle(folder, trained, WORDS, ("fp32", "fp16", "int8"), real, 1, told.append)


@pytest.fixture(scope="session")
def examples(bundle: Bundle, faces_folder: Path) -> list[Example]:
    """Real inputs, which no precision was calibrated on, and what fp32 makes of them."""
    return list(examples_of(bundle, Faces(faces_folder, "test"), 3, 1, seed=1))
