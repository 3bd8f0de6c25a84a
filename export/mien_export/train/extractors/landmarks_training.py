"""Train the packaged landmarks: `python -m mien_export.train.extractors.landmarks_training --data DIR --out FILE`.

Photographs and engine's renderings of them with other expressions, whose landmarks are known, photographed anew.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from mien_export.data.faces import Faces
from mien_export.train.extractors.own import POINTS, LandmarkNet, save_weights
from mien_export.train.extractors.views import Looks, looks_of, varied


@dataclass(frozen=True, slots=True)
class LandmarkRun:
    """How long and how."""

    steps: int = 800
    batch: int = 96
    looks: int = 6
    """Of each photograph."""
    rate: float = 2e-3
    seed: int = 0


def fit(looks: Looks, run: LandmarkRun) -> LandmarkNet:
    """A regressor trained on these looks."""
    torch.manual_seed(run.seed)
    network = LandmarkNet().train()
    optimiser = torch.optim.AdamW(network.parameters(), run.rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, run.rate, total_steps=run.steps)
    random = torch.Generator().manual_seed(run.seed)
    began = time.monotonic()
    for step in range(run.steps):
        rows = torch.randint(len(looks.people), (run.batch,), generator=random)
        windows, wanted = varied(looks, rows, random, mirror=False)  # a mirrored face's landmarks have other names
        with torch.autocast("cpu", torch.bfloat16):
            found = network.of_window(windows)
        loss = (found - wanted[:, list(POINTS)]).abs().mean()
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        optimiser.step()
        schedule.step()
        if step % 100 == 99:
            print(f"step {step + 1}/{run.steps}  loss {loss.item():.4f}  {time.monotonic() - began:.0f} s", flush=True)
    return network.eval()


@torch.no_grad()
def mean_error(network: LandmarkNet, looks: Looks) -> float:
    """Mean distance of the landmarks found from the known ones over all looks, in shares of the crop's side."""
    found = network(looks.pictures.float() / 127.5 - 1)
    return float((found - looks.landmarks[:, list(POINTS)]).norm(dim=2).mean())


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of faces")
    parser.add_argument("--out", type=Path, required=True, help="file of weights to write")
    parser.add_argument("--steps", type=int, default=LandmarkRun().steps)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    run = LandmarkRun(steps=given.steps)
    network = fit(looks_of(Faces(given.data, "train", most_padding=1.0), run.looks, run.seed), run)
    test = looks_of(Faces(given.data, "test", most_padding=1.0), run.looks, run.seed)
    print(f"test people, photographs and renderings: mean error {256 * mean_error(network, test):.2f} crop pixels")
    save_weights(network, given.out)


if __name__ == "__main__":
    main()
