from __future__ import annotations

import asyncio
import os
import pty
import select
import subprocess
import sys
import termios
import time
import tty

import pytest

from mien.commands.terminal import keys_told


def test_keys_of_a_terminal_are_told_without_enter_and_the_terminal_is_left_as_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs) as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        before = termios.tcgetattr(theirs)
        told: list[str] = []

        async def main() -> None:
            enough = asyncio.Event()

            def tell(key: str) -> None:
                told.append(key)
                if len(told) == 3:
                    enough.set()

            with keys_told(tell) as there:
                assert there
                os.write(ours, b"zxq")
                await asyncio.wait_for(enough.wait(), 10.0)

        asyncio.run(main())
        assert told == ["z", "x", "q"]
        assert termios.tcgetattr(theirs) == before
    os.close(ours)


def test_a_terminal_that_is_closed_gives_no_key_any_more_and_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    terminal = os.fdopen(theirs)
    reads: list[int] = []

    def read(descriptor: int, count: int) -> bytes:
        reads.append(descriptor)
        return given(descriptor, count)

    given = os.read
    monkeypatch.setattr("mien.commands.terminal.os.read", read)
    monkeypatch.setattr(sys, "stdin", terminal)

    async def main() -> None:
        with keys_told(lambda key: None) as there:
            assert there
            os.close(ours)
            for _ in range(20):  # turns of the loop
                await asyncio.sleep(0)

    asyncio.run(main())
    terminal.close()
    assert reads == [theirs]


def test_without_a_terminal_there_are_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    with open(os.devnull) as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)

        async def main() -> None:
            with keys_told(lambda key: None) as there:
                assert not there

        asyncio.run(main())


KEYS = """
import asyncio, signal
from mien.commands.terminal import keys_told

async def main():
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)
    with keys_told(lambda key: print(repr(key), flush=True)):
        print("begun", flush=True)
        await ended.wait()

asyncio.run(main())
"""
SHELL = """
import fcntl, os, signal, subprocess, sys, termios

terminal = int(sys.argv[1])
fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # as in every shell, which else could not take the terminal back
mode = termios.tcgetattr(terminal)
keys = subprocess.Popen([sys.executable, "-c", sys.argv[2]], stdin=terminal, process_group=0)
for command in sys.stdin:
    os.tcsetpgrp(terminal, keys.pid if command == "give\\n" else os.getpgrp())
    if command == "end\\n":
        keys.terminate()
        print("ended", keys.wait(20), termios.tcgetattr(terminal) == mode, flush=True)
    else:
        termios.tcsetattr(terminal, termios.TCSANOW, mode)
        print("done", flush=True)
"""


def test_in_the_background_keys_are_the_shells_and_nothing_is_stopped() -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", SHELL, str(theirs), KEYS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        pass_fds=[theirs],
        start_new_session=True,
    ) as shell:
        assert shell.stdin is not None
        assert shell.stdout is not None
        commands, told = shell.stdin, shell.stdout.fileno()

        def ask(command: str) -> None:
            commands.write(f"{command}\n".encode())
            commands.flush()

        def hear(*lines: str) -> None:
            for line in lines:
                assert next_line(told) == line

        try:
            ask("give")
            assert {next_line(told), next_line(told)} == {"begun", "done"}
            wait_for_single_keys(theirs)
            os.write(ours, b"z")
            hear("'z'")
            ask("take")
            hear("done")
            os.write(ours, b"x\n")  # typed in the shell, which has not read it yet
            ask("give")
            hear("done")
            wait_for_single_keys(theirs)
            os.write(ours, b"y")
            while next_line(told) != "'y'":  # the line may be read where the terminal was given back at once
                pass
            ask("take")
            hear("done")
            ask("end")
            hear("ended 0 True")
        finally:
            shell.kill()
    os.close(ours)
    os.close(theirs)


def wait_for_single_keys(terminal: int) -> None:
    end = time.monotonic() + 20.0
    while termios.tcgetattr(terminal)[tty.LFLAG] & termios.ICANON:
        assert time.monotonic() < end
        time.sleep(0.01)


def next_line(descriptor: int) -> str:
    line = b""
    while not line.endswith(b"\n"):
        there, _, _ = select.select([descriptor], [], [], 20.0)
        assert there, f"nothing more came after {line!r}"
        line += os.read(descriptor, 1)
    return line.decode().strip()
