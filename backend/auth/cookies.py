"""Cookies of a web client: the refresh token, the CSRF token, and the known device.

Scripts cannot read the refresh token, and other sites cannot use it: a request that relies on it must repeat the CSRF
cookie, which only scripts of the client's own site can read, in a header (double submit). The CSRF token is signed for
the session, so nobody can make up a pair, or use that of another session.
"""

from __future__ import annotations

import hmac

from flask import Request, Response, request

from backend.auth.schemas import SessionOut
from backend.auth.signatures import is_signed, sign
from backend.auth.tokens import read_token
from backend.errors import Forbidden
from backend.extensions import current_settings

REFRESH_COOKIE, CSRF_COOKIE, DEVICE_COOKIE = "fuze_refresh", "fuze_csrf", "fuze_device"
CSRF_HEADER = "X-CSRF-Token"
CSRF_LABEL = "fuze csrf v1"
# Paths of the cookies: refresh token and device go to /auth only, the CSRF token to the client's own pages.
AUTH_PATH, CSRF_PATH = "/api/v1/auth", "/"
DAY_SECONDS = 24 * 3600
DEVICE_DAYS = 365


def refresh_token_of(request: Request) -> str | None:
    """Read the refresh token from the cookie, if there is one.

    Raises:
        Unauthenticated: it is forged or expired.
        Forbidden: the header does not repeat the CSRF cookie, or that is of another session.
    """
    token = request.cookies.get(REFRESH_COOKIE)
    if token is None:
        return None
    session_id = str(read_token(token, "refresh").session_id)
    expected, header = request.cookies.get(CSRF_COOKIE, ""), request.headers.get(CSRF_HEADER, "")
    is_repeated = hmac.compare_digest(expected.encode(), header.encode())
    if not is_repeated or not is_signed(CSRF_LABEL, session_id, header):
        raise Forbidden(f"Send the cookie {CSRF_COOKIE} of this session in the header {CSRF_HEADER} as well.")
    return token


def device_cookie_of(request: Request) -> str:
    """Return the device cookie of a request; "" without one."""
    return request.cookies.get(DEVICE_COOKIE, "")


def login_response(session: SessionOut, status: int = 200, *, in_cookies: bool = False) -> Response:
    """Return a session as a response that sets the device cookie; `in_cookies` puts the refresh token into a cookie."""
    response = cookie_response(session) if in_cookies else _response(session)
    response.status_code = status
    _set_cookie(response, DEVICE_COOKIE, session.device, _auth_path(), DEVICE_DAYS, hidden=True)
    return response


def cookie_response(session: SessionOut) -> Response:
    """Return a session as a response whose refresh token is in a cookie."""
    token = session.refresh_token or ""
    response = _response(session.model_copy(update={"refresh_token": None}))  # nosec B105
    days = current_settings().REFRESH_TOKEN_DAYS
    _set_cookie(response, REFRESH_COOKIE, token, _auth_path(), days, hidden=True)
    signature = sign(CSRF_LABEL, str(read_token(token, "refresh").session_id))
    _set_cookie(response, CSRF_COOKIE, signature, CSRF_PATH, days, hidden=False)
    return response


def clear_cookies(response: Response) -> Response:
    """Delete the cookies of the session. The device stays known."""
    secure = current_settings().ENVIRONMENT != "development"
    response.delete_cookie(REFRESH_COOKIE, path=_auth_path(), secure=secure, httponly=True, samesite="Strict")
    response.delete_cookie(CSRF_COOKIE, path=CSRF_PATH, secure=secure, samesite="Strict")
    return response


def _response(session: SessionOut) -> Response:
    return Response(session.model_dump_json(), content_type="application/json")


def _set_cookie(response: Response, name: str, value: str, path: str, days: int, *, hidden: bool) -> None:
    response.set_cookie(
        name,
        value,
        max_age=days * DAY_SECONDS,
        path=path,
        httponly=hidden,
        secure=current_settings().ENVIRONMENT != "development",
        samesite="Strict",
    )


def _auth_path() -> str:
    """Return the path as the browser sees it, below the base path of a proxy."""
    return f"{request.script_root}{AUTH_PATH}"
