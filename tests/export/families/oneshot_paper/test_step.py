"""The thesis's training step: it learns, resumes to the bit, and computes what has a weight."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

torch: Any = pytest.importorskip("torch", reason="torch is not installed: it comes with the extra `train`")

from mien_export.families.oneshot_paper.config import ABLATION, CONFIGS, PaperConfig, PaperStage  # noqa: E402
from mien_export.families.oneshot_paper.losses import PaperLosses  # noqa: E402
from mien_export.families.oneshot_paper.networks import SIZES, PaperSize  # noqa: E402
from mien_export.families.oneshot_paper.step import Extractors, PaperStep, collated  # noqa: E402
from mien_export.train.course import part_at  # noqa: E402
from mien_export.train.extractors.vgg import random_vgg16  # noqa: E402

SMALL = PaperSize(
    "small", 32, encoder=(4, 6, 8, 8, 8), decoder=(8, 8, 6, 6, 4), composer=(6, 6, 6, 4, 4), discriminator=(4, 6)
)
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SIZES, "small", SMALL)


def config_of(**losses: float) -> PaperConfig:
    return PaperConfig("small", (PaperStage(100, 2, 1e-3, False),), PaperLosses(**losses), extractor_share=0.1)


def step_of(config: PaperConfig, reduced: bool = False) -> PaperStep:
    torch.manual_seed(0)
    return PaperStep(config, CPU, Extractors(random_vgg16(share=0.1), lambda p: p.mean((2, 3))), reduced)


def batch_of(number: int) -> dict[str, Any]:
    rng = np.random.default_rng(number)
    shapes = {"reference": (3, 32, 32), "guide": (3, 32, 32), "parsing": (9, 32, 32)}
    low = {"reference": -1, "guide": -1, "parsing": 0}
    return collated(
        [{name: rng.uniform(low[name], 1, shape).astype(np.float32) for name, shape in shapes.items()} for _ in "ab"]
    )


def test_every_term_is_told_and_the_discriminators_loss() -> None:
    terms = step_of(config_of())(batch_of(0))
    assert list(terms) == ["appearance", "reconstruction", "identity", "perceptual", "adversarial", "critic"]
    assert all(np.isfinite(value) and value > 0 for value in terms.values())


def test_learning_lowers_the_reconstruction() -> None:
    step = step_of(config_of(adversarial=0))
    raw = {name: value[..., :1, :1].expand_as(value).contiguous() for name, value in batch_of(0).items()}
    first, *_, last = (step(raw) for _ in range(30))
    assert last["reconstruction"] < 0.9 * first["reconstruction"]
    assert last["appearance"] < 0.9 * first["appearance"]


@pytest.mark.parametrize("reduced", [False, True])
def test_resuming_is_exact_to_the_bit(reduced: bool) -> None:
    step = step_of(config_of(), reduced)
    for number in range(2):
        step(batch_of(number))
    file = io.BytesIO()
    torch.save(step.state_dict(), file)
    ahead = [step(batch_of(number)) for number in (2, 3)]
    file.seek(0)
    torch.manual_seed(99)
    again = PaperStep(config_of(), CPU, step.extractors, reduced)
    again.load_state_dict(torch.load(file, weights_only=True))
    assert [again(batch_of(number)) for number in (2, 3)] == ahead


@pytest.mark.parametrize("off", ["appearance", "reconstruction", "identity", "perceptual", "adversarial"])
def test_each_term_can_be_switched_off(off: str) -> None:
    terms = step_of(config_of(**{off: 0.0}))(batch_of(0))
    assert off not in terms
    assert ("critic" in terms) == (off != "adversarial")


def test_the_discriminators_learn_and_the_generator_does_not_move_them(monkeypatch: pytest.MonkeyPatch) -> None:
    step = step_of(config_of())
    before = [weight.clone() for weight in step.critic.parameters()]
    monkeypatch.setattr(step.critic_optimiser, "step", lambda: None)
    step(batch_of(0))
    assert all(torch.equal(a, b) for a, b in zip(before, step.critic.parameters(), strict=True))
    assert all(weight.grad is not None for weight in step.critic.parameters())


def test_the_appearance_term_alone_trains_only_the_autoencoder() -> None:
    step = step_of(config_of(reconstruction=0, identity=0, perceptual=0, adversarial=0))
    step(batch_of(0))
    assert all(weight.grad is None for weight in step.networks.decoder.parameters())
    assert all(weight.grad is not None for weight in step.networks.autoencoder.parameters())


def test_a_term_without_its_extractor_is_refused() -> None:
    with pytest.raises(ValueError, match=r"perceptual term has weight 1\.0 but no extractor"):
        PaperStep(config_of(), CPU, Extractors())
    PaperStep(config_of(perceptual=0, identity=0), CPU, Extractors())


def test_rates_are_two_to_one() -> None:
    step = step_of(config_of())
    step.set_rate(2e-5)
    assert [o.param_groups[0]["lr"] for o in (step.optimiser, step.critic_optimiser)] == [2e-5, 1e-5]
    assert step.optimiser.param_groups[0]["betas"] == (0.5, 0.999)


def test_pictures_stand_side_by_side() -> None:
    pictures = step_of(config_of()).drawn(batch_of(0))
    assert [tuple(p.shape) for p in pictures] == [(2, 3, 32, 32)] * 4


def test_the_thesiss_schedule_and_ablation() -> None:
    main, tuning = CONFIGS["oneshot-paper"].stages
    assert (main.batch, main.rate, main.background) == (16, 1e-4, False)
    assert (tuning.batch, tuning.rate, tuning.background) == (16, 2e-5, True)
    assert main.steps * 16 / 28_000 == pytest.approx(45, abs=0.01)
    assert part_at(CONFIGS["oneshot-paper"].stages, main.steps) == (1, main.steps)
    assert [config.concatenate for config in ABLATION.values()] == [False, True, True, True, True]
    assert [config.losses.appearance for config in ABLATION.values()] == [25, 3, 10, 25, 50]
    chosen = ABLATION["paper-64-lambda-25"]
    assert replace(chosen, concatenate=False) == ABLATION["paper-64-no-concat"]
    assert chosen == CONFIGS["paper-64"]
