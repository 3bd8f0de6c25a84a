"""The room's stage: frames in, the tracked face out."""

from __future__ import annotations

from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mien.face.face import Face, eye_distance
from mien.face.mouth import mouth_hint
from mien.frame import Frame
from mien.parse.find import bounds, find_faces
from mien.parse.models import FaceMesh

Array = NDArray[np.float64]
Window = tuple[int, int, int, int]
"""x0, y0, x1, y1 in pixels."""

ROOM = 0.7
"""Room around the face in a tracking window on each side, as a share of the face's longer side."""
PATIENCE, NEAR = 2.0, 1.5
"""Seconds for which a lost face is waited for before another's is taken, and how far it may have gone meanwhile, in eye
distances."""
FACES = 5
"""How many faces are told apart."""


class Parser:
    """Callable Frame -> Face | None; a context manager.

    The face is chosen once: the largest, or the `face`-th by size. Then it is tracked, in a window of its own where
    there are several. A lost face is sought again near where it was last seen.
    """

    def __init__(self, *, face: int | None = None, hints: bool = True) -> None:
        self._rank = face or 0
        self._hints = hints
        self._finder = FaceMesh(still=True, most=FACES)
        self._tracker = FaceMesh(still=False)
        self._window: Window | None = None
        self._last: Array | None = None
        self._seen_at = 0.0
        self._tracking = False
        self.most_seen = 0
        """Faces that a picture showed at once, where one was sought."""

    def __call__(self, frame: Frame) -> Face | None:
        pixels = frame.pixels if frame.pixels.shape[2] == 3 else np.ascontiguousarray(frame.pixels[..., :3])
        landmarks = self._track(pixels) if self._tracking else None
        landmarks = self._acquire(pixels, frame.seconds) if landmarks is None else landmarks
        if landmarks is None:
            return None
        self._last, self._seen_at = landmarks, frame.seconds
        hint = mouth_hint(pixels, landmarks) if self._hints else None
        return Face(landmarks, frame.size, hint=hint)

    def warm(self, pixels: NDArray[np.uint8]) -> None:
        """Have the models do now, on a picture (H, W, 3) of any face, what they otherwise do with the first frames."""
        self._finder(pixels)
        self._tracker(pixels)
        self._tracker.forget()

    def close(self) -> None:
        self._finder.close()
        self._tracker.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _acquire(self, pixels: NDArray[np.uint8], seconds: float) -> Array | None:
        faces = find_faces(pixels, self._finder)
        self.most_seen = max(self.most_seen, len(faces))
        patient = self._last is not None and abs(seconds - self._seen_at) < PATIENCE
        chosen = self._choose([face for face in faces if not patient or self._is_near(face)], self._last)
        if chosen is None:
            return None
        alone = len(faces) == 1 and eye_distance(chosen) > 0.05 * pixels.shape[1]
        self._window = None if alone else _window_around(chosen, pixels)
        self._tracker.forget()
        self._tracking = True
        tracked = self._track(pixels)
        return chosen if tracked is None else tracked

    def _choose(self, faces: list[Array], last: Array | None) -> Array | None:
        if not faces:
            return None
        if last is None:
            return faces[self._rank] if self._rank < len(faces) else None
        return min(faces, key=lambda face: float(np.abs(face[:, :2] - last[:, :2]).mean()))

    def _is_near(self, face: Array) -> bool:
        """Whether a face stands where the chosen one may have moved since it was last seen."""
        if self._last is None:
            return True
        apart = np.hypot(*(face[:, :2].mean(axis=0) - self._last[:, :2].mean(axis=0)))
        return bool(apart < NEAR * max(eye_distance(face), eye_distance(self._last)))

    def _track(self, pixels: NDArray[np.uint8]) -> Array | None:
        window = self._window
        view = pixels if window is None else np.ascontiguousarray(pixels[window[1] : window[3], window[0] : window[2]])
        faces = self._tracker(view)
        if not faces:
            self._tracking = False
            return None
        landmarks = faces[0] if window is None else faces[0] + np.array([window[0], window[1], 0.0])
        if window is not None and _leaves(landmarks, window, pixels):
            self._window = _window_around(landmarks, pixels)
            self._tracker.forget()
        return landmarks


def _window_around(landmarks: Array, pixels: NDArray[np.uint8]) -> Window:
    x0, y0, x1, y1 = bounds(landmarks)
    room = ROOM * max(x1 - x0, y1 - y0)
    height, width = pixels.shape[:2]
    low_x, low_y = max(int(x0 - room), 0), max(int(y0 - room), 0)
    return low_x, low_y, max(min(int(x1 + room), width), low_x + 2), max(min(int(y1 + room), height), low_y + 2)


def _leaves(landmarks: Array, window: Window, pixels: NDArray[np.uint8]) -> bool:
    """Whether the face has come nearer to an inner edge of its window than a third of its room, or outgrown it."""
    x0, y0, x1, y1 = bounds(landmarks)
    room = ROOM / 3 * max(x1 - x0, y1 - y0)
    height, width = pixels.shape[:2]
    return (
        (x0 - room < window[0] and window[0] > 0)
        or (y0 - room < window[1] and window[1] > 0)
        or (x1 + room > window[2] and window[2] < width)
        or (y1 + room > window[3] and window[3] < height)
    )
