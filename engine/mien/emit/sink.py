"""What every sink is."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from types import TracebackType
from typing import Protocol, Self

from mien.frame import Frame
from mien.sound.sound import Sound, SoundFormat


@dataclass(frozen=True, slots=True)
class SinkSettings:
    """What a sink must know before its first frame."""

    width: int
    height: int
    rate: Fraction
    """Nominal frames per second."""
    time_base: Fraction
    """Of the frames that will come."""
    sound: SoundFormat | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    """Container metadata: the provenance record, flat."""
    alpha: bool = False
    """Whether the frames' transparency is to be kept; refused by what cannot."""


class Sink(Protocol):
    """Where frames leave; a context manager that finishes on a clean exit and discards on an exception."""

    def write(self, frame: Frame) -> None: ...

    def write_sound(self, sound: Sound) -> None: ...

    def finish(self) -> None:
        """Flush, close, and give the output its final name."""
        ...

    def discard(self) -> None:
        """Stop and leave nothing half-written behind."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
