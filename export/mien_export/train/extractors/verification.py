"""How well embeddings tell people apart: pairs of one person against pairs of two."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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
