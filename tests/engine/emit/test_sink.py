"""What all sinks have in common, and those that are put around another one."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from mien.emit.compare import CompareSink, SheetSink
from mien.emit.mark import Marked
from mien.emit.reconnecting import Rebased
from mien.emit.sink import NullSink, Sink, SinkSettings, Wrapping
from mien.emit.strip import Carried

SETTINGS = SinkSettings(64, 48, Fraction(25), Fraction(1, 25))


class Window(NullSink):
    """Was closed by its user, and had lost frames before."""

    @property
    def closed(self) -> bool:
        return True

    @property
    def dropped(self) -> int:
        return 3


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda inner, folder: Marked(inner),
        lambda inner, folder: Carried(inner),
        lambda inner, folder: Rebased(inner),
        lambda inner, folder: CompareSink(inner, SETTINGS, (64, 48)),
        lambda inner, folder: SheetSink(folder / "sheet.png", inner, {}),
    ],
    ids=["marked", "carried", "rebased", "compare", "sheet"],
)
def test_a_sink_around_another_tells_what_that_tells(wrapped: Callable[[Sink, Path], Wrapping], tmp_path: Path) -> None:
    shown, hidden = wrapped(NullSink(), tmp_path), wrapped(Window(), tmp_path)
    assert (shown.closed, shown.dropped) == (False, 0)
    assert (hidden.closed, hidden.dropped) == (True, 3)
