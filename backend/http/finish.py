"""The last step of every request through Flask: what all responses say, and the access line."""

from __future__ import annotations

from flask import Response, current_app, request

from backend.extensions import current_settings
from backend.http.admission import remaining
from backend.http.operations import LimitClass, declared_operation
from backend.http.rate_limits.charge import request_limits
from backend.http.rate_limits.headers import limit_headers
from backend.http.request_state import request_state
from backend.observability.logging import log_access


def finish(response: Response) -> Response:
    """Add what every response says, and log the request."""
    state, limits = request_state(), request_limits()
    verdict = (limits.verdict if limits else None) or remaining(_limit_class())
    if verdict is not None:
        # Nothing else sets these: they need not be looked for first, as by `headers[name] = value`.
        response.headers.extend(limit_headers(verdict))
    response.headers["X-Request-ID"] = state.request_id
    if current_settings().ALLOWED_ORIGINS:
        # Always: a cache must not serve one origin's response to another.
        vary = response.headers.get("Vary")
        response.headers["Vary"] = f"{vary}, Origin" if vary else "Origin"
    log_access(
        user_id=state.actor.user_id if state.actor else None,
        organization_id=state.actor.organization_id if state.actor else None,
        route=str(request.url_rule) if request.url_rule else None,
        method=request.method,
        path=request.path,
        status=response.status_code,
        started=state.started,
        request_id=state.request_id,
        ip=request.remote_addr,
    )
    return response


def _limit_class() -> LimitClass:
    operation = declared_operation(current_app, request.endpoint) if request.endpoint else None
    return operation.limit if operation else "default"
