"""Media types of responses, by their header or first bytes."""

from __future__ import annotations

import re
from email.message import Message

import httpx

MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+")
UNREADABLE_MEDIA_TYPES = re.compile(
    r"""(image|video|audio|font|model)/.*
    | application/(
        (x-)?(zip|gzip|bzip2?|xz|tar|gtar|7z-compressed|rar|rar-compressed|compress|lzip|zip-compressed)
      | vnd\.(rar|debian\.binary-package|android\.package-archive|microsoft\.portable-executable)
      | vnd\.(openxmlformats-officedocument|ms-|oasis\.opendocument).*
      | msword | epub\+zip | java-archive | wasm | zstd
      | x-(apple-diskimage|iso9660-image|msdownload|msdos-program|executable)
      | x-(rpm|debian-package|shockwave-flash)
    )""",
    re.VERBOSE,
)
SNIFFED_BYTES = 512
BOM_AND_SPACE = b"\xef\xbb\xbf \t\r\n\f"


def content_type(headers: httpx.Headers) -> tuple[str, str | None]:
    """Return the media type, empty if the header is missing or malformed, and the charset as the header gives it."""
    value = (headers.get_list("content-type") or [""])[-1]
    header = Message()
    header["Content-Type"] = value
    media_type = value.partition(";")[0].strip().lower()
    return media_type if MEDIA_TYPE.fullmatch(media_type) else "", header.get_content_charset() or None


def is_unreadable(media_type: str) -> bool:
    """Tell whether bodies of this type contain no text, so that they need not be downloaded."""
    return UNREADABLE_MEDIA_TYPES.fullmatch(media_type) is not None


def sniff(body: bytes) -> str:
    """Detect the media type of a body that came without one: HTML, PDF or unknown."""
    start = body[:SNIFFED_BYTES].lstrip(BOM_AND_SPACE).lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "text/html"
    return "application/pdf" if start.startswith(b"%pdf-") else "application/octet-stream"
