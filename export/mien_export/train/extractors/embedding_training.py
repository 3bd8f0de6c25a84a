"""Train the packaged face embedding: `python -m mien_export.train.extractors.embedding_training --data DIR --out FILE`.

Contrastive learning (NT-Xent; Chen et al. 2020) over people: two looks of one person attract, all others of the batch
repel. A look is the photograph, or an engine's rendering of it with another expression and pose, photographed anew; of
people with two photographs the looks are of both. Some of these people are held out, and verified on.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from mien_export.data.faces import Faces
from mien_export.train.extractors.own import FaceEmbedding, save_weights
from mien_export.train.extractors.views import Looks, looks_of, varied

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Verification:
    """Over all pairs of a set of pictures."""

    genuine: int
    """Pairs of one person."""
    impostor: int
    """Pairs of two."""
    area: float
    """Under the ROC curve: how often a pair of one person is the more similar one."""
    equal_error: float
    """Error rate where as many are wrongly accepted as wrongly refused."""
    at_one_per_cent: float
    """Share of pairs of one person that are accepted where 1 % of the pairs of two are."""
    threshold: float
    """Cosine of the equal error."""


def verified(embeddings: Array, people: NDArray[np.int64]) -> Verification:
    """embeddings (N, D) of length 1, people (N,)."""
    rows, columns = np.triu_indices(len(people), 1)
    similar = np.einsum("ij,ij->i", embeddings[rows], embeddings[columns])
    same = people[rows] == people[columns]
    genuine, impostor = np.sort(similar[same]), np.sort(similar[~same])
    levels = np.unique(similar)
    refused = np.searchsorted(genuine, levels) / len(genuine)
    accepted = 1 - np.searchsorted(impostor, levels) / len(impostor)
    equal = int(np.abs(refused - accepted).argmin())
    below = (np.searchsorted(impostor, genuine) + np.searchsorted(impostor, genuine, side="right")) / 2
    return Verification(
        genuine=len(genuine),
        impostor=len(impostor),
        area=float(below.mean() / len(impostor)),
        equal_error=float((refused[equal] + accepted[equal]) / 2),
        at_one_per_cent=float((genuine > np.quantile(impostor, 0.99)).mean()),
        threshold=float(levels[equal]),
    )


TEMPERATURE = 0.1
HELD_OUT = 48
"""People with two photographs that are not trained on."""


@dataclass(frozen=True, slots=True)
class EmbeddingRun:
    """How long and how."""

    steps: int = 800
    people: int = 96
    """Of a batch; two looks each."""
    looks: int = 6
    """Of each photograph."""
    rate: float = 2e-3
    seed: int = 0


def contrast(embeddings: Tensor) -> Tensor:
    """NT-Xent of (2 N, D) of length 1, whose rows i and N + i are one person's."""
    similar = embeddings @ embeddings.T / TEMPERATURE
    similar = similar.masked_fill(torch.eye(len(similar), dtype=torch.bool), float("-inf"))
    half = len(similar) // 2
    return F.cross_entropy(similar, torch.arange(len(similar)).roll(-half))


def split(looks: Looks, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """People to train on, and people with two photographs to verify on."""
    people = looks.people.numpy()
    names, counts = np.unique(people, return_counts=True)
    double = names[counts > counts.min()]
    held = np.random.default_rng(seed).permutation(double)[: min(HELD_OUT, len(double) // 2)]
    return np.setdiff1d(names, held), np.sort(held)


def fit(looks: Looks, people: NDArray[np.int64], run: EmbeddingRun) -> FaceEmbedding:
    """An embedding trained on these people."""
    torch.manual_seed(run.seed)
    network = FaceEmbedding().train()
    optimiser = torch.optim.AdamW(network.parameters(), run.rate, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, run.rate, total_steps=run.steps)
    random, rng = torch.Generator().manual_seed(run.seed), np.random.default_rng(run.seed)
    rows = {int(who): np.flatnonzero(looks.people.numpy() == who) for who in people}
    began = time.monotonic()
    for step in range(run.steps):
        chosen = rng.choice(people, min(run.people, len(people)), replace=False)
        pairs = np.array([rng.choice(rows[int(who)], 2, replace=False) for who in chosen])
        windows, _ = varied(looks, torch.from_numpy(pairs.T.reshape(-1)), random)
        with torch.autocast("cpu", torch.bfloat16):
            embeddings = network.of_window(windows)
        loss = contrast(embeddings)
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        optimiser.step()
        schedule.step()
        if step % 100 == 99:
            print(f"step {step + 1}/{run.steps}  loss {loss.item():.3f}  {time.monotonic() - began:.0f} s", flush=True)
    return network.eval()


def verify(network: FaceEmbedding, looks: Looks, people: NDArray[np.int64], every: int) -> Verification:
    """Over the photographs of `people` themselves, which are every `every`-th look."""
    chosen = np.arange(0, len(looks.people), every)
    chosen = chosen[np.isin(looks.people.numpy()[chosen], people)]
    with torch.no_grad():
        embeddings = network(looks.pictures[chosen].float() / 127.5 - 1)
    return verified(embeddings.double().numpy(), looks.people.numpy()[chosen])


def verify_varied(network: FaceEmbedding, looks: Looks, seed: int) -> Verification:
    """Over all looks, each photographed anew: for people with one photograph only."""
    windows, _ = varied(looks, torch.arange(len(looks.people)), torch.Generator().manual_seed(seed))
    with torch.no_grad():
        embeddings = network.of_window(windows)
    return verified(embeddings.double().numpy(), looks.people.numpy())


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of faces")
    parser.add_argument("--out", type=Path, required=True, help="file of weights to write")
    parser.add_argument("--steps", type=int, default=EmbeddingRun().steps)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    run = EmbeddingRun(steps=given.steps)
    looks = looks_of(Faces(given.data, "train", most_padding=1.0), run.looks, run.seed)
    people, held = split(looks, run.seed)
    print(f"{len(looks.people)} looks, {len(people)} people to train on, {len(held)} held out", flush=True)
    network = fit(looks, people, run)
    print("held out, two photographs each:", verify(network, looks, held, run.looks))
    test = looks_of(Faces(given.data, "test", most_padding=1.0), run.looks, run.seed)
    print("test people, one photograph each, rendered and varied:", verify_varied(network, test, run.seed))
    save_weights(network, given.out)


if __name__ == "__main__":
    main()
