"""Stage `parse`: from frames to the tracked face."""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mien.config import Landmarks
from mien.draw.mouth import mouth_hint
from mien.face import topology
from mien.face.face import (
    QUARTERS,
    Face,
    MouthHint,
    eye_distance,
    quarters_of,
    turned_back,
    turned_pixels,
    turned_points,
    turned_size,
)
from mien.frame import Frame
from mien.parse.find import TILTED, DetectedFace, bounds, find_turned
from mien.parse.landmarker import open_landmarker
from mien.parse.shots import Cut, ShotState, is_sudden, is_suspect, placed, step
from mien.parse.signature import place_of, signature_of
from mien.plane import Box
from mien.shots import ShotLog

Array = NDArray[np.float64]

ROOM = 0.7
"""Margin of the tracking window on each side, relative to the face's longer side."""
PATIENCE, NEAR = 2.0, 1.5
"""Seconds for which a lost face is waited for before another's is taken, and how far it may have gone meanwhile, in eye
distances."""
FACES = 5
"""Number of faces that are distinguished."""
ASTRAY = 0.3
"""How far a tracked face may be off what a new look finds, in eye distances and as a share of its size."""
FOR_GOOD = 1.0
"""Seconds after which a tilted face is treated as upright in a rotated frame."""
SHAPED = 0.01
"""How much a frame's ratio of width to height may change, as a share, before it counts as another shot."""


