"""A true window, on a display in memory (Xvfb) where this machine has one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest

LIMIT = 60.0
BESIDE_AND_ON = """
import gc, sys, threading
from fractions import Fraction
import numpy as np
from mien import emit
from mien.emit.sink import SinkSettings
from mien.frame import Frame

opened = []
def run(call):
    thread = threading.Thread(target=call)
    thread.start()
    thread.join()

def write():
    with opened[0] as sink:
        for number in range(5):
            sink.write(Frame(np.full((48, 64, 3), 40 * number, np.uint8), number, Fraction(1, 25)))
            if number == LAST:
                root = sink._root
                root.tk.call(*root.protocol("WM_DELETE_WINDOW").split())  # as the window manager does
                del root
            if number == 3 and not sink.closed:
                sink._root.focus_force()
                sink._root.event_generate("<Key>", keysym="x")
    closed.append(opened[0].closed)

closed, keys = [], []
settings = SinkSettings(64, 48, Fraction(25), Fraction(1, 25))
run(lambda: opened.append(emit.open("window", settings, mark=False, pressed=keys.append)))
run(write)
opened.clear()
gc.collect()
print(closed, keys)
"""


@pytest.fixture
def display() -> Iterator[str]:
    """The name of a display that is there."""
    program = shutil.which("Xvfb")
    if program is None or sys.platform != "linux":
        pytest.skip("this machine has no Xvfb")
    ours, theirs = os.pipe()
    command = [program, "-displayfd", str(theirs), "-screen", "0", "320x240x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, pass_fds=[theirs], stderr=subprocess.DEVNULL) as server:
        os.close(theirs)
        with os.fdopen(ours) as answer:
            number = answer.readline().strip()
        yield f":{number}"
        server.terminate()


@pytest.mark.parametrize(("last", "keys"), [(-1, ["x"]), (2, [])], ids=["to the end", "closed by the user"])
def test_a_window_opened_written_and_ended_by_other_threads_leaves_the_process_whole(
    display: str, last: int, keys: list[str]
) -> None:
    """As in a live run: Tk aborts the process where a thread collects what another one made."""
    code = BESIDE_AND_ON.replace("LAST", str(last))
    environment = {**os.environ, "DISPLAY": display}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=LIMIT, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, f"[True] {keys}\n", "")
