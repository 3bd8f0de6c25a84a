"""How every sink ends: whole, or not at all."""

from __future__ import annotations

from types import TracebackType
from typing import Self


class Ending:
    """The context manager of a sink: a clean exit finishes, an exception or an interrupt discards."""

    @property
    def closed(self) -> bool:
        """Whether nobody sees it any more: a window that the user has closed."""
        return False

    @property
    def dropped(self) -> int:
        """Frames that were left out, since they did not get through in time."""
        return 0

    def finish(self) -> None:
        """Flush, close, and give the output its final name."""

    def discard(self) -> None:
        """Stop and leave nothing half-written behind."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.discard()
            return
        try:
            self.finish()
        except BaseException:
            self.discard()
            raise


def is_closed(sink: object) -> bool:
    """Whether nobody sees a sink any more; sinks that do not tell are seen."""
    return bool(getattr(sink, "closed", False))


def dropped_by(sink: object) -> int:
    """Frames that a sink left out; sinks that do not tell left out none."""
    return int(getattr(sink, "dropped", 0))
