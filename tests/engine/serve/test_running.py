from __future__ import annotations

import asyncio
import re
import signal
import ssl
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from prometheus_client.parser import text_string_to_metric_families
from tests.engine.serve.harness import SETTINGS, run, serving

from mien.errors import ModelError, SettingError, Stopped
from mien.live.shared import Shared
from mien.serve.routes.about import FOLDER
from mien.serve.running import address_of
from mien.serve.running import run as run_server
from mien.serve.server import Server, Warm
from mien.serve.settings import ServeSettings

TOKEN = "correct-horse-battery"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for localhost, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    cert_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    return cert_file, key_file


def test_the_page_is_served_with_a_policy_and_nothing_else_of_its_folder() -> None:
    async def main() -> None:
        async with serving() as place:
            index = (FOLDER / "index.html").read_bytes()
            for path in ("/", "/room/tea"):
                answer = await place.ask("GET", path)
                assert answer.body == index
                assert answer.headers["Content-Type"].startswith("text/html")
                policy = answer.headers["Content-Security-Policy"]
                assert "default-src 'self'" in policy
                assert "unsafe" not in policy
            for name in sorted(path.name for path in FOLDER.iterdir() if path.is_file()):
                answer = await place.ask("GET", f"/page/{name}")
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
            for path in ("/page/none.js", "/page/..%2fapp.py", "/page/%2e%2e%2f__init__.py", "/page/", "/app.py"):
                await place.ask("GET", path, status=404)

    run(main)


def test_metrics_are_what_prometheus_reads() -> None:
    async def main() -> None:
        async with serving() as place:
            await place.begin()
            answer = await place.ask("GET", "/metrics")
            assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
            families = {family.name: family for family in text_string_to_metric_families(answer.body.decode())}
            assert families["mien_sessions_begun"].type == "counter"
            assert [sample.value for sample in families["mien_sessions_begun"].samples] == [1]
            assert [sample.value for sample in families["mien_sessions_limit"].samples] == [2]
            states = {sample.labels["state"]: sample.value for sample in families["mien_sessions"].samples}
            assert sum(states.values()) == 1
            assert set(states) == {"opening", "running", "waiting", "ended"}

    run(main)


def test_tls_is_served_where_certificate_and_key_are_given(pair: tuple[Path, Path]) -> None:
    settings = replace(SETTINGS, host="localhost", token=TOKEN, cert=pair[0], key=pair[1])

    async def main() -> None:
        async with serving(settings) as place:
            trusted = ssl.create_default_context(cafile=str(pair[0]))
            port = place.url.rpartition(":")[2]
            async with place.http.get(f"https://localhost:{port}/healthz", ssl=trusted) as response:
                assert response.status == 200
            assert address_of(settings, 1) == f"https://localhost:1/#token={TOKEN}"

    run(main)


@pytest.mark.parametrize("swapped", [True, False])
def test_a_certificate_that_cannot_be_used_is_refused(pair: tuple[Path, Path], swapped: bool) -> None:
    cert, key = (pair[1], pair[0]) if swapped else (pair[0], pair[0].with_name("none.pem"))

    async def main() -> None:
        with pytest.raises(SettingError, match="expected a certificate and its key in PEM"):
            async with serving(replace(SETTINGS, cert=cert, key=key)):
                pass

    run(main)


def test_a_key_with_a_password_is_refused_without_a_question(pair: tuple[Path, Path]) -> None:
    key = serialization.load_pem_private_key(pair[1].read_bytes(), None)
    locked = pair[1].with_name("locked.pem")
    secret = serialization.BestAvailableEncryption(b"word")
    locked.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, secret))

    async def main() -> None:
        with pytest.raises(SettingError, match="the key has a password"):
            async with serving(replace(SETTINGS, cert=pair[0], key=locked)):
                pass

    run(main)


def test_a_certificate_wants_its_key() -> None:
    with pytest.raises(SettingError, match="both or neither"):
        ServeSettings(cert=Path("cert.pem"))


