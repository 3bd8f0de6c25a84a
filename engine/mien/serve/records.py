"""Records of calls: who was shown, when, with whose consent; signed, kept in a folder, and handed out."""

from __future__ import annotations

import datetime
import json
import logging
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mien.credentials.claim import consented
from mien.credentials.opening import open_identity
from mien.credentials.record import signed
from mien.machine.atomic import write_atomically
from mien.machine.folders import user_records
from mien.provenance import own_version
from mien.serve import fields
from mien.serve.log import in_a_line
from mien.serve.refusal import missing

if TYPE_CHECKING:
    from mien.credentials.identity import Identity
    from mien.serve.history import Showing
    from mien.serve.portraits import Entry
    from mien.serve.session import Session
    from mien.serve.settings import ServeSettings

logger = logging.getLogger(__name__)

FORMAT: Final = 1
_ID: Final = re.compile("[0-9a-f]{16}")


class Records:
    """Of one server; what reads or writes files is called beside the event loop."""

    def __init__(self, folder: Path | None, identity: Identity | None) -> None:
        """`folder`: where they are kept, None: nowhere; `identity`: who signs, None: there are none."""
        self._folder = folder
        self._identity = identity

    @classmethod
    def open(cls, settings: ServeSettings) -> Records:
        """Those of a server; where its folder cannot be made, they are handed out and not kept.

        Raises:
            SettingError: the key that signs cannot be used.
        """
        if not settings.reenact.credentials.wanted:
            return cls(None, None)
        folder = settings.records or user_records()
        try:
            if folder is not None:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            logger.warning("records of sessions are not kept: %s", in_a_line(error))
            folder = None
        return cls(folder, open_identity(settings.reenact.credentials))

    def of(self, session: Session) -> fields.Record | None:
        """That of a session as it is now; None where there are none."""
        return None if self._identity is None else fields.Record(**signed(said_of(session), self._identity))

    def keep(self, session: Session) -> None:
        """Write that of a session; whatever goes wrong, such as a full disk, costs the record and a line in the log."""
        try:
            record = self.of(session)
            if record is None or self._folder is None:
                return
            values = {name: getattr(record, name) for name in record.__struct_fields__}
            write_atomically(self._folder / f"{session.id}.json", json.dumps(values, indent=1).encode(), private=True)
        except Exception as error:  # raised, it would end all sessions
            logger.warning("session %s: its record is not kept: %s", session.id, in_a_line(error))

    def kept(self, id: str) -> fields.Record:
        """That of a session that has ended.

        Raises:
            Refusal: there is none.
        """
        if self._folder is not None and _ID.fullmatch(id):
            try:
                found = json.loads((self._folder / f"{id}.json").read_bytes())
                return fields.Record(**{name: str(found[name]) for name in fields.Record.__struct_fields__})
            except (OSError, ValueError, KeyError, TypeError):
                pass
        raise missing(f"record of session {id[:40]!r}", "it never was, or records are not kept")


def said_of(session: Session) -> dict[str, Any]:
    """What a record says."""
    now = datetime.datetime.now(datetime.UTC)
    made = session.metadata
    return {
        "format": FORMAT,
        "session": session.id,
        "version": own_version(),
        "began": _iso(session.history.began),
        "ended": None if session.ended_at is None else _iso(session.ended_at),
        "ended_because": session.ended_because,
        "told": _iso(now),
        "model": made.get("mien_model"),
        "settings_sha256": made.get("mien_settings_sha256"),
        "visible_mark": session.marked,
        "invisible_mark": made.get("mien_session"),
        "portraits": {id: _of(entry) for id, entry in tuple(session.history.seen.items())},
        "shown": [_shown(one) for one in tuple(session.history.changes)],
        "left_out": session.history.left_out,
    }


def _of(entry: Entry) -> dict[str, Any]:
    consent = None if entry.consent is None else consented(entry.consent)
    return {"sha256": entry.sha256, "sample": entry.sample, "consent": consent}


def _shown(one: Showing) -> dict[str, Any]:
    morph = None if one.morph is None else one.morph.id
    return {"since": _iso(one.since), "portrait": one.portrait.id, "morph": morph, "degree": one.degree}


def _iso(time: datetime.datetime) -> str:
    return time.isoformat(timespec="seconds")
