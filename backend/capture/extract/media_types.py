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
SNIFFED_BYTES = 2048
HTML_START = re.compile(rb"<(?:!doctype html|html|head|body|title|meta|script|h1|p|div)[\s>]", re.IGNORECASE)
PDF_START = re.compile(rb"(?:\xef\xbb\xbf)?\s*%PDF-")


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
    """Detect the media type of a body whose server states none: HTML, PDF or unknown.

    The tables of puremagic and filetype tell formats of files apart, none of which has text to read but PDF; they know
    HTML only by how a document should begin.
    """
    if is_pdf(body):
        return "application/pdf"
    return "text/html" if HTML_START.search(body, 0, SNIFFED_BYTES) else "application/octet-stream"


def is_pdf(body: bytes) -> bool:
    """Tell whether a body begins as a PDF does, whatever its server states."""
    return PDF_START.match(body, 0, SNIFFED_BYTES) is not None
