"""The refresh token as a cookie, for a web client: scripts cannot read it, other sites cannot use it.

Beside it lies a cookie that scripts of the client's own site can read. A request that relies on the first must send
the second in a header as well (double submit), which no other site can.
"""

from __future__ import annotations

import hmac
import secrets

from flask import Request, Response, request

from backend.auth.schemas import SessionOut
from backend.errors import Forbidden
from backend.extensions import current_settings

REFRESH_COOKIE, CSRF_COOKIE = "fuze_refresh", "fuze_csrf"
CSRF_HEADER = "X-CSRF-Token"
# Where refresh tokens are of use; the other one is for the client's own pages.
REFRESH_PATH, CSRF_PATH = "/api/v1/auth", "/"


def refresh_token_of(request: Request) -> str | None:
    """The refresh token in the cookie, if there is one.

    Raises:
        Forbidden: the header does not repeat the other cookie.
    """
    token = request.cookies.get(REFRESH_COOKIE)
    if token is None:
        return None
    expected, given = request.cookies.get(CSRF_COOKIE, ""), request.headers.get(CSRF_HEADER, "")
    if not expected or not hmac.compare_digest(expected.encode(), given.encode()):
        raise Forbidden(f"Send the cookie {CSRF_COOKIE} in the header {CSRF_HEADER} as well.")
    return token


def with_cookies(session: SessionOut) -> Response:
    """The session without its refresh token, which goes into a cookie."""
    body = session.model_copy(update={"refresh_token": None}).model_dump_json()  # nosec B105
    response = Response(body, content_type="application/json")
    settings = current_settings()
    seconds = settings.REFRESH_TOKEN_DAYS * 24 * 3600
    for name, value, path, hidden in (
        (REFRESH_COOKIE, session.refresh_token or "", _refresh_path(), True),
        (CSRF_COOKIE, secrets.token_urlsafe(32), CSRF_PATH, False),
    ):
        response.set_cookie(
            name,
            value,
            max_age=seconds,
            path=path,
            httponly=hidden,
            secure=settings.ENVIRONMENT != "development",
            samesite="Strict",
        )
    return response


def clear_cookies(response: Response) -> Response:
    """Take both cookies back."""
    secure = current_settings().ENVIRONMENT != "development"
    response.delete_cookie(REFRESH_COOKIE, path=_refresh_path(), secure=secure, httponly=True, samesite="Strict")
    response.delete_cookie(CSRF_COOKIE, path=CSRF_PATH, secure=secure, samesite="Strict")
    return response


def _refresh_path() -> str:
    """As the browser sees it, below the path at which a proxy serves this."""
    return f"{request.script_root}{REFRESH_PATH}"
