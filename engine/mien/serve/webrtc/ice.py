"""ICE set-up: the UDP ports to bind, and no disconnection by unanswered consent checks.

FFmpeg's WHIP publisher never answers consent checks, so a peer's presence is decided by its media (see `liveness`). The
checks are still sent, since they keep NAT bindings open.
"""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections.abc import Callable

from aioice import stun
from aioice.candidate import Candidate, candidate_foundation, candidate_priority
from aioice.ice import CONSENT_INTERVAL, Connection, StunProtocol, server_reflexive_candidate
from aiortc import RTCIceTransport

from mien.serve.webrtc.inside import add_protocols, gather_by, nominated

ASK_SECONDS = 2.0
"""How long STUN and TURN servers may take to answer."""
LOOPBACK = "127.0.0.1"
RECEIVE_BYTES = 1 << 20


def prepare(
    transport: RTCIceTransport, ports: tuple[int, int] | None, met: Callable[[float], None] = lambda seconds: None
) -> None:
    """Set up one that has not gathered.

    Args:
        ports: first and last; None: any.
        met: told how long the peer took to answer each check, in seconds, for the first time before media come.
    """

    async def gathered(connection: Connection, component: int, addresses: list[str]) -> list[Candidate]:
        return await _gathered(connection, component, addresses, ports)

    async def keep_open(connection: Connection) -> None:
        await _keep_open(connection, met)

    gather_by(transport, gathered, keep_open)


async def _gathered(
    connection: Connection, component: int, addresses: list[str], ports: tuple[int, int] | None
) -> list[Candidate]:
    bound = []
    for address in addresses or [LOOPBACK]:
        protocol = await _bound(connection, component, address, ports)
        if protocol is not None:
            bound.append(protocol)
    add_protocols(connection, bound)
    found = [protocol.local_candidate for protocol in bound]
    asked = [_reflexive(connection, protocol) for protocol in bound if ":" not in protocol.local_candidate.host]
    relayed = Connection.get_component_candidates(connection, component, [], timeout=int(ASK_SECONDS))
    for candidates in await asyncio.gather(*asked, relayed):
        found.extend(candidates)
    return found


async def _bound(
    connection: Connection, component: int, address: str, ports: tuple[int, int] | None
) -> StunProtocol | None:
    loop = asyncio.get_running_loop()
    for port in _in_any_order(ports):
        try:
            transport, protocol = await loop.create_datagram_endpoint(
                lambda: StunProtocol(connection), local_addr=(address, port)
            )
        except OSError:
            continue  # taken, or no address of this machine any more
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
        host, port = transport.get_extra_info("sockname")[:2]
        protocol.local_candidate = Candidate(
            foundation=candidate_foundation("host", "udp", host),
            component=component,
            transport="udp",
            priority=candidate_priority(component, "host"),
            host=host,
            port=port,
            type="host",
        )
        return protocol
    return None


def _in_any_order(ports: tuple[int, int] | None) -> list[int]:
    if ports is None:
        return [0]
    listed = list(range(ports[0], ports[1] + 1))
    start = random.randrange(len(listed))  # so that two connections seldom try the same one
    return listed[start:] + listed[:start]


async def _reflexive(connection: Connection, protocol: StunProtocol) -> list[Candidate]:
    if connection.stun_server is None:
        return []
    try:
        async with asyncio.timeout(ASK_SECONDS):
            candidate, _ = await server_reflexive_candidate(protocol, connection.stun_server)
    except (OSError, TimeoutError, stun.TransactionError):
        return []
    return [candidate]


async def _keep_open(connection: Connection, met: Callable[[float], None]) -> None:
    assert connection.remote_password is not None
    key = connection.remote_password.encode()
    while True:
        for pair in nominated(connection):
            request = connection.build_request(pair, nominate=False)
            asked = time.monotonic()
            try:
                await pair.protocol.request(request, pair.remote_addr, integrity_key=key, retransmissions=0)
            except stun.TransactionError:
                continue
            met(time.monotonic() - asked)
        await asyncio.sleep(CONSENT_INTERVAL)
