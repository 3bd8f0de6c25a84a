"""Reads content credentials: what a file claims of itself, who signed that, and whether it was changed since."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mien.credentials.claim import CONSENT, RUN
from mien.credentials.identity import own_chain
from mien.credentials.opening import library_works
from mien.credentials.signing import context

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

_OF_SIGNER: Final = "signingCredential."
"""What failures begin with that are not of the file: its signer's issuer is unknown, or the certificate has expired."""
_EXPIRED: Final = "signingCredential.expired"


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signed, in the words of a certificate, which anybody can choose who makes one."""

    name: str
    trusted: bool
    """Whether an issuer that the reader trusts gave the certificate."""
    ours: bool
    """Whether mien's own key on this machine signed."""
    expired: bool = False
    """Whether the certificate is not valid any more; whether it was when it signed, only a time stamp would prove."""


@dataclass(frozen=True, slots=True)
class Read:
    """Content credentials of a file."""

    broken: bool
    """Whether they cannot be read, so that nothing else of this counts: they are damaged, or the file is."""
    changed: tuple[str, ...]
    """What does not fit any more, by the codes of the C2PA specification; empty: the file is as it was signed."""
    signer: Signer
    generator: str
    """The software, as it names itself."""
    run: dict[str, Any] | None
    """What mien says of the run; None: other software made the file."""
    consent: str | None
    """The note of consent."""
    when: str | None
    """By the clock of whoever signed."""

    @property
    def session(self) -> str | None:
        """The run, in hexadecimal."""
        session = None if self.run is None else self.run.get("session")
        return session if isinstance(session, str) else None


def read(path: Path, trusted: Sequence[Certificate] = ()) -> Read | None:
    """Credentials of a file; None where it has none, is of a kind without any, or the library is missing.

    Args:
        trusted: certificates of issuers.
    """
    if not library_works():
        return None
    own = own_chain()
    told = _told(path, [*trusted, *own[-1:]])
    return None if told is None else _read(told, own)


def _told(path: Path, trusted: Sequence[Certificate]) -> dict[str, Any] | None:
    from c2pa import C2paError, Context, Reader
    from cryptography.hazmat.primitives.serialization import Encoding

    settings = context()
    if trusted:
        settings["trust"] = {"user_anchors": b"".join(one.public_bytes(Encoding.PEM) for one in trusted).decode()}
    try:
        with (
            path.open("rb") as file,
            Context.from_dict(settings) as used,
            Reader(None, file, context=used) as reader,
        ):
            found: dict[str, Any] = json.loads(reader.json())
            json.dumps(found, ensure_ascii=False).encode()  # what is no text could not be told: a ValueError
            return found
    except (C2paError.ManifestNotFound, C2paError.NotSupported):
        return None
    except (C2paError, ValueError, RecursionError):
        return {}


def _failures(told: dict[str, Any]) -> list[str]:
    return [str(one.get("code")) for one in told.get("validation_status", [])]


def _read(told: dict[str, Any], own: Sequence[Certificate]) -> Read:
    active = told.get("manifests", {}).get(told.get("active_manifest"), {})
    if not active:
        return Read(True, (), Signer("?", False, False), "", None, None, None)
    by = active.get("signature_info", {})
    failures = _failures(told)
    trusts = not any(code.startswith(_OF_SIGNER) for code in failures)
    ours = trusts and bool(own) and str(by.get("cert_serial_number")) == str(own[0].serial_number)
    changed = [code for code in failures if not code.startswith(_OF_SIGNER)]
    assertions = {one.get("label"): one.get("data") for one in active.get("assertions", [])}
    run, consent = assertions.get(RUN), assertions.get(CONSENT)
    generators = active.get("claim_generator_info") or [{}]
    actions = next((data for label, data in assertions.items() if str(label).startswith("c2pa.actions")), None) or {}
    return Read(
        False,
        tuple(changed),
        Signer(str(by.get("common_name", "?")), trusts, ours, _EXPIRED in failures),
        " ".join(str(generators[0].get(name, "")) for name in ("name", "version")).strip() or "unknown software",
        run if isinstance(run, dict) else None,
        str(consent.get("text")) if isinstance(consent, dict) else None,
        next((one["when"] for one in actions.get("actions", []) if "when" in one), None),
    )
