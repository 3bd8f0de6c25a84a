from __future__ import annotations

import contextlib
import io
import json
import resource
import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest
from PIL import Image
from tests.engine.capture.profiles import P3, rgb_profile
from tests.engine.serve.harness import LIMITS, SETTINGS, Answer, Place, limited, run, serving

from mien import samples
from mien.capture import image
from mien.emit.images import PictureEncoder
from mien.errors import SinkError
from mien.frame import Frame

FACE = samples.portraits()["mira"].read_bytes()
CONSENT = "Mira, who is nobody, agrees"
UPLOAD = "/api/v1/portraits"


def form_of(parts: list[tuple[str, bytes | str]]) -> aiohttp.FormData:
    data = aiohttp.FormData(default_to_multipart=True)
    for name, value in parts:
        data.add_field(name, value, **({"filename": "../../Mira <x>.jpg"} if isinstance(value, bytes) else {}))
    return data


async def upload(place: Place, *parts: tuple[str, bytes | str], status: int = 201) -> Answer:
    return await place.ask("POST", UPLOAD, status=status, data=form_of(list(parts)))


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def grey(width: int, height: int) -> bytes:
    pixels = np.full((height, width, 3), 128, np.uint8)
    return PictureEncoder("png", {}, "grey").encode(Frame(pixels, 0, Fraction(1, 25)))


def test_samples_come_first_and_stay() -> None:
    async def main() -> None:
        async with serving() as place:
            told = (await place.ask("GET", UPLOAD)).json["portraits"]
            assert [one["id"] for one in told] == list(samples.portraits())
            assert all(one["sample"] and one["consent"] is None for one in told)
            answer = await place.ask("GET", told[0]["picture"])
            assert answer.body == samples.portraits()[told[0]["id"]].read_bytes()
            assert answer.headers["Content-Type"] in ("image/jpeg", "image/png")
            await place.ask("DELETE", f"{UPLOAD}/{told[0]['id']}", status=403)

    run(main)


def test_an_upload_is_kept_as_a_plain_picture_with_its_consent_and_deleted(tmp_path: Path) -> None:
    async def main() -> None:
        async with serving(replace(SETTINGS, portraits=tmp_path)) as place:
            answer = await upload(place, ("picture", FACE), ("consent", f" {CONSENT} "), ("name", "Mira\x00\n two"))
            made = answer.json
            assert answer.headers["Location"] == f"{UPLOAD}/{made['id']}"
            assert (made["name"], made["consent"], made["sample"]) == ("Mira two", CONSENT, False)
            picture = await place.ask("GET", made["picture"])
            assert picture.headers["Content-Type"] == "image/png"
            (tmp_path / "again.png").write_bytes(picture.body)
            assert image.read(tmp_path / "again.png").shape[:2] == (made["height"], made["width"])
            (tmp_path / "again.png").unlink()
            assert left_in(tmp_path) == [f"{made['id']}.json", f"{made['id']}.png"]
            assert json.loads((tmp_path / f"{made['id']}.json").read_text())["consent"] == CONSENT
        async with serving(replace(SETTINGS, portraits=tmp_path)) as place:
            assert (await place.ask("GET", f"{UPLOAD}/{made['id']}")).json == made, "after another start"
            await place.begin(portrait=made["id"])
            await place.ask("DELETE", f"{UPLOAD}/{made['id']}", status=204)
            assert left_in(tmp_path) == []
            await place.ask("GET", made["picture"], status=404)
            assert (await place.ask("GET", "/api/v1/sessions")).json["sessions"][0]["portrait"] == made["id"]

    run(main)


