"""Links to exports: signed for one person, and valid for a day."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from backend.auth.signatures import is_signed, sign
from backend.extensions import current_settings

# Part of the key: no other use of the secret makes such signatures.
LABEL = "fuze links to dashboard exports v1"


def sign_link(export_id: UUID, user_id: int, expires_at: datetime) -> str:
    """Return the path of an export with a signature for its owner, as `download_url` tells it."""
    expires = str(int(expires_at.timestamp()))
    signature = f"{expires}.{sign(LABEL, _signed_text(export_id, user_id, expires))}"
    return f"{current_settings().BASE_PATH}/api/v1/dashboard/exports/{export_id}/{signature}"


def expiry_of(export_id: UUID, user_id: int, signature: str) -> datetime | None:
    """Return the end of a link, which may be over; None if it was not signed for this export and person."""
    expires, _, signed = signature.partition(".")
    if not is_signed(LABEL, _signed_text(export_id, user_id, expires), signed):
        return None
    return datetime.fromtimestamp(int(expires), UTC)


def _signed_text(export_id: UUID, user_id: int, expires: str) -> str:
    return f"{export_id}:{user_id}:{expires}"
