"""Runs a module as a program that ends with the process that started it, also where that one is killed.

    python -P -m mien_bench.latency.tied MODULE [ARGUMENT ...]

Its standard input is a pipe that nothing is written to. The system closes the other end with the process that holds it;
the program is then sent SIGTERM, and so ends in order.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
from threading import Thread


def _end_with_the_pipe(descriptor: int) -> None:
    while os.read(descriptor, 1 << 12):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    """Run the module that the first argument names, with the other arguments."""
    Thread(target=_end_with_the_pipe, args=(sys.stdin.fileno(),), name="bench-tied", daemon=True).start()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
