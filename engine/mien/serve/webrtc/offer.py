"""What a peer offers: read, judged, and brought into a form that is understood."""

from __future__ import annotations

from mien.errors import MienError


class OfferError(MienError):
    """An offer, or a part of one, that cannot be met; `status` is the HTTP status that says so."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status
