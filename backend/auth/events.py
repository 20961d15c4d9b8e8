"""The audit trail of what matters for the safety of an account (R-LOG 6)."""

from __future__ import annotations

from typing import Any

from flask import has_request_context, request

from backend.auth.models import SecurityEvent
from backend.extensions import db

MAX_USER_AGENT = 500


def record_event(
    user_id: int | None, kind: str, *, organization_id: int | None = None, detail: dict[str, Any] | None = None
) -> None:
    """Add an event to the transaction at hand; it is written with the next flush.

    `user_id` is whose account it is about, None where that is nobody's or a deleted one; `detail` is shown to the
    person and holds no secret. Address and user agent are those of the request, if there is one.
    """
    db.session.add(
        SecurityEvent(
            user_id=user_id,
            organization_id=organization_id,
            kind=kind,
            ip=(request.remote_addr or "") if has_request_context() else "",
            user_agent=request.headers.get("User-Agent", "")[:MAX_USER_AGENT] if has_request_context() else "",
            detail=detail or {},
        )
    )
