"""Signs files: what is claimed of them is laid into them by the C2PA library, which hashes and signs."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final

from mien.credentials.claim import SIGNED, Claim
from mien.credentials.identity import Identity
from mien.errors import in_one_line

LARGE: Final = 64 << 20
"""Bytes of a video from which on it is hashed in parts: the library hashes others in pieces of 256 MiB in memory."""
PART_KIB: Final = 4096
"""Each part."""
IN_MEMORY_MIB: Final = 8
"""What the library keeps in memory of a file that it writes; the rest goes to a temporary file."""
SMALL: Final = 256
"""Longer side of a small picture in pixels."""
_ALGORITHMS: Final = {"EdDSA": "ed25519"}
"""Names of the library where they differ by more than case."""


@dataclass(frozen=True, slots=True, eq=False)
class Credentials:
    """What is claimed of the files of a run, and who signs it."""

    claim: Claim
    identity: Identity
    told: Callable[[str], None]
    """Takes one line where a file could not be signed: it is kept without. Of many files that is told once."""
    _small: dict[int, bytes] = field(default_factory=dict, init=False)
    """Small pictures by the ingredient's number, once they are made."""
    _failures: set[str] = field(default_factory=set, init=False)

    def sign(self, source: Path, output: Path, name: str) -> bool:
        """Write `source` with credentials to `output`, without holding it in memory; whether it worked.

        Args:
            name: the file's own, whose ending says what it is.
        """
        kind = mime_signed(name)
        if kind is None:
            return False
        in_parts = source.stat().st_size >= LARGE and kind.startswith("video/")
        with self._failing(name) as failed, source.open("rb") as read, output.open("w+b") as written:
            self.lay_in(kind, read, written, in_parts=in_parts)
        return not failed

    def signed(self, data: bytes, kind: str, name: str) -> bytes:
        """A picture's bytes, of a MIME type, with credentials; as they are where it did not work."""
        written = io.BytesIO()
        with self._failing(name) as failed:
            self.lay_in(kind, io.BytesIO(data), written)
        return data if failed else written.getvalue()

    @contextmanager
    def _failing(self, name: str) -> Iterator[list[str]]:
        """Tells an error, which costs nobody a file that is made: what is given holds it."""
        from c2pa import C2paError

        failed: list[str] = []
        try:
            yield failed
        except (C2paError, OSError, ValueError) as error:
            failed.append(in_one_line(error)[:200])
            if name in self._failures:
                return
            self._failures.add(name)
            self.told(f"{name}: expected to sign it, got an error ({failed[0]}); it has no content credentials")

    def lay_in(self, kind: str, source: BinaryIO, output: BinaryIO, *, in_parts: bool = False) -> None:
        """Write `source`, of a MIME type, with credentials to `output`.

        Raises:
            C2paError, OSError: it cannot be signed.
        """
        from c2pa import Builder, C2paSignerInfo, Context, Signer

        small = self._small_pictures()
        manifest = self.claim.manifest()
        for number in small:
            manifest["ingredients"][number]["thumbnail"] = {"format": "image/jpeg", "identifier": f"small-{number}"}
        algorithm = _ALGORITHMS.get(self.identity.algorithm, self.identity.algorithm.lower())
        info = C2paSignerInfo(algorithm, self.identity.chain_pem(), self.identity.key_pem(), None)
        with (
            Context.from_dict(context(in_parts)) as settings,
            Signer.from_info(info) as signer,
            Builder.from_json(json.dumps(manifest), settings) as builder,
        ):
            for number, picture in small.items():
                builder.add_resource(f"small-{number}", io.BytesIO(picture))
            builder.sign(signer, kind, source, output)

    def _small_pictures(self) -> dict[int, bytes]:
        """By the ingredient's number."""
        for number, one in enumerate(self.claim.ingredients):
            if number not in self._small and one.path is not None and one.format.startswith("image/"):
                self._small[number] = _small(one.path)
        return self._small


def mime_signed(name: str) -> str | None:
    """What a file is, by its ending; None where it cannot carry credentials."""
    return SIGNED.get(Path(name).suffix.lower())


def context(in_parts: bool = False) -> dict[str, Any]:
    """Settings of the library: it asks nothing of the network, and makes no picture that nobody wants."""
    core: dict[str, int] = {"backing_store_memory_threshold_in_mb": IN_MEMORY_MIB}
    if in_parts:
        core["merkle_tree_chunk_size_in_kb"] = PART_KIB
    return {
        "core": core,
        "builder": {"thumbnail": {"enabled": False}},
        "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
    }


def _small(path: Path) -> bytes:
    from PIL import Image, ImageOps

    with Image.open(path) as picture:
        small = ImageOps.exif_transpose(picture).convert("RGB")
        small.thumbnail((SMALL, SMALL))
    written = io.BytesIO()
    small.save(written, "JPEG", quality=80)
    return written.getvalue()
