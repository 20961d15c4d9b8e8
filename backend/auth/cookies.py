"""What a web client holds in cookies: the refresh token, the pair against forged requests, and the known device.

Scripts cannot read the refresh token, other sites cannot use it: beside it lies a cookie that scripts of the client's
own site can read, and a request that relies on the first must send the second in a header as well (double submit). The
second is signed for the session, so nobody can make up a pair, or bring that of a session of their own.
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
# Where refresh tokens and known devices are of use; the other one is for the client's own pages.
AUTH_PATH, CSRF_PATH = "/api/v1/auth", "/"
DAY_SECONDS = 24 * 3600
DEVICE_DAYS = 365


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


def device_cookie_of(request: Request) -> str:
    """What the device remembers of logins; "" where nothing."""
    return request.cookies.get(DEVICE_COOKIE, "")


def login_response(session: SessionOut, status: int = 200, *, in_cookies: bool = False) -> Response:
    """The session, with its device remembered; `in_cookies` puts its refresh token into a cookie."""
    response = cookie_response(session) if in_cookies else _response(session)
    response.status_code = status
    _set_cookie(response, DEVICE_COOKIE, session.device, _auth_path(), DEVICE_DAYS, hidden=True)
    return response


def cookie_response(session: SessionOut) -> Response:
    """The session without its refresh token, which goes into a cookie."""
    token = session.refresh_token or ""
    response = _response(session.model_copy(update={"refresh_token": None}))  # nosec B105
    days = current_settings().REFRESH_TOKEN_DAYS
    _set_cookie(response, REFRESH_COOKIE, token, _auth_path(), days, hidden=True)
    signature = sign(CSRF_LABEL, str(read_token(token, "refresh").session_id))
    _set_cookie(response, CSRF_COOKIE, signature, CSRF_PATH, days, hidden=False)
    return response


def clear_cookies(response: Response) -> Response:
    """Take the cookies of the session back. The device stays known."""
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
    """As the browser sees it, below the path at which a proxy serves this."""
    return f"{request.script_root}{AUTH_PATH}"
