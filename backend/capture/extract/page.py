"""Extracted pages, and the failures of extraction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

MAX_TITLE = 500
MAX_NAME = 200
MAX_DESCRIPTION = 2000


@dataclass(frozen=True)
class ExtractedPage:
    """A readable page: no NUL or lone surrogate in any text, every length bounded.

    `published_at` is in UTC, `language` the primary tag in lower case ("en"), `image_url` http or https,
    `html` sanitised. A field is None where the page says nothing usable; `text` and `html` may be empty.
    """

    title: str | None
    author: str | None
    site_name: str | None
    description: str | None
    published_at: datetime | None
    language: str | None
    image_url: str | None
    text: str
    html: str
    word_count: int


class UnsupportedMedia(Exception):
    """A body without text: an image, an archive, a program."""

    def __init__(self, media_type: str) -> None:
        super().__init__(f"A file of type {media_type or 'unknown'} holds no text to read.")
        self.media_type = media_type


class UnreadablePage(Exception):
    """A document of a known type that cannot be read; `reason` is a sentence for its reader."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
