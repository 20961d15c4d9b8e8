"""The refresh token as a cookie, for a web client: scripts cannot read it, other sites cannot use it.

Beside it lies a cookie that scripts of the client's own site can read. A request that relies on the first must send
the second in a header as well (double submit), which no other site can. It is signed for the session, so nobody can make
up a pair, or bring that of a session of their own.
"""

from __future__ import annotations

import hmac

from flask import Request, Response

from backend.auth.schemas import SessionOut
from backend.auth.signatures import is_signed, sign
from backend.auth.tokens import read_token
from backend.errors import Forbidden
from backend.extensions import current_settings

REFRESH_COOKIE, CSRF_COOKIE = "fuze_refresh", "fuze_csrf"
CSRF_HEADER = "X-CSRF-Token"
CSRF_LABEL = "fuze csrf v1"
# Where refresh tokens are of use; the other one is for the client's own pages.
REFRESH_PATH, CSRF_PATH = "/api/v1/auth", "/"


def refresh_token_of(request: Request) -> str | None:
    """The refresh token in the cookie, if there is one.

    Raises:
        Unauthenticated: it is forged, or its time is over.
        Forbidden: the header does not repeat the other cookie, or that one is not of this session.
    """
    token = request.cookies.get(REFRESH_COOKIE)
    if token is None:
        return None
    session_id = str(read_token(token, "refresh").session_id)
    expected, given = request.cookies.get(CSRF_COOKIE, ""), request.headers.get(CSRF_HEADER, "")
    is_repeated = hmac.compare_digest(expected.encode(), given.encode())
    if not is_repeated or not is_signed(CSRF_LABEL, session_id, given):
        raise Forbidden(f"Send the cookie {CSRF_COOKIE} of this session in the header {CSRF_HEADER} as well.")
    return token


def with_cookies(session: SessionOut) -> Response:
    """The session without its refresh token, which goes into a cookie."""
    body = session.model_copy(update={"refresh_token": None}).model_dump_json()  # nosec B105
    response = Response(body, content_type="application/json")
    settings = current_settings()
    seconds = settings.REFRESH_TOKEN_DAYS * 24 * 3600
    token = session.refresh_token or ""
    csrf = sign(CSRF_LABEL, str(read_token(token, "refresh").session_id))
    for name, value, path, hidden in (
        (REFRESH_COOKIE, token, REFRESH_PATH, True),
        (CSRF_COOKIE, csrf, CSRF_PATH, False),
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
    response.delete_cookie(REFRESH_COOKIE, path=REFRESH_PATH, secure=secure, httponly=True, samesite="Strict")
    response.delete_cookie(CSRF_COOKIE, path=CSRF_PATH, secure=secure, samesite="Strict")
    return response
