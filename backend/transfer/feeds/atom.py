"""A feed as an Atom document (RFC 4287)."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from lxml import etree  # type: ignore[import-untyped]
from lxml.builder import ElementMaker  # type: ignore[import-untyped]
from sqlalchemy import Row

from backend.text.xml_text import xml_text
from backend.transfer.feeds.service import FeedContent

ATOM = "http://www.w3.org/2005/Atom"
MEDIA_TYPE = "application/atom+xml"
E = ElementMaker(namespace=ATOM, nsmap={None: ATOM})


def write_atom(content: FeedContent) -> bytes:
    """Write the document. The address of the feed itself is not told in it: it is a secret."""
    # Names must stay the same, whatever address a reader asks.
    host = urlsplit(content.site).hostname or "localhost"
    updated = max((row.updated_at for row in content.entries), default=content.created_at)
    feed = E.feed(
        E.title(xml_text(content.name)),
        E.id(_name(host, "feeds", content.id)),
        E.updated(_moment(updated)),
        E.generator("Fuze"),
        *(_entry(host, row) for row in content.entries),
    )
    document: bytes = etree.tostring(feed, xml_declaration=True, encoding="utf-8")
    return document


def _entry(host: str, row: Row[Any]) -> etree._Element:
    return E.entry(
        E.title(xml_text(row.title or row.url)),
        E.link(href=xml_text(row.url)),
        E.id(_name(host, "bookmarks", row.id)),
        E.published(_moment(row.created_at)),
        E.updated(_moment(row.updated_at)),
        # RFC 4287, 4.2.1: every entry has an author where the feed has none.
        E.author(E.name(xml_text(urlsplit(row.url).hostname or "unknown"))),
        *([E.summary(xml_text(row.description), type="text")] if row.description else []),
        *(E.category(term=xml_text(name)) for name in row.tags),
    )


def _name(host: str, kind: str, number: int) -> str:
    # RFC 4151: a name that stays the same when the address of the server changes its scheme or path.
    return f"tag:{host},2026:{kind}/{number}"


def _moment(value: datetime) -> str:
    return value.isoformat().replace("+00:00", "Z")
