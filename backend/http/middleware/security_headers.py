"""Security headers of every response (R-HTTP 2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from flask import Flask

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

API_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
# The documentation pages load scripts and styles from our own origin.
DOCS_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " font-src 'self' data:; connect-src 'self';"
    " frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
# The page that asks whether to unsubscribe is a form.
FORM_POLICY = API_POLICY.replace("form-action 'none'", "form-action 'self'")
FORM_PATH = "/api/v1/digests/unsubscribe"
# Pictures bring a style sheet of their own, and load nothing.
PICTURES_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-XSS-Protection": "1; mode=block",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
OF_API = [*HEADERS.items(), ("Content-Security-Policy", API_POLICY)]
OF_DOCS = [*HEADERS.items(), ("Content-Security-Policy", DOCS_POLICY)]
OF_FORM = [*HEADERS.items(), ("Content-Security-Policy", FORM_POLICY)]
# Where a response that needs other headers than these leaves them in the environ.
CHOSEN_HEADERS = "fuze.security_headers"
OF_PICTURES = [*HEADERS.items(), ("Content-Security-Policy", PICTURES_POLICY)]
PICTURES = "/api/v1/dashboard/charts/"
EXCEPTIONS = ("/api/docs", PICTURES, FORM_PATH)
OVER_TLS = ("Strict-Transport-Security", "max-age=31536000; includeSubDomains")


class SecurityHeaders:
    """WSGI middleware that adds them to every response; nothing before sets them."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(
            status: str, headers: list[tuple[str, str]], exc_info: OptExcInfo | None = None
        ) -> Callable[[bytes], object]:
            path = environ.get("PATH_INFO", "")
            usual = _headers_of(path) if path.startswith(EXCEPTIONS) else OF_API
            headers.extend(environ.get(CHOSEN_HEADERS) or usual)
            if environ["wsgi.url_scheme"] == "https":
                headers.append(OVER_TLS)
            return start_response(status, headers, exc_info)

        return self._app(environ, start)


def _headers_of(path: str) -> list[tuple[str, str]]:
    # By the path, not by the content type: a 304 updates the policy of the response that a client has.
    if path.startswith(PICTURES):
        return OF_PICTURES
    if path == FORM_PATH:
        return OF_FORM
    return OF_DOCS if f"{path}/".startswith("/api/docs/") else OF_API


def register_security_headers(app: Flask) -> None:
    """Add the headers to every response, errors included."""
    app.wsgi_app = SecurityHeaders(app.wsgi_app)  # type: ignore[method-assign]
