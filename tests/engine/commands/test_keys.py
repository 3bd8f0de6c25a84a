from __future__ import annotations

import asyncio
import os
import pty
import sys
import termios

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
