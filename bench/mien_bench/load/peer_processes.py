"""Peers in processes of their own: started one by one, monitored, ended, and their reports collected."""

from __future__ import annotations

import json
import signal
import subprocess
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import Any, Self

from mien.errors import MienError
from mien_bench.latency import programs
from mien_bench.latency.trace import Observed

BEGINNING = 60.0
"""Seconds that a peer is given until it sees its first picture."""
_ENDING = 30.0
_SECONDS = 30
"""How many of the reports that a peer prints every second are kept, the newest."""


@dataclass(frozen=True, slots=True)
class PeerReport:
    """What a peer wrote when it ended."""

    observed: Observed
    sent: int
    cpu: float
    """Processor seconds that it took itself."""
    statistics: dict[str, Any]


@dataclass(slots=True, eq=False)
class PeerProcess:
    """One peer."""

    process: subprocess.Popen[str]
    file: Path
    session: str = ""
    seen: Event = field(default_factory=Event)
    """It saw a picture, or has ended."""
    seconds: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=_SECONDS))

    @property
    def refused(self) -> bool:
        """Whether the server was full."""
        return self.process.poll() == programs.REFUSED

    @property
    def last_words(self) -> str:
        """The message with which it ended."""
        said = self.file.with_suffix(".log").read_text().strip().splitlines()
        return said[-1] if said else f"exit code {self.process.poll()}"

    def listen(self) -> None:
        """To its lines, until it ends."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with self.process.stdin, self.process.stdout as said:
            for line in said:
                self._hear(*line.strip().partition(" ")[::2])
        self.process.wait()
        self.seen.set()

    def _hear(self, word: str, rest: str) -> None:
        if word == programs.SESSION:
            self.session = rest
        elif word == programs.SEEN:
            self.seen.set()
        elif word == programs.SECOND:
            self.seconds.append(json.loads(rest))


class PeerGroup:
    """A context manager; whatever happens, no peer is left."""

    def __init__(self, url: str, folder: Path, options: Sequence[str]) -> None:
        """`options`: of `mien_bench.latency.webrtc.client`."""
        self._url, self._folder, self._options = url, folder, options
        self._begun = 0
        self.members: list[PeerProcess] = []
        """Those who are there."""
        self.left: list[PeerReport] = []
        """What those who were ended saw."""

    def join(self) -> PeerProcess:
        """Begin one, and wait until it sees a picture; the caller looks whether it was refused, then it is no member.

        Raises:
            MienError: it saw nothing, or failed.
        """
        file = self._folder / f"peer{self._begun}.json"
        self._begun += 1
        with file.with_suffix(".log").open("w") as log:
            arguments = [self._url, str(file), *self._options]
            process = programs.begin_module("mien_bench.latency.webrtc.client", arguments, log)
        member = PeerProcess(process, file)
        Thread(target=member.listen, name="bench-listen", daemon=True).start()
        self.members.append(member)
        seen = member.seen.wait(BEGINNING)
        if member.refused:
            self.members.remove(member)
        elif not seen or process.poll() is not None:
            self._kill(member)
            raise MienError(
                f"{self._url}: expected a peer to see its picture in {BEGINNING:g} s, got {member.last_words}"
            )
        return member

    def leave(self, member: PeerProcess) -> PeerReport:
        """End one in order.

        Raises:
            MienError: it left nothing.
        """
        self.members.remove(member)
        member.process.send_signal(signal.SIGTERM)
        try:
            member.process.wait(_ENDING)
        except subprocess.TimeoutExpired:
            member.process.kill()
        if member.process.wait() != 0 or not member.file.exists():
            raise MienError(f"{self._url}: expected a peer to end in order, got {member.process.returncode}")
        report = json.loads(member.file.read_text())
        self.left.append(
            PeerReport(Observed.from_json(report["observed"]), report["sent"], report["cpu"], report["statistics"])
        )
        return self.left[-1]

    def leave_all(self) -> None:
        """End all in order."""
        for member in list(self.members):
            self.leave(member)

    def p95(self, since: float) -> float:
        """Milliseconds, about: the mean of what each member reported of its seconds that began at or after a time.

        Infinite where somebody saw nothing.
        """
        values = []
        for member in self.members:
            own = [second["p95"] for second in list(member.seconds) if second["at"] >= since]
            values += [float("inf") if value is None else value for value in own or [None]]
        return sum(values) / len(values) if values else float("inf")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for member in list(self.members):
            self._kill(member)

    def _kill(self, member: PeerProcess) -> None:
        self.members.remove(member)
        member.process.kill()
        member.process.wait()
