"""The headers of R-HTTP 2, on every answer."""

from __future__ import annotations

from flask import Flask, Response, request

from backend.extensions import current_settings

API_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
# The documentation pages draw themselves with scripts and styles of our own origin.
DOCS_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " font-src 'self' data:; connect-src 'self';"
    " frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-XSS-Protection": "1; mode=block",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def register_security_headers(app: Flask) -> None:
    """Add the headers to every answer, errors included."""
    app.after_request(_secure)


def _secure(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers[name] = value
    is_docs = f"{request.path}/".startswith("/api/docs/")
    response.headers["Content-Security-Policy"] = DOCS_POLICY if is_docs else API_POLICY
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    if current_settings().ALLOWED_ORIGINS:
        response.vary.add("Origin")  # On every answer: a cache must not give one origin's answer to another.
    response.headers.remove("Server")
    return response
