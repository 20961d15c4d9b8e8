"""Audit trail: the security events of accounts (R-LOG 6)."""

from __future__ import annotations

from typing import Any

from flask import has_request_context, request

from backend.auth.models import SecurityEvent
from backend.extensions import db

MAX_USER_AGENT = 500


def record_event(
    user_id: int | None, kind: str, *, organization_id: int | None = None, detail: dict[str, Any] | None = None
) -> None:
    """Add a security event to the current transaction; the next flush writes it.

    `user_id` is the account, None where there is none or it is deleted; `detail` is shown to the person and holds no
    secret. Address and user agent are those of the request, if there is one.
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
