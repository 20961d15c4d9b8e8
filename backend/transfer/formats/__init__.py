"""All formats that can be imported, in the order in which they are looked for."""

from __future__ import annotations

from typing import BinaryIO

from backend.transfer.records import ImportFormat

FORMATS: tuple[ImportFormat, ...] = ()


def detect_format(head: bytes, file: BinaryIO) -> ImportFormat | None:
    """Find the format of a file by its content. `head` is its beginning; the file is left anywhere."""
    return next((form for form in FORMATS if form.detect(head)), None)


def format_named(name: str) -> ImportFormat | None:
    """Find a format by its name in the API."""
    return next((form for form in FORMATS if form.name == name), None)
