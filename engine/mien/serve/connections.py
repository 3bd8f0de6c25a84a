"""Connections that ask nothing: closed after a while, and bounded in number, so that nobody holds them all."""

from __future__ import annotations

import asyncio
from typing import Protocol

from mien.clock import Clock

SWEEP = 5.0
"""Seconds between two looks."""


class Connection(Protocol):
    """As aiohttp's server lists them."""

    @property
    def transport(self) -> asyncio.BaseTransport | None: ...


class Connections:
    """Knows since when each has asked nothing. Lives on the event loop."""

    def __init__(self, clock: Clock, idle: float, most: int) -> None:
        """`idle`: seconds without a request after which one is closed; `most`: that may be open."""
        self._clock = clock
        self._idle = idle
        self._most = most
        self._quiet_since: dict[Connection, float] = {}
        self._asking: dict[Connection, int] = {}
        """Requests that are being answered; both forget what is no longer open when it is swept."""

    def begin(self, connection: Connection) -> None:
        """Take note of a request that is being answered."""
        self._asking[connection] = self._asking.get(connection, 0) + 1

    def end(self, connection: Connection) -> None:
        """Take note that it was answered."""
        self._asking[connection] = self._asking.get(connection, 1) - 1
        self._quiet_since[connection] = self._clock.now()

    def sweep(self, connections: list[Connection]) -> int:
        """Close those that were quiet for too long, and the longest quiet of too many; how many."""
        now = self._clock.now()
        for known in (self._quiet_since, self._asking):
            for gone in known.keys() - set(connections):
                del known[gone]
        quiet = [one for one in connections if not self._asking.get(one)]
        quiet.sort(key=lambda one: self._quiet_since.setdefault(one, now))
        too_many = len(connections) - self._most
        closed = [one for at, one in enumerate(quiet) if at < too_many or now - self._quiet_since[one] >= self._idle]
        for one in closed:
            if one.transport is not None:
                one.transport.close()
        return len(closed)
