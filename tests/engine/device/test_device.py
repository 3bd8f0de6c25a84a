from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import pytest
from tests.engine.device.stand_in import StandInDevice

from mien.device.device import ALIGNMENT, BLOCK, HOST, Workspace


@pytest.fixture
def device() -> StandInDevice:
    return StandInDevice()


@pytest.fixture
def workspace(device: StandInDevice) -> Workspace:
    return Workspace(device)


def test_on_the_host_nothing_is_copied() -> None:
    workspace, values = Workspace(HOST), np.arange(5, dtype=np.float32)
    assert workspace.put(values) is values
    assert workspace.keep(values) is values
    assert workspace.empty((2, 3), np.uint8).shape == (2, 3)


def test_what_is_put_is_there_after_the_work_is_done(device: StandInDevice, workspace: Workspace) -> None:
    values = np.arange(12, dtype=np.float32).reshape(3, 4)
    there = workspace.put(values)
    expected = values.copy()
    values[...] = 0  # the caller's array is free again at once
    device.wait()
    np.testing.assert_array_equal(there.array, expected)
    assert device.counts.uploaded == expected.nbytes


def test_arrays_of_one_frame_lie_apart_and_at_whole_addresses(workspace: Workspace) -> None:
    sizes = (1, 7, 300, BLOCK, 2 * BLOCK + 1, 5)
    arrays = [workspace.put(np.full(size, number, np.uint8)) for number, size in enumerate(sizes)]
    arrays += [workspace.empty((size,), np.uint8) for size in sizes]
    workspace.device.wait()
    ends = sorted((array.array.ctypes.data, array.array.ctypes.data + array.array.nbytes) for array in arrays)
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(ends))
    assert all(start % ALIGNMENT == 0 for start, _ in ends)
    for number, array in enumerate(arrays[: len(sizes)]):
        assert (array.array == number).all()


def test_a_later_frame_of_the_same_sizes_allocates_nothing(device: StandInDevice, workspace: Workspace) -> None:
    def frame() -> Iterator[int]:
        workspace.begin()
        for size in (40_000, 50_000, 60_000, 10):
            yield workspace.put(np.zeros(size, np.uint8)).array.ctypes.data
            yield workspace.empty((size,), np.uint8).array.ctypes.data
        device.wait()

    places = list(frame())
    allocated = device.counts.allocations
    assert list(frame()) == places
    assert device.counts.allocations == allocated


def test_kept_and_filled_arrays_stay(device: StandInDevice, workspace: Workspace) -> None:
    values = np.arange(6, dtype=np.float32)
    kept, filled = workspace.keep(values), device.zeros((6,), np.float32)
    workspace.fill(filled, values + 1)
    workspace.begin()
    workspace.put(np.zeros(100_000, np.uint8))
    device.wait()
    np.testing.assert_array_equal(kept.array, values)
    np.testing.assert_array_equal(filled.array, values + 1)


def test_captured_work_is_done_each_time_it_is_asked_for(device: StandInDevice) -> None:
    values, there, back = np.ones(3, np.float32), device.zeros((3,), np.float32), np.zeros(3, np.float32)

    def work() -> None:
        device.upload(values, there)
        device.download(there, back)

    captured = device.capture(work, "this")
    device.wait()
    assert not back.any()
    for value in (2.0, 3.0):
        values[...] = value
        captured()
        device.wait()
        assert (back == value).all()


def test_the_host_is_a_device_that_does_all_at_once() -> None:
    values, there, back = HOST.staging((2, 3), np.float32), HOST.zeros((2, 3), np.float32), np.zeros((2, 3), np.float32)
    values[...] = 4

    def work() -> None:
        HOST.upload(values, there)
        HOST.download(there, back)

    with HOST.current():
        HOST.capture(work, "this")()
    assert (back == 4).all()
    HOST.wait()
