"""Networks by name: what each way does to the packets that take it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Way:
    """One direction. Times in seconds; shares from 0 to 1."""

    loss: float = 0.0
    """Share of packets that are lost."""
    burst: float = 1.0
    """How many are lost in a row, on average."""
    delay: float = 0.0
    jitter: float = 0.0
    """By how much the delay varies, up and down, evenly distributed; packets stay in order."""
    reordered: float = 0.0
    """Share of packets that others overtake."""
    held: float = 0.02
    """For how long those are held back."""
    duplicated: float = 0.0
    corrupted: float = 0.0
    """Share of packets of media of which a bit is turned."""
    cut: float = 0.0
    """For how long nothing comes through, from time to time."""
    cut_at: float = 6.0
    """When that begins for the first time."""
    cut_every: float = 14.0
    """From one beginning to the next."""
    rate: float | None = None
    """Bits a second that fit through; None: any."""
    queue: float = 0.25
    """Seconds of packets at that rate that wait at most; more are lost."""
    largest: int | None = None
    """Bytes of a datagram; larger ones are lost."""


@dataclass(frozen=True, slots=True)
class Network:
    """Both ways, and what is asked of a call over them."""

    about: str
    up: Way
    """From the peer to the server."""
    down: Way
    freezes: float | None = None
    """Pauses of more than 500 ms a minute that are allowed; None: not asked."""
    silence: float | None = None
    """Milliseconds without sound that are allowed."""


def _both(about: str, way: Way, freezes: float | None = None, silence: float | None = None) -> Network:
    return Network(about, way, way, freezes, silence)


NETWORKS: Final[Mapping[str, Network]] = {
    "clean": _both("a relay that does nothing, to compare with", Way(), 0, 100.0),
    "loss1": _both("1 % of the packets lost each way", Way(loss=0.01), 1, 100.0),
    "loss5": _both("5 % lost", Way(loss=0.05), 1, 100.0),
    "loss10": _both("10 % lost", Way(loss=0.10)),
    "bursts": _both("3 % lost, four in a row", Way(loss=0.03, burst=4.0)),
    "jitter": _both("50 ms of delay, which vary by 30 ms", Way(delay=0.05, jitter=0.03), 1, 100.0),
    "reorder": _both("5 % of the packets overtaken, by 20 ms", Way(delay=0.01, reordered=0.05), 1, 100.0),
    "cut": _both("nothing for 2 s, every 14 s", Way(delay=0.01, cut=2.0)),
    "narrow": _both("300 kbit/s each way, of which 250 ms wait at most", Way(delay=0.02, rate=300e3)),
    "narrow-up": Network("300 kbit/s to the server only", Way(delay=0.02, rate=300e3), Way(delay=0.02)),
    "mobile": _both(
        "40 ms, which vary by 20, 2 % lost, 1.5 Mbit/s", Way(loss=0.02, burst=2.0, delay=0.04, jitter=0.02, rate=1.5e6)
    ),
    "far": _both("150 ms each way, 2 % lost", Way(loss=0.02, delay=0.15)),
    "dirty": _both("2 % twice, 1 % with a turned bit", Way(duplicated=0.02, corrupted=0.01, delay=0.01), 1, 100.0),
}
"""By the name that `--network` takes."""
