"""Netscape's bookmark file, as browsers and linkding write and read it.

Beside what all of them know (ADD_DATE and LAST_MODIFIED in seconds, TAGS, PRIVATE, TOREAD, DD) it carries FAVORITE.
Notes stand within the description between linkding's marks, and what is archived bears linkding's tag.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from html import escape
from typing import Any

from sqlalchemy import ARRAY, BigInteger, ColumnElement, Row, any_, exists, literal, select

from backend.bookmarks.models import Bookmark
from backend.projects.models import ProjectBookmark
from backend.transfer.escapes import ARCHIVED_TAG, MARK, escape_line, escape_text, write_tags
from backend.transfer.export.projects import project_names
from backend.transfer.export.selection import ExportSelection

HEAD = f"""<!DOCTYPE NETSCAPE-Bookmark-file-1>
<META HTTP-EQUIV="Content-Type" CONTENT="text/html; charset=UTF-8">
{MARK}
<TITLE>Bookmarks</TITLE>
<H1>Bookmarks</H1>
<DL><p>
"""
TAIL = "</DL><p>\n"


def write_html(selection: ExportSelection, *, with_folders: bool) -> Iterator[str]:
    """Write the bookmarks, under a folder for each project where that is asked for."""
    yield HEAD
    names = project_names(selection) if with_folders else {}
    for project_id, name in names.items():
        yield from _folder(name, _lines(selection, _in_any([project_id])))
    yield from _lines(selection, *([~_in_any(names)] if names else []))
    yield TAIL


def _in_any(project_ids: Iterable[int]) -> ColumnElement[bool]:
    one_of = ProjectBookmark.project_id == any_(literal(list(project_ids), ARRAY(BigInteger)))
    return exists(select(ProjectBookmark.project_id).where(ProjectBookmark.bookmark_id == Bookmark.id, one_of))


def _folder(name: str, lines: Iterable[str]) -> Iterator[str]:
    begun = False
    for part in lines:
        if not begun:
            yield f"<DT><H3>{escape(escape_line(name))}</H3>\n<DL><p>\n"
        begun = True
        yield part
    if begun:
        yield TAIL


def _lines(selection: ExportSelection, *also: ColumnElement[bool]) -> Iterator[str]:
    for rows in selection.batches(*also):
        yield "".join(map(_bookmark, rows))


def _bookmark(row: Row[Any]) -> str:
    tags = write_tags(row.tags)
    if row.is_archived:
        tags = ",".join(filter(None, (tags.removesuffix(","), ARCHIVED_TAG)))
    attributes = {
        "HREF": row.url,
        "ADD_DATE": _seconds(row.created_at),
        "LAST_MODIFIED": _seconds(row.updated_at),
        "PRIVATE": "1",
        "TOREAD": "0" if row.is_read else "1",
        **({"FAVORITE": "1"} if row.is_favorite else {}),
        **({"TAGS": tags} if tags else {}),
    }
    written = " ".join(f'{name}="{escape(value)}"' for name, value in attributes.items())
    return f"<DT><A {written}>{escape(escape_line(row.title))}</A>\n{_details(row)}"


def _details(row: Row[Any]) -> str:
    notes = f"[linkding-notes]{escape_text(row.notes)}[/linkding-notes]" if row.notes else ""
    text = escape_text(row.description) + notes
    return f"<DD>{escape(text)}\n" if text else ""


def _seconds(moment: datetime) -> str:
    return str(int(moment.timestamp() // 1))
