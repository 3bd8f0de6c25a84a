from __future__ import annotations

import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.threads import ENOUGH, Shares, share_out, usable_threads


@given(st.integers(1, 1024))
def test_nobody_is_left_without_and_no_more_is_shared_out_than_there_is(threads: int) -> None:
    shares = share_out(threads)
    assert min(shares.decode, shares.synthesis, shares.encode) >= 1
    assert shares.synthesis <= threads
    if threads >= ENOUGH:
        parse = 1
        assert parse + shares.synthesis + shares.encode == threads


@pytest.mark.parametrize(("threads", "shares"), [(2, Shares(1, 2, 1)), (4, Shares(1, 2, 1)), (16, Shares(1, 11, 4))])
def test_shares_of_usual_machines(threads: int, shares: Shares) -> None:
    assert share_out(threads) == shares


def test_there_is_a_processor() -> None:
    assert usable_threads() >= 1


PROGRAM = """
import os
from mien.cli import main
main(["samples"])
import numpy as np
np.linalg.inv(np.eye(64))
print(len(os.listdir("/proc/self/task")), os.environ["OPENBLAS_NUM_THREADS"])
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts threads in /proc")
@pytest.mark.parametrize(("given", "threads"), [(None, "1"), ("2", "2")])
def test_a_program_s_numpy_has_one_thread_unless_the_user_says_otherwise(given: str | None, threads: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    if given is not None:
        environment["OPENBLAS_NUM_THREADS"] = given
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True)
    found, told = done.stdout.splitlines()[-1].split()
    assert told == threads
    assert int(found) <= int(threads)
