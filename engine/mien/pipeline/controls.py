"""Controls of a live run, callable from any thread; each takes effect with the next frame."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from mien.emit.sink import Sink

REQUESTS = 16
"""Capacity for requests that wait for the next frame; the oldest are dropped."""
NOTICES = 20


def _nobody(key: str) -> None:
    pass


class Controls:
    """Flags that workers read once per frame."""

    def __init__(self) -> None:
        self.panic = False
        """Whether the slate is shown: with the very next emitted frame, whatever is on its way."""
        self.paused = False
        """Whether the last picture stays."""
        self.recording: Callable[[], Sink] | None = None
        """Opens the sink of a recording; None: no recording."""
        self.notices: deque[str] = deque(maxlen=NOTICES)
        """Messages for the user, one line each, such as a failed portrait swap."""
        self.pressed: Callable[[str], None] = _nobody
        """Called, on any thread, with each key pressed in the window."""
        self._requests: deque[Callable[[], None]] = deque(maxlen=REQUESTS)

    def ask(self, request: Callable[[], None]) -> None:
        """Have the parsing worker call `request` (such as `Retarget.rezero`) before its next frame."""
        self._requests.append(request)

    def fulfil(self) -> None:
        """Call the pending requests; for the parsing worker."""
        while self._requests:
            self._requests.popleft()()
