"""Styles from their first step to a bundle that the engine runs."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

torch: Any = pytest.importorskip("torch", reason="torch is not installed: it comes with the extra `train`")
h5py: Any = pytest.importorskip("h5py", reason="h5py is not installed: it comes with the extra `train`")

from mien import samples  # noqa: E402
from mien.bundles import InstalledBundle  # noqa: E402
from mien.errors import SettingError  # noqa: E402
from mien.manifest import read_bundle  # noqa: E402
from mien.portrait.portrait import Portrait  # noqa: E402
from mien.style.opening import model_with, open_styler, style_names  # noqa: E402
from mien.style.wish import read_wish  # noqa: E402
from mien_export.data.faces import Faces  # noqa: E402
from mien_export.families.registry import course_of, family_of, read_trained  # noqa: E402
from mien_export.families.style import own, refine_command  # noqa: E402
from mien_export.families.style.goals import moments  # noqa: E402
from mien_export.families.style.losses import temporal_term  # noqa: E402
from mien_export.families.style.network import SIZES, StyleNetwork, drawn, recoloured  # noqa: E402
from mien_export.families.style.own import read_network  # noqa: E402
from mien_export.families.style.own_command import main  # noqa: E402
from mien_export.families.style.paintings import NAMED, read_painting, transfer_to  # noqa: E402
from mien_export.families.style.samples import Samples, sampled  # noqa: E402
from mien_export.graphs.parity import beyond, compare  # noqa: E402
from mien_export.graphs.writing import Words, write_bundle  # noqa: E402
from mien_export.train.course import Asked  # noqa: E402
from mien_export.train.extractors.given import Given  # noqa: E402
from mien_export.train.extractors.hed import CONVOLUTIONS  # noqa: E402
from mien_export.train.loop import LATEST, Run, train  # noqa: E402


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    """Paintings of noise in different colours, and a trunk with random weights."""
    folder, rng = tmp_path_factory.mktemp("style"), np.random.default_rng(0)
    for number, file in enumerate(NAMED.values()):
        noise = rng.integers(0, 255, (12, 16, 3)) * np.roll([1.0, 0.6, 0.3], number)
        Image.fromarray(noise.astype(np.uint8)).resize((160, 120)).save(folder / file)
    with h5py.File(folder / "trunk.h5", "w") as file:
        for name, inputs, outputs in CONVOLUTIONS:
            scale = np.sqrt(2 / (9 * inputs))
            file[f"{name}/vars/0"] = rng.normal(0, scale, (3, 3, inputs, outputs)).astype(np.float32)
            file[f"{name}/vars/1"] = np.zeros(outputs, np.float32)
    return Asked(given=Given(hed=folder / "trunk.h5"), paintings=folder)


@pytest.fixture(scope="module")
def trained(asked: Asked, faces: Faces, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a few steps, with and without the temporal term."""
    out = tmp_path_factory.mktemp("run")
    history = train(course_of("style-smoke", asked), faces, 0, Run(out, workers=0, threads=1), tell=io.StringIO())
    assert [("temporal" in terms) for terms in history] == [False, False, True, True]
    assert all(np.isfinite(list(terms.values())).all() for terms in history)
    return out / LATEST


