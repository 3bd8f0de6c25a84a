"""Prepared portraits and graph weights that live sessions of one process share."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from mien.portrait.portrait import Portrait
from mien.portrait.prepare import prepare, prepare_to_fit
from mien.runtime.sharing import SharedGraphs

Portraits = tuple[Portrait, ...]
KEPT = 8
"""Capacity of the cache of prepared portraits; the least recently used one is dropped first."""


class Shared:
    """For any thread. Only one portrait is prepared at a time."""

    def __init__(self, kept: int = KEPT) -> None:
        self.graphs = SharedGraphs()
        self._kept = kept
        self._lock = Lock()
        self._portraits: OrderedDict[tuple[object, ...], Portraits] = OrderedDict()

    def prepare(self, *pictures: str, size: int | None, largest: int) -> Portraits:
        """As `mien.prepare`, for files that do not change.

        Raises:
            SourceError, FaceError: as that.
            Stopped: after `stop`.
        """
        return self._once(
            (pictures, size, largest),
            lambda: prepare(*pictures, size=size, largest=largest, need_wanted=self.graphs.need_wanted),
        )

    def prepare_to_fit(self, size: tuple[int, int], *pictures: str) -> Portraits:
        """As `mien.portrait.prepare.prepare_to_fit`, for files that do not change.

        Raises:
            SourceError, FaceError: as that.
        """
        return self._once((pictures, size), lambda: prepare_to_fit(size, *pictures))

    def forget(self, picture: str) -> None:
        """Forget a picture's prepared portraits."""
        with self._lock:
            for key in [key for key in self._portraits if picture in _pictures(key)]:
                del self._portraits[key]

    def stop(self) -> None:
        """Have whatever is being prepared or loaded end at its next step."""
        self.graphs.stop()

    def close(self) -> None:
        """Free everything."""
        with self._lock:
            self._portraits.clear()
        self.graphs.close()

    def _once(self, key: tuple[object, ...], prepared: Callable[[], Portraits]) -> Portraits:
        with self._lock:
            found = self._portraits.get(key)
            if found is None:
                found = self._portraits[key] = prepared()
            self._portraits.move_to_end(key)
            while len(self._portraits) > self._kept:
                self._portraits.popitem(last=False)
            return found


def _pictures(key: tuple[object, ...]) -> tuple[str, ...]:
    pictures = key[0]
    assert isinstance(pictures, tuple)
    return pictures