class Parser:
    """Callable Frame -> Face | None; a context manager.

    The face is chosen once a shot: the largest, or the `face`-th by size. Then it is tracked, in a window of its own
    where there are several. A lost face is sought again near where it was last seen.
    """

    def __init__(
        self,
        *,
        face: int | None = None,
        hints: bool = True,
        cuts: Sequence[Cut] | None = None,
        shots: ShotLog | None = None,
        landmarks: Landmarks = "mediapipe",
    ) -> None:
        """Open the models.

        Args:
            face: the rank of the face by size; None: the largest.
            hints: whether faces come with the picture of their mouth.
            cuts: those of the driver, in order, where they are known; None: they are found as they come.
            shots: counts what is seen.
            landmarks: what finds faces.

        Raises:
            BackendError, ModelError: as `open_landmarker`.
        """
        self._rank = face or 0
        self._hints = hints
        self._cuts = None if cuts is None else [*cuts]
        self._finder = open_landmarker(landmarks, still=True, most=FACES)
        self._tracker = open_landmarker(landmarks, still=False)
        self._window: Box | None = None
        self._turn = 0
        """Quarters by which frames are turned before the tracker sees them."""
        self._turn_of_shot = 0
        self._turned_at: float | None = None
        self._next_turn: int | None = None
        """How a frame without an upright face is turned to look for one; None: every way."""
        self._last: Array | None = None
        self._seen_at = 0.0
        self._size: tuple[int, int] | None = None
        self._tracking = False
        self.most_seen = 0
        """Faces that a picture showed at once, where one was sought."""
        self.state = ShotState()
        """State of cut detection."""
        self.shots = shots or ShotLog()
        """Those that were seen."""
        self.cut: Cut | None = None
        """The cut that the last frame confirmed; None if there was none."""

    def __call__(self, frame: Frame) -> Face | None:
        pixels = frame.pixels if frame.pixels.shape[2] == 3 else np.ascontiguousarray(frame.pixels[..., :3])
        self.cut = None
        landmarks = self._within_shot(pixels, frame)
        self.shots.count(frame.seconds)
        if landmarks is None:
            return None
        self._last, self._seen_at = landmarks, frame.seconds
        return Face(landmarks, frame.size, hint=self._hint(pixels, landmarks), turn=self._turn, shot=self.state.shot)

    def warm(self, pixels: NDArray[np.uint8]) -> None:
        """Have the models do now, on a picture (H, W, 3) of any face, what they otherwise do with the first frames."""
        self._finder(pixels)
        self._tracker(pixels)
        self._tracker.forget()

    def is_suspect(self, frame: Frame) -> bool:
        """Whether a frame may be of another shot than the last one that was parsed."""
        return is_suspect(self.state, signature_of(frame.pixels, frame.seconds))

    def close(self) -> None:
        self._finder.close()
        self._tracker.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _fit(self, frame: Frame) -> str | None:
        """Continue with another frame size; another aspect ratio begins a shot."""
        before, self._size = self._size, frame.size
        if before is None or before == frame.size:
            return None
        self._tracking, self._window = False, None
        share = frame.size[0] / before[0]
        self._last = None if self._last is None else self._last * share
        return "another shape of the frame" if abs(share * before[1] / frame.size[1] - 1) > SHAPED else None

    def _turned_for_good(self, seconds: float) -> str | None:
        """Why a shot begins, if the frame stays turned: a turned camera, not a head tilted for a moment; else None."""
        if not self._tracking or self._turn == self._turn_of_shot:
            self._turned_at = None
        elif self._turned_at is None:
            self._turned_at = seconds
        elif seconds - self._turned_at >= FOR_GOOD:
            return "the frame is turned"
        return None

    def _within_shot(self, pixels: NDArray[np.uint8], frame: Frame) -> Array | None:
        """The landmarks of the chosen face in the shot that the frame is of."""
        forced = self._fit(frame)
        tracked = self._track(pixels) if self._tracking else None
        if self._cuts is not None:
            cut = self._known_cut(frame)
            if cut is None:
                return tracked if tracked is not None else self._acquire(pixels, frame.seconds)[0]
        else:
            signature = signature_of(pixels, frame.seconds)
            anywhere = is_suspect(self.state, signature)
            if (
                tracked is not None
                and anywhere
                and is_sudden(self.state, signature)
                and self._has_left(pixels, tracked)
            ):
                tracked = None
            landmarks, near = (tracked, True) if tracked is not None else self._acquire(pixels, frame.seconds, anywhere)
            place = None if landmarks is None else place_of(landmarks, frame.size)
            self.state, cut = step(self.state, signature, place, forced or self._turned_for_good(frame.seconds))
            if cut is None:
                self._tracking = self._tracking and near
                return landmarks if near else None
        return self._begin(cut, pixels, frame)

    def _has_left(self, pixels: NDArray[np.uint8], tracked: Array) -> bool:
        """Whether a tracker that goes on where the face was is alone with that: across a cut it may."""
        faces = [found.landmarks for found in find_turned(pixels, self._finder, ())]
        return bool(faces) and not any(_is_same(face, tracked) for face in faces)

    def _known_cut(self, frame: Frame) -> Cut | None:
        """The known cut at this frame, if any."""
        due = None
        while self._cuts and self._cuts[0].begin <= frame.seconds + float(frame.time_base) / 2:
            due = self._cuts.pop(0)
        if due is not None:
            self.state = ShotState(due.shot)
        return due

    def _begin(self, cut: Cut, pixels: NDArray[np.uint8], frame: Frame) -> Array | None:
        """Choose the face anew, as at the beginning."""
        self.cut = cut
        self.shots.cut(cut.shot, cut.begin, cut.cause, cut.late)
        self._last, self._tracking, self._next_turn = None, False, None
        landmarks = self._acquire(pixels, frame.seconds)[0]
        self.state = placed(self.state, None if landmarks is None else place_of(landmarks, frame.size))
        return landmarks

    def _hint(self, pixels: NDArray[np.uint8], landmarks: Array) -> MouthHint | None:
        """The mouth as it is seen with the head upright."""
        if not self._hints:
            return None
        size = pixels.shape[1], pixels.shape[0]
        return mouth_hint(turned_pixels(pixels, self._turn), turned_points(landmarks, size, self._turn))

    def _acquire(self, pixels: NDArray[np.uint8], seconds: float, anywhere: bool = False) -> tuple[Array | None, bool]:
        """The face to track, and whether it is where the one before may be; `anywhere`: also one that is not."""
        patient = self._last is not None and abs(seconds - self._seen_at) < PATIENCE
        faces = find_turned(pixels, self._finder, self._turns() if anywhere or not patient else ())
        self.most_seen = max(self.most_seen, len(faces))
        close = [face for face in faces if not patient or self._is_near(face.landmarks)]
        near = bool(close) or not anywhere
        chosen = self._choose(close, self._last) if near else self._choose(faces, None)
        if chosen is None:
            return None, True
        self._turn = chosen.turn
        if self._last is None:
            self._turn_of_shot = chosen.turn
        view_width = turned_size((pixels.shape[1], pixels.shape[0]), chosen.turn)[0]
        alone = len(faces) == 1 and eye_distance(chosen.landmarks) > 0.05 * view_width
        self._window = None if alone else _window_around(self._in_view(chosen.landmarks, pixels), self._view(pixels))
        self._tracker.forget()
        self._tracking = True
        tracked = self._track(pixels)
        return (chosen.landmarks if tracked is None else tracked), near

    def _turns(self) -> tuple[int, ...]:
        """How to look for faces that do not stand upright: every way where a shot begins, then one way each frame."""
        turn, self._next_turn = self._next_turn, (self._next_turn or 0) % 3 + 1
        return QUARTERS[1:] if turn is None else (turn,)

    def _choose(self, faces: list[DetectedFace], last: Array | None) -> DetectedFace | None:
        if not faces:
            return None
        if last is None:
            return faces[self._rank] if self._rank < len(faces) else None
        return min(faces, key=lambda face: float(np.abs(face.landmarks[:, :2] - last[:, :2]).mean()))

    def _is_near(self, face: Array) -> bool:
        """Whether a face stands where the chosen one may have moved since it was last seen."""
        if self._last is None:
            return True
        apart = np.hypot(*(face[:, :2].mean(axis=0) - self._last[:, :2].mean(axis=0)))
        return bool(apart < NEAR * max(eye_distance(face), eye_distance(self._last)))

    def _track(self, pixels: NDArray[np.uint8]) -> Array | None:
        window, view = self._window, self._view(pixels)
        seen = view if window is None else np.ascontiguousarray(view[window.area])
        faces = self._tracker(seen)
        if not faces:
            self._tracking = False
            return None
        landmarks = faces[0] if window is None else faces[0] + np.array([window.x, window.y, 0.0])
        if window is not None and _leaves(landmarks, window, view):
            self._window = _window_around(landmarks, view)
            self._tracker.forget()
        size = pixels.shape[1], pixels.shape[0]
        original = turned_back(landmarks, size, self._turn)
        if _is_tilted(landmarks):
            self._turn = (self._turn + quarters_of(landmarks)) % 4
            self._window = (
                None if window is None else _window_around(self._in_view(original, pixels), self._view(pixels))
            )
            self._tracker.forget()
        return original

    def _view(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The input of the tracker."""
        return turned_pixels(pixels, self._turn)

    def _in_view(self, landmarks: Array, pixels: NDArray[np.uint8]) -> Array:
        return turned_points(landmarks, (pixels.shape[1], pixels.shape[0]), self._turn)


def _is_tilted(landmarks: Array) -> bool:
    """Whether the eyes of landmarks (478, 3) lie so steep that a turned picture shows them better."""
    x, y = (landmarks[topology.RIGHT_EYE[0], :2] - landmarks[topology.LEFT_EYE[0], :2]).tolist()
    return abs(math.degrees(math.atan2(y, x))) > TILTED


def _is_same(a: Array, b: Array) -> bool:
    """Whether two detections are the same face: equal position and size."""
    sizes = eye_distance(a), eye_distance(b)
    apart = np.hypot(*(a[:, :2].mean(axis=0) - b[:, :2].mean(axis=0)))
    return bool(apart < ASTRAY * max(sizes) and max(sizes) < (1 + ASTRAY) * min(sizes))


def _window_around(landmarks: Array, pixels: NDArray[np.uint8]) -> Box:
    x0, y0, x1, y1 = bounds(landmarks)
    room = ROOM * max(x1 - x0, y1 - y0)
    height, width = pixels.shape[:2]
    low_x, low_y = max(int(x0 - room), 0), max(int(y0 - room), 0)
    return Box.between(
        low_x, low_y, max(min(int(x1 + room), width), low_x + 2), max(min(int(y1 + room), height), low_y + 2)
    )


def _leaves(landmarks: Array, window: Box, pixels: NDArray[np.uint8]) -> bool:
    """Whether the face has come nearer to an inner edge of its window than a third of its room, or outgrown it."""
    x0, y0, x1, y1 = bounds(landmarks)
    room = ROOM / 3 * max(x1 - x0, y1 - y0)
    height, width = pixels.shape[:2]
    return (
        (x0 - room < window.x and window.x > 0)
        or (y0 - room < window.y and window.y > 0)
        or (x1 + room > window.right and window.right < width)
        or (y1 + room > window.bottom and window.bottom < height)
    )