def test_a_port_that_is_taken_is_told_in_a_line() -> None:
    async def main() -> None:
        async with serving() as place:
            port = int(place.url.rpartition(":")[2])
            with pytest.raises(SettingError, match=f"127.0.0.1:{port}: expected an address to listen on, got none"):
                async with serving(replace(SETTINGS, port=port)):
                    pass

    run(main)


def test_a_host_is_named_with_brackets_or_without() -> None:
    async def main() -> None:
        async with serving(replace(SETTINGS, host="[::1]")) as place:
            port = int(place.url.rpartition(":")[2])
            assert address_of(place.server.settings, port) == f"http://[::1]:{port}/"
            async with place.http.get(f"http://[::1]:{port}/healthz") as response:
                assert response.status == 200
            with pytest.raises(SettingError, match=rf"^\[::1\]:{port}: expected an address to listen on"):
                async with serving(replace(SETTINGS, host="::1", port=port)):
                    pass

    run(main)


@pytest.mark.parametrize("host", ["no..host", "a" * 64 + ".invalid", "nobody.invalid"])
def test_a_host_that_cannot_be_is_told(host: str) -> None:
    settings = replace(SETTINGS, host=host, token="a-token-of-more-than-16-letters")
    with pytest.raises(SettingError, match="expected an address to listen on, got none") as caught:
        asyncio.run(run_server(settings, lambda line: None))
    assert "a --host of this machine" in str(caught.value)


def test_all_addresses_of_ipv6_are_those_of_ipv4_too() -> None:
    async def main() -> None:
        async with serving(replace(SETTINGS, host="::", token=TOKEN)) as place:
            port = place.url.rpartition(":")[2]
            for host in ("127.0.0.1", "[::1]"):
                async with place.http.get(f"http://{host}:{port}/healthz") as response:
                    assert response.status == 200

    run(main)


def test_no_host_at_all_is_refused() -> None:
    with pytest.raises(SettingError, match="host: expected an address of this machine, got none"):
        ServeSettings(host="", token=TOKEN)


def test_a_body_that_is_not_coded_as_it_says_is_the_clients_fault() -> None:
    async def main() -> None:
        async with serving() as place:
            headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
            answer = await place.ask("POST", "/api/v1/sessions", data=b"plain", headers=headers, status=400)
            assert answer.json["error"]["what"] == "body"

    run(main)


def test_a_model_that_does_not_load_ends_the_server_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(settings: ServeSettings, shared: Shared, picture: str) -> Warm:
        raise ModelError("model x: expected one that is here, got none")

    monkeypatch.setattr("mien.serve.server.warm", broken)
    told: list[str] = []
    settings = replace(SETTINGS, reenact=replace(SETTINGS.reenact, model="x"))
    with pytest.raises(ModelError, match="model x"):
        asyncio.run(run_server(settings, told.append))
    assert len(told) == 1


def test_a_server_that_ends_while_it_warms_up_does_not_wait_for_all_of_that() -> None:
    begun = threading.Event()

    def endless(settings: ServeSettings, shared: Shared, picture: str) -> Warm:
        while True:
            shared.graphs.need_wanted()
            begun.set()

    async def main() -> None:
        async with Server.running(SETTINGS, warming=endless) as server:
            await asyncio.to_thread(begun.wait)
        assert isinstance(server.warming.exception(), Stopped)

    run(main)


def test_many_servers_come_and_go_in_one_process() -> None:
    async def main() -> None:
        for _ in range(3):
            async with serving():
                pass

    run(main)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_mien_serve_prints_where_to_go_and_ends_in_order(number: signal.Signals) -> None:
    command = [sys.executable, "-m", "mien", "serve", "--port", "0", "--model", "warp", "--size", "128"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert re.fullmatch(r"mien serve: http://127\.0\.0\.1:\d+/\n", process.stdout.readline())
        assert re.fullmatch(r"mien serve: model: warp; at most \d+ sessions? at once\n", process.stdout.readline())
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0
    assert "Traceback" not in errors
