"""Programs that a bench starts: none outlives it."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys

from mien_bench.latency.programs import begin_module, wait_for_end

LIMIT = 30.0
SILENT = "timeit", ["-n1", "-r1", "import select; select.select([], [], [], 600)"]
BENCH = f"""
import sys
from mien_bench.latency.programs import begin_module
print(begin_module({SILENT[0]!r}, {SILENT[1]!r}).pid, flush=True)
sys.stdin.read()
"""


def test_a_program_ends_with_a_bench_that_is_killed() -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", BENCH], stdin=pipe, stdout=pipe, text=True) as bench:
        assert bench.stdout is not None
        number = int(bench.stdout.readline())
        watched = os.pidfd_open(number)
        try:
            bench.kill()
            bench.wait()
            ended, _, _ = select.select([watched], [], [], LIMIT)
            if not ended:
                signal.pidfd_send_signal(watched, signal.SIGKILL)
        finally:
            os.close(watched)
    assert ended


def test_a_program_has_its_own_arguments_and_exit_code() -> None:
    with begin_module("json.tool", ["--no-such-option"]) as process:
        assert wait_for_end(process) == 2
