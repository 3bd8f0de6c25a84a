from __future__ import annotations

import hashlib
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from mien.bundles import fetching
from mien.bundles.fetching import download, is_url
from mien.bundles.installing import add
from mien.errors import ModelError
from mien.manifest import Bundle


@dataclass
class Server:
    """A web server on this machine: status, headers and body by path."""

    answers: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    address: str = ""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    served = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = served.answers.get(self.path, (404, {}, b""))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        served.address = f"http://127.0.0.1:{running.server_port}"
        yield served
        running.shutdown()
        thread.join()


class Told(list[tuple[int, int | None]]):
    def __call__(self, done: int, total: int | None) -> None:
        self.append((done, total))


BODY = bytes(range(256)) * 4000


def test_a_file_arrives_whole_and_its_progress_is_told(server: Server, tmp_path: Path) -> None:
    server.answers["/x.zip"] = (200, {"Content-Length": str(len(BODY))}, BODY)
    told = Told()
    download(f"{server.address}/x.zip", tmp_path / "x", told, hashed=True)
    assert (tmp_path / "x").read_bytes() == BODY
    assert told[-1] == (len(BODY), len(BODY))
    assert len(told) > 1
    assert told == sorted(told)


def test_a_length_that_nobody_knows_is_no_hindrance(server: Server, tmp_path: Path) -> None:
    server.answers["/x.zip"] = (200, {}, BODY)
    told = Told()
    download(f"{server.address}/x.zip", tmp_path / "x", told, hashed=True)
    assert told[-1] == (len(BODY), None)


@pytest.mark.parametrize(
    ("status", "headers", "body", "reason"),
    [
        (404, {}, b"", r"cannot be downloaded \(Not Found\)"),
        (200, {"Content-Length": "9"}, b"12345", "expected 9 bytes, got 5; the download was cut short"),
        (200, {"Content-Length": "99999999999"}, b"", "expected at most 100 bytes, got more"),
        (200, {}, bytes(101), "expected at most 100 bytes, got more"),
        (200, {"Content-Length": "many"}, b"", "cannot be downloaded"),
        (302, {"Location": "file:///etc/passwd"}, b"", "cannot be downloaded"),
    ],
)
def test_what_cannot_be_had_is_told(
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    headers: dict[str, str],
    body: bytes,
    reason: str,
) -> None:
    monkeypatch.setattr(fetching, "MOST_DOWNLOADED", 100)
    server.answers["/x.zip"] = (status, headers, body)
    with pytest.raises(ModelError, match=reason) as refused:
        download(f"{server.address}/x.zip", tmp_path / "x", Told(), hashed=True)
    assert str(refused.value).startswith(f"{server.address}/x.zip: ")


def test_a_server_that_is_not_there_is_told(server: Server, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be downloaded"):
        download("http://127.0.0.1:1/x.zip", tmp_path / "x", Told(), hashed=True)


def test_the_open_way_needs_a_hash(server: Server, models: Path) -> None:
    with pytest.raises(ModelError, match=r"expected https, got a way .*; give its hash with --sha256"):
        add(f"{server.address}/x.zip", None, Told())
    assert not list(models.iterdir())


def test_a_bundle_is_added_from_its_address(server: Server, bundle: Bundle, models: Path) -> None:
    packed = Path(shutil.make_archive(str(bundle.folder.parent / "packed"), "gztar", bundle.folder)).read_bytes()
    server.answers["/real"] = (200, {"Content-Length": str(len(packed))}, packed)
    server.answers["/tiny.tar.gz"] = (302, {"Location": "/real"}, b"")
    told = Told()
    with pytest.raises(ModelError, match=f"expected sha256 {'1' * 64}"):
        add(f"{server.address}/tiny.tar.gz", "1" * 64, told)
    assert not list(models.iterdir())
    added = add(f"{server.address}/tiny.tar.gz", hashlib.sha256(packed).hexdigest(), told)
    assert added.folder == models / "tiny"
    assert told[-1] == (len(packed), len(packed))


@pytest.mark.parametrize(
    ("source", "web"),
    [("https://x/y.zip", True), ("http://x", True), ("ftp://x/y", False), ("a/b.zip", False), ("C:/x.zip", False)],
)
def test_addresses_are_told_from_paths(source: str, web: bool) -> None:
    assert is_url(source) == web
