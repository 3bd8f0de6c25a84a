"""Batches by index, made in worker processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import cv2
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset


class _Numbered(Dataset[Any]):
    """Samples of a range of numbers."""

    def __init__(self, sample: Callable[[int], Any], count: int) -> None:
        self._sample, self._count = sample, count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> Any:
        return self._sample(number)


def batches(
    sample: Callable[[int], Any],
    first: int,
    last: int,
    size: int,
    workers: int,
    collate: Callable[[list[Any]], dict[str, Tensor]],
    pinned: bool = False,
) -> Iterator[dict[str, Tensor]]:
    """Batches `first` to `last` - 1, of samples number * size and on, in this order whatever the workers do.

    `pinned`: in memory from which a GPU copies while it computes.
    """
    numbers = range(first * size, last * size)
    loader: DataLoader[Any] = DataLoader(
        _Numbered(sample, last * size),
        batch_size=size,
        sampler=numbers,
        num_workers=workers,
        collate_fn=collate,
        pin_memory=pinned,
        worker_init_fn=_one_thread,
        prefetch_factor=4 if workers else None,
        multiprocessing_context="spawn" if workers else None,
    )
    return iter(loader)


def _one_thread(_: int) -> None:
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
