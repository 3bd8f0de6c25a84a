"""Content credentials of commands that make one file of another, without a portrait that a driver moves."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass

from mien.config import CredentialSettings
from mien.credentials.claim import COMPOSITE, Claim, claim_of
from mien.credentials.opening import open_credentials
from mien.credentials.signing import Credentials
from mien.marking.payload import Payload
from mien.provenance import Provenance, own_version


@dataclass(frozen=True, slots=True)
class Filtered:
    """What a command did."""

    how: str
    """The command."""
    model: str
    """What made it, in words; those behind a comma are about this machine, and are left out."""
    settings: str
    """What decides which pixels come out, in words; its hash is told."""
    source: object
    """What was changed: a file's name, or what cannot be hashed."""
    payload: Payload | None = None
    """Of the invisible mark."""
    portrait: object = None
    """A picture that it was made like."""


def edited(
    settings: CredentialSettings | None,
    did: Filtered,
    output: str | os.PathLike[str],
    *,
    mark: bool,
    told: Callable[[str], None],
    source_type: str = COMPOSITE,
) -> Credentials | None:
    """Of a file that another one was changed to; see `open_credentials`."""
    wanted = settings or CredentialSettings()

    def claim() -> Claim:
        words = hashlib.sha256(did.settings.encode()).hexdigest()
        provenance = Provenance(own_version(), did.model.partition(",")[0], (), words, did.payload)
        named = [("source", did.source), ("portrait", did.portrait)]
        return claim_of(
            provenance, did.how, wanted, named, marked=mark, source_type=source_type, edited=did.source is not None
        )

    return open_credentials(wanted, claim, os.fspath(output), told)
