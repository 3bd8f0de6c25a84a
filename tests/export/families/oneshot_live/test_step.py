"""The critic's own settings: when it is heard, how fast it learns, what of a picture is looked at."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mien_export.data.faces import Faces
from mien_export.data.sampler import Sampler, Sampling
from mien_export.families.oneshot_live.losses import JUDGED, REGIONS, SHARES
from mien_export.families.oneshot_live.step import LOOK, CriticSettings, Extractors, LiveLosses, LiveStep, _looked_at
from mien_export.families.oneshot_pairs import collate

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def raw(faces: Faces) -> dict[str, Tensor]:
    sampler = Sampler(faces, Sampling(seed=2, side=128))
    return collate([sampler(0), sampler(1)])


def test_a_critic_is_heard_when_it_knows_something() -> None:
    settings = CriticSettings(alone=100)
    assert [settings.heard(steps) for steps in (0, 100, 150, 200, 900)] == [0.0, 0.0, 0.5, 1.0, 1.0]
    assert CriticSettings().heard(0) == 1.0


def test_it_learns_before_it_is_heard_and_faster(raw: dict[str, Tensor]) -> None:
    torch.manual_seed(0)
    step = LiveStep("xs", CPU, critic=CriticSettings((8, 8, 8), faster=3.0, alone=1))
    step.set_rate(1e-4)
    assert [group["lr"] for group in step.critic_optimiser.param_groups] == pytest.approx([3e-4])
    assert [group["lr"] for group in step.optimiser.param_groups] == pytest.approx([1e-4])
    first = step(raw)
    assert first["critic"] > 0
    assert "adversarial" not in first
    step(raw)
    assert "adversarial" in step(raw)


def test_the_perceptual_term_looks_at_the_middle_of_a_cut_and_the_mouth_of_a_crop(raw: dict[str, Tensor]) -> None:
    shapes = []

    def features(picture: Tensor) -> tuple[Tensor, ...]:
        shapes.append(tuple(picture.shape))
        return (picture,)

    step = LiveStep("xs", CPU, LiveLosses(perceptual=1.0), extractors=Extractors(features))
    assert step(raw)["perceptual"] > 0
    assert set(shapes) == {(1, 3, LOOK, LOOK)}  # of the half that is laid over the truth
    rows = torch.arange(256.0).view(1, 1, 256, 1).expand(1, 1, 256, 256)
    assert _looked_at(rows).mean().item() == pytest.approx(177.5)
    assert _looked_at(rows[..., :128, :128]).mean().item() == pytest.approx(63.5)
    assert _looked_at(rows[..., :64, :64]).shape[-1] == 64


def test_the_critic_hears_little_of_what_is_kept() -> None:
    assert set(JUDGED) == set(SHARES) == set(REGIONS)
    assert max(JUDGED["face"], JUDGED["rest"]) < 0.5 * min(JUDGED[part] for part in ("inner_mouth", "lips", "eyes"))
