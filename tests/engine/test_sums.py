from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from mien.sums import luma

BESIDE = """
import os, sys
import numpy as np
from mien.sums import luma
def threads():
    return len(os.listdir("/proc/self/task"))
if os.fork() == 0:  # OpenBLAS ends its threads at a fork, and starts them again where it needs them
    os._exit(0)
os.wait()
assert threads() == 1, threads()
luma(np.ones((512, 512, 3), np.float32))
print(threads(), end=" ")
np.ones((512, 512, 3), np.float32).reshape(-1, 3) @ np.ones(3, np.float32)
print(threads())
"""


def test_of_known_colours() -> None:
    colours = np.array([[[255, 255, 255], [255, 0, 0]], [[0, 255, 0], [0, 0, 0]]], dtype=np.float64)
    np.testing.assert_allclose(luma(colours), [[255, 76.245], [149.685, 0]])
    assert luma(colours.astype(np.float32)).dtype == np.float32


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts threads in /proc")
def test_takes_no_threads() -> None:
    done = subprocess.run(
        [sys.executable, "-c", BESIDE],
        env=os.environ | {"OPENBLAS_NUM_THREADS": "2"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    ours, product = map(int, done.stdout.split())
    if product == 1:
        pytest.skip("this NumPy shares out no products")
    assert ours == 1
