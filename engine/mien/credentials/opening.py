"""Opens the credentials of a run, or says in one line why there are none."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Final

from mien.config import CredentialSettings
from mien.credentials.claim import SIGNED, Claim
from mien.credentials.identity import Identity, given, own
from mien.credentials.signing import Credentials
from mien.errors import SettingError, in_one_line
from mien.provenance import Provenance

LACKING: Final = "content credentials: expected the library c2pa-python, got none that can be used; files have none"
_PIXEL: Final = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55"
    "0000000a49444154789c636000000002000148afa4710000000049454e44ae426082"
)
"""The smallest PNG file, on which a key and its certificates are tried."""


def library_works() -> bool:
    """Whether credentials can be made and read here."""
    try:
        import c2pa  # noqa: F401
        import cryptography  # noqa: F401
    except (ImportError, OSError, RuntimeError):  # not installed, or its binary does not load on this system
        return False
    return True


def open_credentials(
    settings: CredentialSettings, claim: Callable[[], Claim], output: str | None, told: Callable[[str], None]
) -> Credentials | None:
    """Of the files of a run; None where none are wanted, can be carried, or can be made.

    Args:
        claim: what is claimed; asked only where credentials are made, since it may hash long files.
        output: where they go; None: it is not known yet.
        told: takes one line where credentials are wanted and cannot be made.

    Raises:
        SettingError: the user's key or certificates cannot be used, or there is nothing that they could sign.
    """
    if not settings.wanted:
        return None
    carries = output is None or Path(output).suffix.lower() in {*SIGNED, ""}  # without one, a folder of pictures
    if settings.key is not None and not carries:
        raise SettingError(f"--sign: expected an output among {', '.join(SIGNED)}, got {output}; change the ending")
    if not carries:
        return None
    if not library_works():
        if settings.key is not None:
            raise SettingError(f"--sign: {LACKING}; pip install c2pa-python")
        told(LACKING)
        return None
    return Credentials(claim(), open_identity(settings), told)


def open_identity(settings: CredentialSettings) -> Identity:
    """Who signs, tried on a picture where it is the user's own.

    Raises:
        SettingError: key or certificates cannot be used.
    """
    if settings.key is None or settings.chain is None:
        return own()
    identity = given(settings.key, settings.chain)
    from c2pa import C2paError

    trial = Credentials(Claim(Provenance("", "", (), ""), "", False), identity, lambda line: None)
    try:
        trial.lay_in("image/png", io.BytesIO(_PIXEL), io.BytesIO())
    except C2paError as error:
        reason = in_one_line(error).rpartition("failures: ")[2].partition(" (self#")[0].rpartition("Error: ")[2]
        raise SettingError(
            f"--cert {settings.chain}: expected certificates that C2PA allows for signing, got others ({reason}); "
            "see docs/provenance.md"
        ) from None
    return identity