@pytest.fixture(scope="module")
def bundle(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    words = Words("style", "CC0-1.0", "1", "0" * 40, "noise", "none")
    write_bundle(folder, read_trained(trained), words, ("fp32",), None, 1, lambda _: None)
    return folder


def test_colours_take_on_a_paintings_mean_and_spread() -> None:
    rng = np.random.default_rng(0)
    painting = np.clip(rng.normal([200, 90, 40], [20, 30, 10], (64, 64, 3)), 0, 255).astype(np.uint8)
    matrix, offset = transfer_to(painting)
    mean = torch.tensor([0.497, 0.467, 0.529])
    torch.testing.assert_close(matrix @ mean + offset, torch.tensor([200.0, 90.0, 40.0]) / 255, atol=0.01, rtol=0)
    calmer, _ = transfer_to(painting, 0.5)
    torch.testing.assert_close(calmer, matrix / 2)


def test_a_look_that_was_found_draws_the_same_strokes() -> None:
    torch.manual_seed(0)
    network = StyleNetwork(SIZES["m"], 3).eval()
    picture, mix = torch.rand(1, 3, 64, 48) * 2 - 1, torch.tensor([[0.2, 0.8, 0.0]])
    with torch.no_grad():
        strokes, look = network(picture, mix)
        assert strokes.shape == (1, 3, 32, 24)
        assert look.shape == (1, network.look_length)
        torch.testing.assert_close(network.alike(picture, look), strokes, atol=1e-5, rtol=1e-4)
        other = torch.rand(1, 3, 64, 48) * 2 - 1
        fixed = network(other, mix, look, torch.ones(1, 1))[0]
        torch.testing.assert_close(network.alike(other, look), fixed, atol=1e-5, rtol=1e-4)


def test_moments_are_mean_and_covariance() -> None:
    features = torch.randn(2, 5, 7, 9)
    mean, covariance = moments(features)
    flat = features.flatten(2).numpy()
    np.testing.assert_allclose(mean.numpy(), flat.mean(2), atol=1e-5)
    for one in range(2):
        np.testing.assert_allclose(covariance[one].numpy(), np.cov(flat[one], bias=True), atol=1e-4)


def test_a_style_of_ones_own_is_added_from_one_picture(
    trained: Path, bundle: Path, asked: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own, "STAGES", tuple(replace(stage, side=64, full=96) for stage in own.STAGES))
    assert asked.paintings is not None
    assert asked.given.hed is not None
    out = tmp_path / "mine"
    options = ["--picture", str(asked.paintings / "wave.jpg"), "--name", "mine", "--model", str(bundle)]
    drawn = ["--portraits", str(samples.portraits()["mira"]), "--steps", "3", "--threads", "1"]
    main([*options, "--hed", str(asked.given.hed), *drawn, "--out", str(out)])
    begun, _, names = read_network(bundle)
    grown, _, more = read_network(out)
    assert more == (*names, "mine")
    torch.testing.assert_close(begun.state_dict(), read_trained(trained).networks.state_dict())
    for name, value in begun.state_dict().items():
        torch.testing.assert_close(grown.state_dict()[name][: len(value)], value, msg=name)
    first = "blocks.0.0.scale"
    assert not torch.equal(grown.state_dict()[first][-1], begun.state_dict()[first].mean(0))
    monkeypatch.setattr("mien.style.opening.installed_bundles", lambda: [InstalledBundle("mine", out, packaged=False)])
    assert style_names() == more
    assert model_with(read_wish("mine:0.5+wave")) == "mine"
    with pytest.raises(SettingError, match=r"style must be one of scream, .*, mine, got 'monet'"):
        model_with(read_wish("monet"))
    with pytest.raises(SettingError, match="does not have, got wave; give another"):
        main([*options[:2], "--model", str(out), "--hed", str(asked.given.hed), "--out", str(tmp_path / "again")])
    assert not (tmp_path / "again").exists()


def test_a_portrait_is_refined_towards_a_painting(
    asked: Asked, nobodies: dict[str, Portrait], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refine_command, "SIDE", 128)
    assert asked.paintings is not None
    assert asked.given.hed is not None
    portrait, losses = nobodies["mira"], list[float]()
    painting = read_painting(asked.paintings / "wave.jpg")
    refined = refine_command.refine(
        portrait, portrait.pixels, painting, asked.given.hed, 3, lambda done, steps, loss: losses.append(loss)
    )
    assert refined.shape == portrait.pixels.shape
    assert losses[-1] < losses[0]
    assert np.abs(refined.astype(int) - portrait.pixels).mean() > 1


def test_what_moves_with_the_flow_costs_nothing(faces: Faces) -> None:
    samples = Samples(faces, seed=1, side=64, full=96)
    sample = samples(3)
    again = samples(3)
    np.testing.assert_array_equal(sample.later, again.later)
    assert sample.picture.shape == sample.later.shape == (64, 64, 3)
    assert sample.weight.max() > 100
    picture = torch.from_numpy(sample.picture).permute(2, 0, 1)[None].float() / 255
    moved = torch.from_numpy(sampled(sample.picture, sample.flow)).permute(2, 0, 1)[None].float() / 255
    flow, sure = torch.from_numpy(sample.flow)[None], torch.ones(1, 1, 64, 64)
    assert float(temporal_term(picture, moved, flow, sure)) < 1e-5
    assert float(temporal_term(picture, picture, flow, sure)) > 1e-4
    assert float(temporal_term(picture, picture, flow, 0 * sure)) == 0


def test_answers_stay_colours_and_no_strokes_leave_them_plain() -> None:
    colours = recoloured(torch.rand(1, 3, 8, 8), torch.tensor([[3.0, 0, 0, 0, 3, 0, 0, 0, 3, -1, -1, -1]]))
    plain, stroked = drawn(colours, None), drawn(colours, torch.zeros(1, 3, 4, 4))
    torch.testing.assert_close(plain, stroked)
    assert 0 < float(plain.min()) <= float(plain.max()) < 1


def test_a_bundle_is_written_proven_and_run(bundle: Path, trained: Path, faces: Faces) -> None:
    found, written = read_trained(trained), read_bundle(bundle)
    assert found.attributes == written.attributes == tuple(NAMED)
    family = family_of("style", "here")
    rows = compare(written, list(family.examples(written, faces, 1, 1)), 1, found.graphs())
    assert {row.runtime for row in rows} == {"torch", "onnxruntime", "openvino"}
    assert not list(beyond(family.bounds, rows))
    with open_styler(1, str(bundle)) as styler:
        assert styler.names == tuple(NAMED)


@pytest.mark.parametrize("lacking", ["paintings", "hed"])
def test_what_is_missing_is_asked_for(asked: Asked, lacking: str, tmp_path: Path) -> None:
    given = asked.given if lacking == "paintings" else Given()
    with pytest.raises(SettingError, match=f"--{lacking}: expected"):
        course_of("style", Asked(given=given, paintings=None if lacking == "paintings" else tmp_path))


def test_a_small_or_broken_painting_is_refused(tmp_path: Path) -> None:
    Image.new("RGB", (40, 200)).save(tmp_path / "small.png")
    with pytest.raises(SettingError, match="at least 64 pixels a side, got 40 x 200"):
        read_painting(tmp_path / "small.png")
    (tmp_path / "broken.png").write_bytes(b"nothing")
    with pytest.raises(SettingError, match="no readable picture"):
        read_painting(tmp_path / "broken.png")
