"""What the peer's program says on its output, and by its exit code: read by those who run it, without aiortc."""

from __future__ import annotations

from typing import Final

SESSION: Final = "session"
"""With the session's id, once it is answered."""
SEEN: Final = "seen"
"""With the first readable picture."""
SECOND: Final = "second"
"""Every second from then on, with JSON: `at`, `pictures` that came since, and the `p95` of their latencies in ms."""
REFUSED: Final = 3
"""Exit code where the server is full."""
