"""Preview window, with the standard library's Tk."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import numpy as np

from mien.emit.sink import SinkBase, SinkSettings
from mien.errors import SinkError
from mien.frame import Frame
from mien.sound.sound import Sound


class WindowSink(SinkBase):
    """Shows frames at once; sound is dropped. After the user has closed the window, frames are dropped too.

    Tk wants one thread, also for what is left of it: the window opens with the first frame, and belongs to the thread
    that writes and ends.
    """

    def __init__(
        self, settings: SinkSettings, *, title: str = "mien", pressed: Callable[[str], None] | None = None
    ) -> None:
        """Check that a window can be opened.

        Args:
            pressed: is told each key, on the thread that writes.

        Raises:
            SinkError: no display, or a Python without Tk.
        """
        self._settings = settings
        self._title = title
        self._pressed = pressed
        self._root: Any = None
        self._image: Any = None
        self._closed = False
        _new_root().destroy()
        gc.collect()

    @property
    def closed(self) -> bool:
        return self._closed

    def write(self, frame: Frame) -> None:
        """Show a frame.

        Raises:
            SinkError: no display any more.
        """
        if self._closed:
            return
        if self._root is None:
            self._show()
        self._image.configure(data=_ppm(frame), format="PPM")
        self._root.update()
        if self.closed:
            self._close()

    def write_sound(self, sound: Sound) -> None:
        """Drop it."""

    def finish(self) -> None:
        self._close()

    def discard(self) -> None:
        self._close()

    def _show(self) -> None:
        import tkinter

        self._root = _new_root()
        self._root.title(self._title)
        self._root.protocol("WM_DELETE_WINDOW", self._leave)
        self._root.bind("<Key>", self._press)
        self._image = tkinter.PhotoImage(master=self._root, width=self._settings.width, height=self._settings.height)
        tkinter.Label(self._root, image=self._image, borderwidth=0).pack()

    def _leave(self) -> None:
        self._closed = True

    def _press(self, event: Any) -> None:
        if self._pressed is not None and event.char:
            self._pressed(event.char)

    def _close(self) -> None:
        """Free the window on its own thread: Tk aborts the process if another thread collects its remains."""
        self._closed = True
        if self._root is not None:
            self._root.destroy()
            self._root = self._image = None
            gc.collect()


def _new_root() -> Any:
    try:
        import tkinter
    except ImportError as error:
        raise SinkError("window: expected a Python with Tk, got one without; install it (python3-tk)") from error
    try:
        return tkinter.Tk()
    except tkinter.TclError as error:
        raise SinkError(f"window: expected a display, got none ({error}); write to a file instead") from error


def _ppm(frame: Frame) -> bytes:
    width, height = frame.size
    return f"P6 {width} {height} 255 ".encode() + np.ascontiguousarray(frame.pixels[:, :, :3]).tobytes()
