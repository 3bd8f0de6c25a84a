"""The filter on C's `stderr`, in processes of their own, since it holds for a process."""

from __future__ import annotations

import subprocess
import sys

FILTERED = """
import ctypes, os, sys
from mien_kernels.stderr_filter import filter_stderr
before = os.readlink("/proc/self/fd/2")
print(filter_stderr(["a note", "(another)"]), filter_stderr(["later"]), os.readlink("/proc/self/fd/2") == before)
libc = ctypes.CDLL(None)
def say(text):
    libc.fputs(text, ctypes.c_void_p.in_dll(libc, "stderr"))
"""


def _run(program: str) -> tuple[str, str, int]:
    done = subprocess.run([sys.executable, "-c", FILTERED + program], capture_output=True, text=True)
    return done.stdout, done.stderr, done.returncode


def test_lines_with_a_text_are_left_out_and_all_others_stay() -> None:
    out, err, code = _run(r'say(b"one\nW0000 a note: gone\ntwo (another) gone\nlater\nthree\n")')
    assert (out, err, code) == ("True False True\n", "one\nlater\nthree\n", 0)


def test_a_line_that_is_written_in_pieces_is_one() -> None:
    assert _run(r'say(b"W0000 a "); say(b"note"); say(b", gone\n"); say(b"kept\n")')[1] == "kept\n"


def test_what_is_unfinished_comes_at_the_end() -> None:
    assert _run('say(b"no line end")')[1] == "no line end"


def test_python_and_a_process_that_dies_are_still_heard() -> None:
    _, err, code = _run('print("a note of Python", file=sys.stderr); say(b"dying\\n"); libc.abort()')
    assert (err, code) == ("a note of Python\ndying\n", -6)


def test_a_closed_descriptor_stops_nobody() -> None:
    assert _run('os.close(2); say(b"into nothing\\n"); print("done")')[0].endswith("done\n")
