"""Languages of mails."""

from __future__ import annotations

from flask import has_request_context, request

# Each has a folder of templates; the first is the default.
LANGUAGES = ("en", "de")


def preferred_language() -> str:
    """Return the available language that the current request prefers (Accept-Language)."""
    accepted = request.accept_languages if has_request_context() else []
    primary = (tag.partition("-")[0].lower() for tag, quality in accepted if quality > 0)
    return next((language for language in primary if language in LANGUAGES), LANGUAGES[0])
