"""What is seen in a page's pictures: whose face, and how its head is turned."""

from __future__ import annotations

import base64
import functools
import io

import av
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray
from playwright.sync_api import Page

from mien import samples
from mien.capture import image
from mien.face.pose import angles_of, fit_pose
from mien.parse.models import FaceMesh

Pixels = NDArray[np.uint8]

SIDE = 256
_TAKE = """async ([ids, count, pause, side]) => {
    const taken = [];
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = side;
    for (let number = 0; number < count; number++) {
        taken.push(ids.map((id) => {
            canvas.getContext("2d").drawImage(document.getElementById(id), 0, 0, side, side);
            return canvas.toDataURL("image/jpeg", 0.9);
        }));
        await new Promise((resolve) => setTimeout(resolve, pause));
    }
    return taken;
}"""


def pictures(page: Page, *ids: str, count: int = 1, pause_ms: int = 0) -> list[list[Pixels]]:
    """What the videos with these ids show, (SIDE, SIDE, 3) each, `count` times one after the other."""
    taken: list[list[str]] = page.evaluate(_TAKE, [list(ids), count, pause_ms, SIDE])
    return [[_decoded(url) for url in row] for row in taken]


def _decoded(url: str) -> Pixels:
    with av.open(io.BytesIO(base64.b64decode(url.partition(",")[2])), "r", format="image2pipe") as picture:
        frame: VideoFrame = next(picture.decode(video=0))
        return frame.to_ndarray(format="rgb24").astype(np.uint8)


def turns(faces: list[Pixels]) -> NDArray[np.float64]:
    """The yaw of the head in each picture in degrees; the last known where there is no face."""
    found: list[float] = []
    with FaceMesh(still=False) as mesh:
        for picture in faces:
            seen = mesh(picture)
            found.append(angles_of(fit_pose(seen[0]).rotation).yaw if seen else (found[-1] if found else 0.0))
    return np.array(found)


def follows(leader: NDArray[np.float64], follower: NDArray[np.float64], most: int) -> float:
    """The best correlation of both when the follower is up to `most` samples late."""
    count = len(leader) - most
    return max(float(np.corrcoef(leader[:count], follower[late : late + count])[0, 1]) for late in range(most + 1))


def whose(picture: Pixels) -> str:
    """The sample portrait that a picture resembles most."""
    seen = _small(picture)
    distance = {name: float(np.abs(portrait - seen).mean()) for name, portrait in _portraits().items()}
    return min(distance, key=lambda name: distance[name])


@functools.cache
def _portraits() -> dict[str, NDArray[np.float32]]:
    return {name: _small(image.read(path)) for name, path in samples.portraits().items()}


def _small(pixels: Pixels) -> NDArray[np.float32]:
    frame = VideoFrame.from_ndarray(np.ascontiguousarray(pixels[:, :, :3]), format="rgb24")
    return frame.reformat(24, 24, interpolation="AREA").to_ndarray(format="rgb24").astype(np.float32)
