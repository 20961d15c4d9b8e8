"""The formats of import files, in the order in which they are tried: what has telling marks before what would fit many.

In comes a file's start or a format's name; out comes the format with its reader, or None. Called by the import.
A new format is one module with a `FORMAT`, and one line here.
"""

from __future__ import annotations

from typing import BinaryIO

from backend.transfer.formats import (
    chrome_json,
    firefox_json,
    generic_csv,
    instapaper_csv,
    json_list,
    karakeep_json,
    linkwarden_json,
    netscape_html,
    omnivore_json,
    pinboard_json,
    pocket_csv,
    pocket_html,
    raindrop_csv,
    readability_json,
    shaarli_json,
    url_list,
    wallabag_json,
    zip_archive,
)
from backend.transfer.reading.bounds import HEAD_BYTES, LONG_HEAD_BYTES
from backend.transfer.reading.json_shape import json_paths
from backend.transfer.records import ImportFormat

# Fuze's own exports, such as `fuze_json`, have their place at the top.
_OF_ONE_FILE: tuple[ImportFormat, ...] = (
    chrome_json.FORMAT,
    firefox_json.FORMAT,
    karakeep_json.FORMAT,
    linkwarden_json.FORMAT,
    readability_json.FORMAT,
    wallabag_json.FORMAT,
    omnivore_json.FORMAT,
    pinboard_json.FORMAT,
    shaarli_json.FORMAT,
    json_list.FORMAT,
    pocket_html.FORMAT,
    netscape_html.FORMAT,
    instapaper_csv.FORMAT,
    pocket_csv.FORMAT,
    raindrop_csv.FORMAT,
    generic_csv.FORMAT,
    url_list.FORMAT,
)


def _detect(head: bytes, file: BinaryIO, formats: tuple[ImportFormat, ...]) -> ImportFormat | None:
    """Try the start, then a longer one of JSON: its first entry may hold a whole page before the telling fields."""
    if (format_ := _first(head[:HEAD_BYTES], formats)) or len(head) < HEAD_BYTES or not json_paths(head[:HEAD_BYTES]):
        return format_
    file.seek(0)
    long_head = file.read(LONG_HEAD_BYTES)
    file.seek(0)
    return _first(long_head, formats)


def _first(head: bytes, formats: tuple[ImportFormat, ...]) -> ImportFormat | None:
    return next((candidate for candidate in formats if candidate.detect(head)), None)


FORMATS: tuple[ImportFormat, ...] = (
    zip_archive.zip_format(lambda head, file: _detect(head, file, _OF_ONE_FILE)),
    *_OF_ONE_FILE,
)


def detect_format(head: bytes, file: BinaryIO) -> ImportFormat | None:
    """Return the format that a file has by its content; `head` are its first bytes, up to 64 KiB."""
    return _detect(head, file, FORMATS)


def format_named(name: str) -> ImportFormat | None:
    """Return the format with this name in the API."""
    return next((candidate for candidate in FORMATS if candidate.name == name), None)
