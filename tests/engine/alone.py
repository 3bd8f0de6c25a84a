"""Runs commands on a machine without a network whose name server writes down what it is asked; a program, as root.

    unshare --net --mount python tests/engine/alone.py ASKED COMMANDS

COMMANDS is a JSON list of lists of arguments; they run one after the other, and their exit codes are printed. Names
that were asked for are appended to ASKED, each on a line, after `CONTROL`, which this program asks for itself.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Final

CONTROL: Final = "control.example"
ADDRESS: Final = "10.255.255.53"
"""Of this machine, beside 127.0.0.1, which WebRTC peers leave out; the name server's, too."""
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _SIOCSIFADDR, _IFF_UP = 0x8913, 0x8914, 0x8916, 1


def main(asked: Path, commands: list[list[str]]) -> None:
    raise_loopback()
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as names:
        names.write(f"nameserver {ADDRESS}\noptions timeout:1 attempts:1\n")
        names.flush()
        subprocess.run(["mount", "--make-rprivate", "/"], check=True)
        subprocess.run(["mount", "--bind", names.name, "/etc/resolv.conf"], check=True)
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.bind((ADDRESS, 53))
        threading.Thread(target=deny, args=(server, asked), daemon=True).start()
        with contextlib.suppress(OSError):
            socket.gethostbyname(CONTROL)
        for command in commands:
            code = subprocess.run(command, stdout=sys.stderr).returncode
            sys.stdout.write(f"{code}\n")
            sys.stdout.flush()


def raise_loopback() -> None:
    """Set the loopback interface up, which a new namespace has down, and give it `ADDRESS`."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sH22x", b"lo", 0)
        (flags,) = struct.unpack_from("H", fcntl.ioctl(any_socket, _SIOCGIFFLAGS, request), 16)
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sH22x", b"lo", flags | _IFF_UP))
        address = struct.pack("HH4s8x", socket.AF_INET, 0, socket.inet_aton(ADDRESS))
        fcntl.ioctl(any_socket, _SIOCSIFADDR, struct.pack("16s16s8x", b"lo:1", address))


def deny(server: socket.socket, asked: Path) -> None:
    """Write each name down and answer that there is no such (RFC 1035, response code 3)."""
    with asked.open("a", buffering=1) as file:
        while True:
            query, peer = server.recvfrom(4096)
            at, labels = 12, []
            while at < len(query) and query[at]:
                labels.append(query[at + 1 : at + 1 + query[at]].decode("latin-1"))
                at += 1 + query[at]
            file.write(".".join(labels) + "\n")
            server.sendto(query[:2] + b"\x81\x83" + query[4:6] + bytes(6) + query[12 : at + 5], peer)


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]))
