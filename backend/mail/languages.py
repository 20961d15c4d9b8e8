"""The languages in which mails are written."""

from __future__ import annotations

from flask import has_request_context, request

# Each has a folder of templates; the first is for those who ask for none of them.
LANGUAGES = ("en", "de")


def preferred_language() -> str:
    """The language of ours that the person behind the request at hand likes best (Accept-Language)."""
    wanted = request.accept_languages if has_request_context() else []
    primary = (tag.partition("-")[0].lower() for tag, quality in wanted if quality > 0)
    return next((language for language in primary if language in LANGUAGES), LANGUAGES[0])
