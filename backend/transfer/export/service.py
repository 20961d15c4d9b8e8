"""Exports: checked and begun within the request, sent after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from flask import Flask

from backend.actor import Actor
from backend.bookmarks.list_filters import filter_conditions
from backend.clock import utc_now
from backend.extensions import application
from backend.redis.leased_slots import LeasedSlot
from backend.transfer.export.account_json import write_json
from backend.transfer.export.bookmark_csv import write_csv
from backend.transfer.export.netscape_html import write_html
from backend.transfer.export.schemas import ExportQuery, FileFormat
from backend.transfer.export.selection import MOST_AT_ONCE, ExportSelection, acquire_export_slot, read_page

MEDIA_TYPES: dict[FileFormat, str] = {"html": "text/html", "json": "application/json", "csv": "text/csv"}
LEASE_SECONDS = 300.0
# Not among the filters: what the file is to look like.
OF_THE_FILE = {"format", "include", "folders"}


@dataclass(frozen=True)
class ExportFile:
    """A file that is made while it is sent. A fault in the middle is raised by `pieces`: the server then cuts the
    connection, so that no client takes the part for the whole. `close` must be called in the end, read or not."""

    name: str
    media_type: str
    pieces: Iterator[bytes]
    close: Callable[[], None]


def export_bookmarks(actor: Actor, query: ExportQuery) -> ExportFile:
    """Begin an export: the filters are checked, and the first ids read.

    Raises:
        Invalid: the filters are too many.
        TooManyRequests: the person has as many exports under way as one may have.
    """
    slot = LeasedSlot(f"export-streams:{actor.user_id}", MOST_AT_ONCE, LEASE_SECONDS)
    acquire_export_slot(slot)
    try:
        selection = _select(actor, query, slot)
    except BaseException:
        slot.release()
        raise
    close = partial(_release, application(), slot)
    pieces = _encoded(_write(selection, query), close)
    return ExportFile(_name(query.format), MEDIA_TYPES[query.format], pieces, close)


def _select(actor: Actor, query: ExportQuery, slot: LeasedSlot) -> ExportSelection:
    whole = query.model_copy(update={"is_archived": query.is_archived or "any"})
    conditions = filter_conditions(actor, whole)
    with_pages = query.include == "content" and query.format == "json"
    first = read_page(conditions, 0, with_pages=with_pages)
    filters = whole.model_dump(exclude_defaults=True, exclude=OF_THE_FILE)
    has_filters = filters != {"is_archived": "any"}
    return ExportSelection(application(), actor, conditions, first, has_filters, with_pages, slot)


def _write(selection: ExportSelection, query: ExportQuery) -> Iterator[str]:
    if query.format == "html":
        return write_html(selection, with_folders=query.folders)
    return write_csv(selection) if query.format == "csv" else write_json(selection)


def _encoded(pieces: Iterator[str], close: Callable[[], None]) -> Iterator[bytes]:
    try:
        for piece in pieces:
            yield piece.encode()
    finally:
        close()


def _release(app: Flask, slot: LeasedSlot) -> None:
    with app.app_context():
        slot.release()


def _name(file_format: FileFormat) -> str:
    return f"fuze-bookmarks-{utc_now():%Y-%m-%d}.{file_format}"
