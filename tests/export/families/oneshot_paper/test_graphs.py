"""The thesis's networks as a bundle: what runs them, how near they stay, and that the engine paints with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from PIL import Image

from mien.cli import main
from mien.errors import SettingError
from mien.face.motion import identity_motion
from mien.manifest import Bundle, read_bundle
from mien.paint.painter import Paint, Painter
from mien.portrait.portrait import Portrait
from mien.reenact.reenact import Reenact
from mien.runtime.opening import open_session
from mien_export.data.faces import Faces
from mien_export.families.family import Trained
from mien_export.families.oneshot_examples import examples_of
from mien_export.families.oneshot_paper.config import CONFIGS
from mien_export.families.oneshot_paper.family import PAPER
from mien_export.families.oneshot_paper.graphs import PaperGraphs
from mien_export.families.oneshot_paper.step import PaperNetworks
from mien_export.families.registry import read_trained
from mien_export.graphs.parity import beyond, compare
from mien_export.graphs.writing import Words, write_bundle
from mien_export.train import checkpoint

WORDS = Words("oneshot-paper", "Apache-2.0", "0", "unknown", "nothing", "none")


def networks_of(background: bool) -> PaperGraphs:
    torch.manual_seed(5)
    networks = PaperNetworks(CONFIGS["paper-64"]).eval().requires_grad_(False)
    return PaperGraphs(networks.autoencoder, networks.decoder, background).eval()


@pytest.fixture(scope="module")
def faces_only() -> Trained:
    """Networks that know faces, not what surrounds them."""
    return Trained(PAPER, networks_of(background=False), "paper-64", 7, 0, "all terms")


@pytest.fixture(scope="module")
def paper_bundle(faces_only: Trained, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("paper")
    return read_bundle(write_bundle(folder, faces_only, WORDS, ("fp32", "fp16"), None, 1, print).folder)


def test_the_manifest_says_what_the_networks_are(paper_bundle: Bundle) -> None:
    assert (paper_bundle.kind, paper_bundle.size, paper_bundle.side) == ("oneshot-paper", "paper-64", 64)
    roles = [(spec.role, spec.warped) for spec in paper_bundle.graph("generator").inputs]
    assert roles == [("latent", False), *[("feature", False)] * 4, ("parsing", False), ("warped", False)]
    domains = {node.domain for node in onnx.load(paper_bundle.graph("generator", "fp16").path).graph.node}
    assert domains == {"", "mien"}  # for TensorRT's plug-in
    assert not onnx.load(paper_bundle.graph("generator").path).functions
    assert [spec.role for spec in paper_bundle.graph("appearance").inputs] == ["picture", "portrait_parsing"]


def test_all_runtimes_agree(paper_bundle: Bundle, faces_only: Trained, faces_folder: Path) -> None:
    examples = list(examples_of(paper_bundle, Faces(faces_folder, "test"), 2, 1, seed=1))
    rows = compare(paper_bundle, examples, 1, faces_only.graphs())
    assert {row.runtime for row in rows} == {"torch", "onnxruntime", "openvino"}
    assert list(beyond(PAPER.bounds, rows)) == []


def test_int8_is_refused(faces_only: Trained, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="int8: models of kind oneshot-paper do not come in it; take fp32 or fp16"):
        write_bundle(tmp_path, faces_only, WORDS, ("int8",), None, 1, print)
    assert not list(tmp_path.iterdir())


def test_around_a_face_the_warped_portrait_stays(faces_only: Trained) -> None:
    networks = faces_only.networks
    picture = torch.rand(1, 3, 64, 64) * 2 - 1
    parsing = torch.zeros(1, 9, 64, 64)
    parsing[:, 0, 20:50, 20:50] = 1
    latent, *features = networks.appearance(picture, parsing)
    generated, mask = networks.generator(latent, tuple(features), parsing, picture)
    around = parsing[0, 0] == 0
    torch.testing.assert_close(generated[0, :, around], picture[0, :, around], rtol=0, atol=1e-6)
    assert (mask[0, 0, around] == 1).all()
    changed = picture.clone()
    changed[..., :10, :10] = 0
    assert torch.equal(networks.appearance(changed, parsing)[0], latent)


def test_a_checkpoint_tells_how_its_networks_are_made(tmp_path: Path) -> None:
    networks = PaperNetworks(CONFIGS["paper-64-no-concat"])
    values = dict(networks.named_parameters())
    state = {"kind": "oneshot-paper", "size": "paper-64", "concatenate": False, "background": True, "said": "terms"}
    state |= {"seed": 1, "done": 4, "step": {"average": {"steps": 4, "values": values}}}
    checkpoint.save(tmp_path / "a.pt", state)
    trained = read_trained(tmp_path / "a.pt")
    assert isinstance(trained.networks, PaperGraphs)
    assert (trained.family.kind, trained.family.side(trained.size), trained.said, trained.networks.background) == (
        "oneshot-paper",
        64,
        "terms",
        True,
    )
    assert not trained.networks.generator.decoder.concatenate
    assert main(["export", "onnx", "--checkpoint", str(tmp_path / "a.pt"), "--out", str(tmp_path / "b")]) == 0
    bundle = read_bundle(tmp_path / "b")
    assert (bundle.name, bundle.losses) == ("oneshot-paper", "terms")
    assert "4 steps" in bundle.trained_on


def test_the_engine_paints_with_it(paper_bundle: Bundle, tmp_path: Path) -> None:
    pictures = []
    for model in (str(paper_bundle.folder), "warp"):
        picture = tmp_path / f"{Path(model).name}.png"
        given = ["sample:mira", "--driver", "sample:driver", "--output", str(picture), "--model", model]
        assert main(["reenact", *given, "--duration", "0.04", "--size", "256", "--threads", "1", "--quiet"]) == 0
        pictures.append(np.asarray(Image.open(picture)).astype(int))
    painted, warped = pictures
    assert np.abs(painted - warped).max() > 8
    assert np.abs(painted - warped).mean() < 8


def test_each_portrait_keeps_its_own_features(paper_bundle: Bundle, nobodies: dict[str, Portrait]) -> None:
    painter = Painter(paper_bundle, lambda graph: open_session(paper_bundle, graph, "onnxruntime", "fp32", 1))
    people = [(nobodies[name],) for name in ("mira", "aldo")]
    first, second = ((Reenact(person), Paint(person, painter)) for person in people)
    painted = []
    for reenact, paint in (first, second, first):
        (painting,) = paint(reenact(identity_motion(), 0.0))
        assert painting is not None
        painted.append(painting.generated)
    painter.close()
    np.testing.assert_array_equal(painted[0], painted[2])
    assert not np.array_equal(painted[0], painted[1])
