from __future__ import annotations

import os
import subprocess
import sys

from mien_bench.control import OtherProcesses, Process, processes, ticks_of_others


def test_what_others_take_is_counted_and_what_we_began_is_not() -> None:
    then = {1: Process(0, 100, 1), 10: Process(1, 50, 5), 20: Process(1, 70, 6)}
    now = {
        1: Process(0, 103, 1),  # the system
        10: Process(1, 500, 5),  # we
        11: Process(10, 400, 9),  # our child
        12: Process(11, 300, 9),  # and its
        20: Process(1, 80, 6),  # somebody else
        21: Process(20, 7, 8),  # who began another
    }
    assert ticks_of_others(then, now, own=10) == 3 + 10 + 7


def test_a_number_that_was_given_again_is_another_process() -> None:
    then = {1: Process(0, 0, 1), 20: Process(1, 70, 6)}
    now = {1: Process(0, 0, 1), 20: Process(1, 4, 60)}
    assert ticks_of_others(then, now, own=10) == 4


def test_this_process_and_its_children_are_seen() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        found = processes()
        assert found[child.pid].parent == os.getpid()
        child.communicate(b"\n")
    assert 0.0 <= OtherProcesses().fraction() <= 1.0