def test_decoding_imports_nothing_from_the_folder_that_the_server_stands_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("numpy", "av", "secrets"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(9)")
    monkeypatch.chdir(tmp_path)

    async def main() -> None:
        async with serving() as place:
            await upload(place, ("picture", FACE), ("consent", CONSENT))

    run(main)


def test_a_file_in_place_of_a_folder_is_refused_at_the_start(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_text("not a folder")

    async def main() -> None:
        with pytest.raises(SinkError, match=r"expected .* to be a folder, got a file"):
            async with serving(replace(SETTINGS, portraits=place)):
                raise AssertionError("it must not begin")

    run(main)


def test_what_else_lies_in_the_folder_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "gone.json").symlink_to(tmp_path / "nothing")
    (tmp_path / "deep.json").write_text("[" * 100_000)
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe")
    (tmp_path / "lonely.json").write_text('{"name": "x", "consent": "y"}')

    async def main() -> None:
        async with serving(replace(SETTINGS, portraits=tmp_path)) as place:
            shelf = (await place.ask("GET", "/api/v1/portraits")).json["portraits"]
            assert all(entry["sample"] for entry in shelf)

    run(main)


def test_without_a_folder_uploads_are_gone_with_the_server() -> None:
    async def main() -> None:
        async with serving() as place:
            made = (await upload(place, ("picture", FACE), ("consent", CONSENT))).json
            path = place.server.portraits.find(made["id"]).path
            assert path.is_file()
        assert not path.parent.exists()

    run(main)


@pytest.mark.parametrize(
    ("parts", "status", "message"),
    [
        ([("picture", FACE)], 422, "consent: expected a note"),
        ([("picture", FACE), ("consent", "  ")], 422, "consent: expected a note"),
        ([("consent", CONSENT)], 422, "picture: expected a picture's file"),
        ([("picture", FACE), ("picture", FACE), ("consent", CONSENT)], 422, "picture: expected one, got two"),
        ([("picture", FACE), ("consent", CONSENT), ("path", "/etc/passwd")], 422, "upload: expected the parts"),
        ([("picture", b"no picture" + bytes(100)), ("consent", CONSENT)], 422, "picture: expected a JPEG"),
        (
            [("picture", b"GIF89a" + bytes(100)), ("consent", CONSENT)],
            422,
            "picture: expected a picture, got a damaged",
        ),
        ([("picture", FACE[: len(FACE) * 2 // 3]), ("consent", CONSENT)], 422, "picture: expected a picture, got a da"),
        ([("picture", b""), ("consent", CONSENT)], 422, "picture: expected a JPEG"),
        ([("picture", b"\x89PNG\r\n\x1a\n" + bytes(500)), ("consent", CONSENT)], 422, "picture: expected"),
        ([("picture", FACE[: len(FACE) // 8]), ("consent", CONSENT)], 422, "picture: expected"),
        ([("picture", grey(200, 200)), ("consent", CONSENT)], 422, "picture: expected a face, got none"),
        ([("picture", FACE), ("consent", "x" * 2001)], 413, "consent: expected at most 2000 characters"),
    ],
)
def test_what_cannot_be_used_is_refused_and_leaves_nothing(
    tmp_path: Path, parts: list[tuple[str, bytes | str]], status: int, message: str
) -> None:
    async def main() -> None:
        async with serving(replace(SETTINGS, portraits=tmp_path)) as place:
            answer = await upload(place, *parts, status=status)
            assert answer.message.startswith(message)
            assert str(tmp_path) not in answer.message
            assert left_in(tmp_path) == []

    run(main)


@contextlib.contextmanager
def room_for(size: int) -> Iterator[None]:
    """Let this process and its children write files of so many bytes at most, as if the disk were full then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("size", [len(FACE) // 2, len(FACE) + 1000], ids=["upload", "picture"])
def test_a_full_disk_is_not_the_pictures_fault(tmp_path: Path, size: int) -> None:
    async def main() -> None:
        async with serving(replace(SETTINGS, portraits=tmp_path)) as place:
            with room_for(size):
                answer = await upload(place, ("picture", FACE), ("consent", CONSENT), status=507)
            assert answer.message.startswith("server: expected room on its disk, got none (file too large)")
            assert left_in(tmp_path) == []
            await upload(place, ("picture", FACE), ("consent", CONSENT))

    run(main)


def face_as(format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.open(io.BytesIO(FACE)).save(buffer, format, **options)
    return buffer.getvalue()


def test_pictures_of_other_kinds_are_taken_in_their_colours() -> None:
    """The same way as files: a telephone's HEIC in Display P3, JPEG in TIFF."""
    pytest.importorskip("pillow_heif").register_heif_opener()
    telephone = face_as("HEIF", quality=90, icc_profile=rgb_profile(P3))
    plain = Image.open(io.BytesIO(FACE))

    async def main() -> None:
        async with serving() as place:
            made = (await upload(place, ("picture", face_as("TIFF", compression="jpeg")), ("consent", CONSENT))).json
            assert (made["width"], made["height"]) == plain.size
            made = (await upload(place, ("picture", telephone), ("consent", CONSENT))).json
            kept = Image.open(io.BytesIO((await place.ask("GET", made["picture"])).body))
            assert "icc_profile" not in kept.info
            before, after = np.asarray(plain).astype(int), np.asarray(kept).astype(int)
            skin = (after - before)[200:300, 220:290].mean(axis=(0, 1))
            assert skin[0] > 3, "more red in sRGB than in Display P3"

    run(main)


def test_too_many_bytes_are_refused_whether_announced_or_not(tmp_path: Path) -> None:
    async def main() -> None:
        limits = replace(LIMITS, upload_bytes=10_000)
        async with serving(replace(SETTINGS, portraits=tmp_path, limits=limits)) as place:
            answer = await upload(place, ("picture", bytes(200_000)), ("consent", CONSENT), status=413)
            assert answer.message.startswith("picture: expected at most 10,000 bytes")
            body = form_of([("picture", bytes(40_000)), ("consent", CONSENT)])()

            async def in_chunks() -> Any:
                yield await _bytes_of(body)

            kind = {"Content-Type": body.content_type}
            await place.ask("POST", UPLOAD, status=413, data=in_chunks(), headers=kind)
            assert left_in(tmp_path) == []

    run(main)


async def _bytes_of(payload: Any) -> bytes:
    class Writer:
        def __init__(self) -> None:
            self.data = b""

        async def write(self, data: bytes) -> None:
            self.data += data

    writer = Writer()
    await payload.write(writer)
    return writer.data


def test_too_many_pixels_are_refused_before_they_are_decoded() -> None:
    """A file of a few hundred bytes that would be 2.5 gigabytes of pixels."""
    rows = zlib.compress(bytes(10), 9)
    header = struct.pack(">IIBBBBB", 29_000, 29_000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")

    async def main() -> None:
        async with serving() as place:
            answer = await upload(place, ("picture", bomb), ("consent", CONSENT), status=422)
            assert answer.message.startswith("picture: expected at most 50,000,000 pixels, got 29,000 x 29,000")
            answer = await upload(place, ("picture", grey(300, 200)), ("consent", CONSENT), status=422)
            assert "expected a face" in answer.message
        async with serving(limited(upload_pixels=50_000)) as place:
            answer = await upload(place, ("picture", grey(300, 200)), ("consent", CONSENT), status=422)
            assert answer.message.startswith("picture: expected at most 50,000 pixels, got 300 x 200")

    run(main)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def test_a_form_that_breaks_off_is_refused(tmp_path: Path) -> None:
    async def main() -> None:
        async with serving(replace(SETTINGS, portraits=tmp_path)) as place:
            payload = form_of([("consent", CONSENT), ("picture", FACE)])()
            whole, kind = await _bytes_of(payload), {"Content-Type": payload.content_type}
            for share in (0.01, 0.3, 0.9):
                part = whole[: int(len(whole) * share)]
                answer = await place.ask("POST", UPLOAD, status=400, data=part, headers=kind)
                assert answer.message.startswith("upload: expected a whole form")
            await place.ask("POST", UPLOAD, status=400, data=whole, headers={"Content-Type": "multipart/form-data"})
            await place.ask("POST", UPLOAD, status=415, data=whole, headers={"Content-Type": "text/plain"})
            assert left_in(tmp_path) == []

    run(main)


def test_a_client_that_vanishes_while_it_uploads_leaves_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        import asyncio

        async with serving(replace(SETTINGS, portraits=tmp_path)) as place:
            host, port = place.url.removeprefix("http://").split(":")
            _, writer = await asyncio.open_connection(host, int(port))
            head = f"POST {UPLOAD} HTTP/1.1\r\nHost: {host}\r\nContent-Type: multipart/form-data; boundary=x\r\n"
            writer.write(f"{head}Content-Length: 100000\r\n\r\n".encode())
            writer.write(b'--x\r\nContent-Disposition: form-data; name="picture"; filename="a"\r\n\r\n' + bytes(5000))
            await writer.drain()
            await place.until_true(lambda: left_in(tmp_path) != [])
            writer.close()
            await place.until_true(lambda: left_in(tmp_path) == [])

    run(main)


def test_the_shelf_is_bounded() -> None:
    async def main() -> None:
        async with serving(limited(portraits=1)) as place:
            await upload(place, ("picture", FACE), ("consent", CONSENT))
            answer = await upload(place, ("picture", FACE), ("consent", CONSENT), status=409)
            assert "delete some" in answer.message
        async with serving(limited(decodings=0)) as place:
            answer = await upload(place, ("picture", FACE), ("consent", CONSENT), status=503)
            assert "Retry-After" in answer.headers

    run(main)


@pytest.mark.parametrize("id", ["..", "%2e%2e%2fmira", "mira.jpg", "a" * 65, "%00"])
def test_an_id_is_looked_up_and_never_a_path(id: str) -> None:
    async def main() -> None:
        async with serving() as place:
            import yarl

            url = yarl.URL(f"{place.url}{UPLOAD}/{id}/picture", encoded=True)
            async with place.http.get(url) as response:
                assert response.status == 404

    run(main)


def test_a_kept_portrait_whose_note_is_no_text_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "0123456789abcdef.png").write_bytes(grey(256, 256))
    (tmp_path / "0123456789abcdef.json").write_text(json.dumps({"name": "me", "consent": "of \udcff"}))

    async def main() -> None:
        async with serving(replace(SETTINGS, portraits=tmp_path)) as place:
            told = (await place.ask("GET", UPLOAD)).json["portraits"]
            assert [one["id"] for one in told] == list(samples.portraits())

    run(main)
