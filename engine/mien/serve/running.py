"""Life cycle of `mien serve`: listen, warm up, run until interrupted."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator

from aiohttp import web

from mien.address import host_errors_told
from mien.errors import SettingError
from mien.machine.memory import settled
from mien.machine.signals import told_of_signals
from mien.pipeline.worker import until
from mien.serve.access import SWEEP
from mien.serve.app import application
from mien.serve.log import http_logger
from mien.serve.server import Server
from mien.serve.settings import ServeSettings

logger = logging.getLogger(__name__)

ENDING = 5.0
"""Seconds that requests under way have at the end."""
KEPT_ALIVE = 30.0


@contextlib.asynccontextmanager
async def listening(server: Server, tls: ssl.SSLContext | None = None) -> AsyncIterator[tuple[str, int]]:
    """Answer requests until this is left; (host, port) as bound.

    Args:
        tls: see `tls_of`.

    Raises:
        SettingError: the address cannot be had.
    """
    settings = server.settings
    runner = web.AppRunner(
        application(server),
        access_log=None,
        logger=http_logger(),
        handle_signals=False,
        keepalive_timeout=KEPT_ALIVE,
        shutdown_timeout=ENDING,
    )
    await runner.setup()
    try:
        try:
            await _site(runner, settings, tls).start()
        except OSError as error:
            raise _no_address(settings, error) from error
        host, port = runner.addresses[0][:2]
        sweeping = asyncio.create_task(_sweep(server, runner))
        try:
            yield host, port
        finally:
            sweeping.cancel()
    finally:
        server.closing.set()
        await runner.cleanup()


def _need_address(settings: ServeSettings) -> None:
    """Refuse an address that cannot be had before what takes its time is begun.

    Raises:
        SettingError: it cannot be had.
    """
    host = settings.host.strip("[]")
    try:
        with host_errors_told():
            family, *_ = socket.getaddrinfo(host, settings.port, type=socket.SOCK_STREAM)[0]
            socket.create_server((host, settings.port), family=family).close()
    except OSError as error:
        raise _no_address(settings, error) from error


def _no_address(settings: ServeSettings, error: OSError) -> SettingError:
    at = f"{_in_an_address(settings.host)}:{settings.port}"
    cure = "another --port" if error.errno in (errno.EADDRINUSE, errno.EACCES) else "a --host of this machine"
    return SettingError(f"{at}: expected an address to listen on, got none ({error.strerror or error}); try {cure}")


def _site(runner: web.AppRunner, settings: ServeSettings, tls: ssl.SSLContext | None) -> web.BaseSite:
    """Of `::` both families, as users of other servers expect; asyncio by itself would leave IPv4 out.

    Raises:
        OSError: the address cannot be had.
    """
    host = settings.host.strip("[]")
    if host == "::" and socket.has_dualstack_ipv6():
        both = socket.create_server((host, settings.port), family=socket.AF_INET6, dualstack_ipv6=True)
        return web.SockSite(runner, both, ssl_context=tls)
    return web.TCPSite(runner, host, settings.port, ssl_context=tls)


async def _sweep(server: Server, runner: web.AppRunner) -> None:
    while True:
        await asyncio.sleep(SWEEP)
        if runner.server is not None:
            server.connections.sweep(list(runner.server.connections))


async def run(settings: ServeSettings, told: Callable[[str], None]) -> None:
    """Until an interrupt. `told` is told where to go, and what there is, one line each.

    Raises:
        MienError: anything that the user can fix, in one line.
    """
    _need_address(settings)
    with _interrupted() as interrupt:
        tls = await until("mien-tls", lambda: tls_of(settings), interrupt)  # a pipe may have a silent writer
        if interrupt.done():
            return
        async with Server.running(settings) as server, listening(server, tls) as (_, port):
            told(address_of(settings, port))
            await asyncio.wait([server.warming, interrupt], return_when=asyncio.FIRST_COMPLETED)
            if server.warming.done():
                server.warming.result()
                with settled():
                    told(f"model: {server.about}; at most {server.sessions.most} sessions at once")
                    await interrupt
            await interrupt


def address_of(settings: ServeSettings, port: int) -> str:
    """What is to be opened in a browser, the token in it where there is one."""
    scheme = "http" if settings.cert is None else "https"
    named = settings.host.strip("[]")
    host = _in_an_address({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(named, named))
    token = "" if settings.token is None else f"#token={settings.token}"
    return f"{scheme}://{host}:{port}/{token}"


def _in_an_address(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def tls_of(settings: ServeSettings) -> ssl.SSLContext | None:
    """For `cert` and `key`; None without.

    Raises:
        SettingError: they cannot be read, or do not belong together.
    """
    if settings.cert is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(settings.cert, settings.key, _no_password)
    except (OSError, ValueError) as error:
        raise SettingError(
            f"{settings.cert}, {settings.key}: expected a certificate and its key in PEM, got none ({error}); "
            "name files that belong together"
        ) from error
    return context


def _no_password() -> str:
    """In place of a question on the terminal, which nobody may sit at."""
    raise ValueError("the key has a password; take that off, as in `openssl pkey -in key.pem -out plain.pem`")


@contextlib.contextmanager
def _interrupted() -> Iterator[asyncio.Future[None]]:
    """A future that an interrupt, SIGTERM or SIGHUP fulfils."""
    loop = asyncio.get_running_loop()
    interrupt: asyncio.Future[None] = loop.create_future()

    def end(number: int) -> None:
        if not interrupt.done():
            interrupt.set_result(None)

    with told_of_signals(end):
        yield interrupt
