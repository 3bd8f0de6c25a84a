"""What whoever sits before a live run can do; callable from any thread, each takes effect with the next frame."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from mien.emit.sink import Sink

REQUESTS = 16
"""Requests that may wait for the next frame; older ones are dropped for newer ones."""
NOTICES = 20


def _nobody(key: str) -> None:
    pass


class Controls:
    """Flags that workers look at once per frame."""

    def __init__(self) -> None:
        self.panic = False
        """Whether the slate is shown: with the very next emitted frame, whatever is on its way."""
        self.paused = False
        """Whether the last picture stays."""
        self.recording: Callable[[], Sink] | None = None
        """Opens what is recorded into beside the sink; None: nothing is."""
        self.notices: deque[str] = deque(maxlen=NOTICES)
        """What is to be told, one line each, such as a portrait that could not be swapped in."""
        self.pressed: Callable[[str], None] = _nobody
        """Is told, on any thread, each key that is pressed where the pictures are shown."""
        self._requests: deque[Callable[[], None]] = deque(maxlen=REQUESTS)

    def ask(self, request: Callable[[], None]) -> None:
        """Have the worker that follows the driver call `request` before its next frame, such as `Retarget.rezero`."""
        self._requests.append(request)

    def fulfil(self) -> None:
        """Call what was asked for; for that worker."""
        while self._requests:
            self._requests.popleft()()
