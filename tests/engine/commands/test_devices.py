from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from mien.capture import camera as cameras
from mien.capture.camera import Camera, CameraFeed, Wanted, camera_called, is_camera, list_cameras, wanted
from mien.commands.doctor import devices
from mien.emit.virtual import virtual_cameras
from mien.errors import SourceError

CAMERAS = (Camera("/dev/video0", "Front"), Camera("/dev/video4", "Desk: HD"))


@pytest.fixture
def sysfs(tmp_path: Path) -> Path:
    """As the kernel shows a camera with a node for data about its pictures, another one, and a loopback."""
    folder = tmp_path / "class"
    folder.mkdir()
    for node, kind, title, index in (
        ("video0", "pci", "Front", 0),
        ("video1", "pci", "Front", 1),
        ("video10", "virtual", "Loopback", 0),
        ("video2", "pci", "Desk: HD", 0),
    ):
        device = tmp_path / "devices" / kind / node
        device.mkdir(parents=True)
        (device / "name").write_text(f"{title}\n")
        (device / "index").write_text(f"{index}\n")
        (folder / node).symlink_to(device)
    return folder


def test_each_camera_is_listed_once_in_the_order_of_its_nodes(sysfs: Path) -> None:
    found = [(camera.device, camera.title) for camera in list_cameras("linux", sysfs)]
    assert found == [("/dev/video0", "Front"), ("/dev/video2", "Desk: HD"), ("/dev/video10", "Loopback")]
    assert virtual_cameras(sysfs) == ("/dev/video10",)


def test_a_machine_without_any(tmp_path: Path) -> None:
    assert list_cameras("linux", tmp_path / "none") == ()
    assert virtual_cameras(tmp_path / "none") == ()
    assert list_cameras("plan9") == ()
    assert set(devices()) == {"cameras", "virtual cameras"}


@pytest.mark.parametrize(
    ("name", "means"),
    [
        ("camera:0", Wanted("0")),
        ("camera:1@1280x720", Wanted("1", (1280, 720))),
        ("camera:1@1280x720@60", Wanted("1", (1280, 720), 60)),
        ("camera:Desk: HD@15", Wanted("Desk: HD", None, 15)),
        ("/dev/video3", Wanted("/dev/video3")),
    ],
)
def test_names(name: str, means: Wanted) -> None:
    assert wanted(name) == means


@pytest.mark.parametrize(
    ("name", "device"),
    [("camera:1", "/dev/video4"), ("camera:Desk: HD", "/dev/video4"), ("camera:/dev/video0", "/dev/video0")],
)
def test_cameras_go_by_number_title_and_device(name: str, device: str) -> None:
    assert camera_called(name, CAMERAS).device == device


BY_ID = "/dev/v4l/by-id/usb-046d_C920_22F75AFF-video-index0"


def test_the_lasting_names_of_a_camera_are_names_of_one_even_while_it_is_unplugged() -> None:
    assert is_camera(BY_ID)
    assert wanted(BY_ID) == Wanted(BY_ID)
    assert wanted(f"camera:{BY_ID}@640x480") == Wanted(BY_ID, (640, 480))
    with pytest.raises(SourceError, match=rf"{BY_ID}: expected a camera, got none there; plug it in"):
        CameraFeed(BY_ID, system="linux").open()


def test_a_link_to_a_camera_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a character device that every machine has, whose number is taken for that of cameras."""
    monkeypatch.setattr(cameras, "_VIDEO4LINUX", os.major(os.stat(os.devnull).st_rdev))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "desk").symlink_to(os.devnull)
    (tmp_path / "file").write_bytes(b"")
    assert is_camera("desk")
    assert wanted("desk").camera == str(tmp_path / "desk")
    assert not any(is_camera(name) for name in ("file", "none", str(tmp_path), "nul\0"))


def test_who_asks_for_another_camera_is_told_which_there_are() -> None:
    with pytest.raises(SourceError, match=r"there are camera:0 \(Front\), camera:1 \(Desk: HD\)"):
        camera_called("camera:2", CAMERAS)
    with pytest.raises(SourceError, match="got none on this machine"):
        camera_called("camera:0", ())


def test_what_is_no_camera_is_said_in_one_line(tmp_path: Path) -> None:
    """The driver's own refusals: no such node, and a file that is no device."""
    file = tmp_path / "file"
    file.write_bytes(b"no camera")
    gone = CameraFeed("camera:0", cameras=lambda: [Camera(str(tmp_path / "gone"), "Front")], system="linux")
    other = CameraFeed("camera:0", cameras=lambda: [Camera(str(file), "Front")], system="linux")
    for feed, told in ((gone, "got none there; plug it in"), (other, "expected a camera")):
        with pytest.raises(SourceError, match=told) as caught:
            feed.open()
        assert "\n" not in str(caught.value)
        assert str(caught.value).startswith("camera:0: ")


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (errno.ENODEV, "got none there; plug it in"),
        (errno.EBUSY, "got one that another program uses; close that program"),
        (errno.EACCES, "got no permission; on Linux join the group video"),
        (errno.EINVAL, "expected a size and rate that the camera has"),
        (errno.EIO, "expected a camera that works"),
    ],
)
def test_what_a_driver_refuses_is_said_with_its_cure(monkeypatch: pytest.MonkeyPatch, number: int, told: str) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("av.open", refuse)
    feed = CameraFeed("camera:0@640x480@30", cameras=lambda: CAMERAS, system="linux")
    with pytest.raises(SourceError, match=told) as caught:
        feed.open()
    assert str(caught.value).startswith("camera:0@640x480@30: ")
    assert "\n" not in str(caught.value)


def test_a_system_without_a_driver() -> None:
    with pytest.raises(SourceError, match="expected Linux, macOS or Windows"):
        CameraFeed("camera:0", system="plan9")
