"""What content credentials claim of a file: how it was made, by what, from what, and with whose consent."""

from __future__ import annotations

import datetime
import hashlib
import mimetypes
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from mien.config import CredentialSettings
from mien.provenance import Provenance, hash_once

RUN, CONSENT = "mien.run", "mien.consent"
"""Labels of the assertions that are ours."""
_IPTC: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/"
COMPOSITE: Final = f"{_IPTC}compositeWithTrainedAlgorithmicMedia"
"""Of real pictures and what a trained network made."""
TRAINED: Final = f"{_IPTC}trainedAlgorithmicMedia"
"""Made by a trained network alone."""
COMPUTED: Final = f"{_IPTC}compositeSynthetic"
"""Of pictures put together by a formula, without a network."""


@dataclass(frozen=True, slots=True)
class Ingredient:
    """A file that was used."""

    role: str
    """Such as "portrait" or "driver"; a file's name would tell more than is needed."""
    sha256: str
    format: str
    """Its MIME type."""
    path: Path | None = None
    """From which a small picture of it is taken; None: none is."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What is claimed."""

    provenance: Provenance
    how: str
    """The command."""
    marked: bool
    """Whether the visible mark is drawn."""
    ingredients: tuple[Ingredient, ...] = ()
    source_type: str = COMPOSITE
    edited: bool = False
    """Whether the first ingredient was changed, not something new made."""
    consent: str | None = None
    """A note on who is seen and that they agree."""

    def manifest(self) -> dict[str, Any]:
        """As the library takes it, without small pictures."""
        provenance = self.provenance
        return {
            "claim_generator_info": [{"name": "mien", "version": provenance.version}],
            "ingredients": [self._ingredient(number, one) for number, one in enumerate(self.ingredients)],
            "assertions": [
                {"label": "c2pa.actions.v2", "data": {"actions": list(self._actions())}},
                {"label": RUN, "data": self._run()},
                *([] if self.consent is None else [{"label": CONSENT, "data": consented(self.consent)}]),
            ],
        }

    def _ingredient(self, number: int, one: Ingredient) -> dict[str, str]:
        parent = self.edited and number == 0
        return {
            "title": one.role,
            "format": one.format,
            "relationship": "parentOf" if parent else "componentOf",
            "instance_id": f"urn:sha256:{one.sha256}",
        }

    def _actions(self) -> Iterable[dict[str, Any]]:
        agent = {"name": "mien", "version": self.provenance.version}
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        made = {"softwareAgent": agent, "when": now, "digitalSourceType": self.source_type}
        ids = [f"urn:sha256:{one.sha256}" for one in self.ingredients]
        if self.edited:
            yield {"action": "c2pa.opened", "parameters": {"ingredientIds": ids[:1]}}
            yield {"action": "c2pa.edited"} | made
        else:
            yield {"action": "c2pa.created"} | made
        for id in ids[1:] if self.edited else ids:
            yield {"action": "c2pa.placed", "parameters": {"ingredientIds": [id]}}
        if self.provenance.payload is not None:
            yield {"action": "c2pa.watermarked.unbound"}

    def _run(self) -> dict[str, Any]:
        said, payload = self.provenance, self.provenance.payload
        told: dict[str, Any] = {"version": said.version, "command": self.how, "model": said.model}
        if said.settings:
            told["settings_sha256"] = said.settings
        told |= {"visible_mark": self.marked, "invisible_mark": payload is not None}
        return told if payload is None else told | {"session": payload.name}


def consented(note: str) -> dict[str, str]:
    """A note of consent, and its hash."""
    return {"text": note, "sha256": hashlib.sha256(note.encode()).hexdigest()}


def ingredients(named: Iterable[tuple[str, object]], *, thumbnails: bool = False) -> tuple[Ingredient, ...]:
    """Those of `named` (role, and what was read) that are files; of others, such as cameras, nothing can be hashed."""
    found: dict[tuple[str, str], Ingredient] = {}
    for role, source in named:
        if not isinstance(source, str | os.PathLike) or not os.path.isfile(source):
            continue
        path = Path(source)
        one = Ingredient(role, hash_once(path), mime_of(path), path if thumbnails else None)
        found.setdefault((role, one.sha256), one)
    return tuple(found.values())


def claim_of(
    provenance: Provenance,
    how: str,
    settings: CredentialSettings,
    named: Iterable[tuple[str, object]],
    *,
    marked: bool,
    source_type: str = COMPOSITE,
    edited: bool = False,
) -> Claim:
    """The claim of a command, with hashes of what was read; `named` as `ingredients` has it, the rest as `Claim`."""
    read = ingredients(named, thumbnails=settings.thumbnails)
    return Claim(provenance, how, marked, read, source_type, edited and bool(read), settings.consent)


Mime = Literal["video/mp4", "video/quicktime", "image/png", "image/jpeg"]
SIGNED: Final[dict[str, Mime]] = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
}
"""Files that can carry credentials, by ending: of those that mien writes all but .webm and .mkv."""


def mime_of(path: Path) -> str:
    """By a file's ending."""
    return mimetypes.guess_type(path.name)[0] or "application/octet-stream"
