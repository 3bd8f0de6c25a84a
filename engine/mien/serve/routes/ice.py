"""ICE servers, as browsers and as WHIP take them."""

from __future__ import annotations

from mien.serve.server import Server


def ice_servers(server: Server) -> list[dict[str, str]]:
    """As `RTCPeerConnection` takes them."""
    told = []
    for ice in server.settings.peer.ice_servers:
        entry = {"urls": ice.url, "username": ice.username, "credential": ice.credential}
        told.append({name: value for name, value in entry.items() if value is not None})
    return told


def ice_links(server: Server) -> list[str]:
    """As values of `Link` (RFC 9725, 4.6)."""
    links = []
    for ice in server.settings.peer.ice_servers:
        link = f'<{ice.url}>; rel="ice-server"'
        if ice.username is not None and ice.credential is not None:
            name, credential = _quoted(ice.username), _quoted(ice.credential)
            link += f'; username={name}; credential={credential}; credential-type="password"'
        links.append(link)
    return links


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
