"""How often one client may ask: a bucket of tokens for each, in bounded memory."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

CLIENTS = 4096
"""That are remembered; the one that was quiet for longest is forgotten first."""


@dataclass(frozen=True, slots=True)
class Rate:
    """`steady` requests a second for good, and up to `burst` at once."""

    steady: float
    burst: float

    def __post_init__(self) -> None:
        if not (self.steady > 0 and self.burst >= 1):
            raise ValueError(f"expected a steady rate above 0 and a burst of at least 1, got {self}")


class RateLimit:
    """Counts by client; a pure function of what was asked and when."""

    def __init__(self, rate: Rate, clients: int = CLIENTS) -> None:
        self._rate = rate
        self._most = clients
        self._clients: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """(left, as of when) by client, the latest last."""

    def wait(self, client: str, now: float) -> float:
        """Take one request of `client` at `now` (seconds): 0 if it may go on, else the seconds until one may."""
        left, since = self._clients.pop(client, (self._rate.burst, now))
        left = min(left + max(now - since, 0.0) * self._rate.steady, self._rate.burst)
        allowed = left >= 1.0
        self._clients[client] = (left - 1.0 if allowed else left, now)
        if len(self._clients) > self._most:
            self._clients.popitem(last=False)
        return 0.0 if allowed else (1.0 - left) / self._rate.steady
