from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.machine.processor import ENOUGH, Shares, share_out, usable_threads


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


@pytest.mark.parametrize(
    ("membership", "files", "most"),
    [
        ("0::/\n", {"cpu.max": "100000 100000\n"}, 1),
        ("0::/\n", {"cpu.max": "150000 100000\n"}, 2),
        ("0::/\n", {"cpu.max": "10000 100000\n"}, 1),
        ("0::/\n", {"cpu.max": "max 100000\n"}, 64),
        ("0::/a/b\n", {"a/cpu.max": "100000 50000\n", "a/b/cpu.max": "max 50000\n"}, 2),
        ("0::/docker/gone\n", {"cpu.max": "100000 100000\n"}, 1),
        ("4:cpu,cpuacct:/x\n1:pids:/x\n0::/\n", {"cpu,cpuacct/x/cpu.cfs_quota_us": "100000\n"}, 1),
        ("4:cpu:/\n", {"cpu/cpu.cfs_quota_us": "-1\n"}, 64),
        ("0::/../..\n", {"cpu.max": "nonsense\n"}, 64),
        ("", {}, 64),
    ],
)
def test_a_container_s_share_of_time_bounds_the_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, membership: str, files: dict[str, str], most: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: range(64))
    for name, content in files.items():
        path = tmp_path / "cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        if "cfs_quota" in name:
            path.with_name("cpu.cfs_period_us").write_text("100000\n")
    (tmp_path / "membership").write_text(membership)
    assert usable_threads(tmp_path / "cgroup", tmp_path / "membership") == most
    assert usable_threads(tmp_path / "none", tmp_path / "none") == 64


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
