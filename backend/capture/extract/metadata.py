"""Metadata of a page: the choice among its statements for each field."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from backend.capture.extract.article import Article
from backend.capture.extract.dates import MODIFIED, parse_date
from backend.capture.extract.escapes import unescape_twice_escaped
from backend.capture.extract.linked_data import LinkedData, read_linked_data
from backend.capture.extract.page import MAX_DESCRIPTION, MAX_NAME, MAX_TITLE
from backend.capture.extract.person_names import given_name_first, without_address, without_by, without_role
from backend.capture.extract.scan import PageScan, scan_html
from backend.capture.extract.text import cut_line
from backend.capture.extract.title import (
    agrees_with,
    choose_title,
    names_of_host,
    names_site_only,
    without_kicker,
    without_permalink,
)
from backend.capture.extract.urls import absolute_url, host_of

MAX_SITE_NAME = 80  # Longer ones are slogans, or the page's title once more.
MAX_URL = 2048

_TITLE = ("citation_title", "dc:title", "dc.title", "dcterms.title")
_BIBLIOGRAPHIC_AUTHOR = ("citation_author", "dc:creator", "dc.creator", "dcterms.creator")
_AUTHOR = (
    *_BIBLIOGRAPHIC_AUTHOR,
    "author",
    "parsely-author",
    "article:author",
    "og:article:author",
    "sailthru.author",
    "byl",
)
_DESCRIPTION = ("og:description", "description", "twitter:description", "dc.description")
_PUBLISHED = (
    *("article:published_time", "og:published_time", "datepublished", "citation_publication_date"),
    *("citation_date", "dcterms.issued", "dc.date.issued", "dcterms.created", "dc.date", "dcterms.date"),
    *("parsely-pub-date", "sailthru.date", "pubdate", "publish-date", "date"),
)
_LANGUAGE = ("content-language", "og:locale", "language", "dc.language")
_IMAGE = (
    *("og:image:secure_url", "og:image", "og:image:url", "twitter:image", "twitter:image:src", "image"),
    "image_src",
)
_LANGUAGE_TAG = re.compile(r"([A-Za-z]{2,3})(?:[-_].*)?\Z", re.DOTALL)
# A start tag alone may be meant: "Why AT&T <b> ...".
_MARKUP = re.compile(r"</[A-Za-z]|<(?:br|hr|img|p)\b|<!--", re.IGNORECASE)


@dataclass(frozen=True)
class PageMetadata:
    """All fields of a page but its body; None where the page states nothing usable."""

    title: str | None = None
    author: str | None = None
    site_name: str | None = None
    description: str | None = None
    published_at: datetime | None = None
    modified_at: datetime | None = None
    language: str | None = None
    image_url: str | None = None

    def stored(self) -> dict[str, Any]:
        """Return the fields that a page keeps: the day of a change only tells that it is not that of publication."""
        return {name: value for name, value in asdict(self).items() if name != "modified_at"}


def read_metadata(scan: PageScan, url: str, base_url: str) -> PageMetadata:
    """Read what the page at `url` states of itself; its relative URLs are resolved against `base_url`."""
    linked = read_linked_data(scan.linked_data, url)
    site_name = _site_name(scan, linked)
    return PageMetadata(
        title=cut_line(_title(scan, linked, site_name, url), MAX_TITLE),
        author=cut_line(_author(scan, linked), MAX_NAME),
        site_name=cut_line(site_name, MAX_SITE_NAME),
        description=cut_line(_description(scan, linked), MAX_DESCRIPTION),
        published_at=_moment(scan, linked.published, _PUBLISHED),
        modified_at=_moment(scan, linked.modified, MODIFIED),
        language=_language(scan, linked),
        image_url=_image(scan, linked, base_url),
    )


def complete_metadata(metadata: PageMetadata, article: Article) -> PageMetadata:
    """Add the author and the day that only the byline shows."""
    author = metadata.author or cut_line(next(_usable_names([article.author]), None), MAX_NAME)
    published_at = metadata.published_at or article.published_at(metadata.modified_at)
    return replace(metadata, author=author, published_at=published_at)


def _title(scan: PageScan, linked: LinkedData, site_name: str | None, url: str) -> str | None:
    # A page from a mirror or an archive states its original URL.
    addresses = list(filter(None, (url, scan.canonical, scan.stated("og:url"))))
    hosts = (name for address in addresses for name in names_of_host(address))
    sites = [*filter(None, (site_name, linked.site_name)), *hosts]
    # Bibliographic tags of libraries and journals state the title most reliably.
    headings = [without_permalink(heading) for heading in scan.headings]
    if work := choose_title([_plain(scan.stated(*_TITLE), headings, [scan.title])], None, [], sites):
        return work
    headline = linked.headline
    shared = [_plain(scan.stated(name), headings, [scan.title]) for name in ("og:title", "twitter:title")]
    element = _plain(scan.title, headings, shared)
    # Some sites, such as Wikipedia, put a description there, which agrees with no other title.
    if headline and not agrees_with(headline, [*shared, element, *headings]):
        headline = None
    title = choose_title([headline, *shared], element, headings, sites)
    if title and not (headline or any(shared) or headings):
        return _unstated_title(scan, title, addresses)
    return title and without_kicker(title, scan.kicker)


def _unstated_title(scan: PageScan, title: str, addresses: Iterable[str]) -> str:
    """Return the heading that microdata calls the headline, or the first where the title only names the site."""
    if len(scan.marked_headings) == 1:
        return without_permalink(scan.marked_headings[0])
    first = without_permalink(scan.first_heading or "")
    return first if any(names_site_only(title, first, address) for address in addresses) else title


def _plain(title: str | None, *evidence: Sequence[str | None]) -> str | None:
    return title and without_permalink(unescape_twice_escaped(title, *evidence))


def _site_name(scan: PageScan, linked: LinkedData) -> str | None:
    stated = (scan.stated("og:site_name"), linked.site_name)
    name = next((name for name in stated if name and len(name) <= MAX_SITE_NAME), None)
    if name and name.startswith(("http://", "https://")):
        return host_of(name).removeprefix("www.") or None
    return name and unescape_twice_escaped(name.lstrip("@"))


def _author(scan: PageScan, linked: LinkedData) -> str | None:
    return next(
        _usable_names([linked.author, *(", ".join(dict.fromkeys(_names(scan, meta))) for meta in _AUTHOR)]), None
    )


def _usable_names(stated: Iterable[str | None]) -> Iterator[str]:
    for author in stated:
        # Many pages state the URL of a profile instead of a name.
        name = without_address(author or "")
        if name and "://" not in name and "@" not in name:
            yield without_role(without_by(unescape_twice_escaped(name)))


def _names(scan: PageScan, meta: str) -> list[str]:
    names = scan.meta.get(meta, [])[:10]
    return list(map(given_name_first, names)) if meta in _BIBLIOGRAPHIC_AUTHOR else names


def _moment(scan: PageScan, linked: str | None, names: Iterable[str]) -> datetime | None:
    stated = (linked, *(value for name in names for value in scan.meta.get(name, ())))
    return next((moment for text in stated if (moment := parse_date(text))), None)


def _language(scan: PageScan, linked: LinkedData) -> str | None:
    stated = (scan.language, *(scan.stated(name) for name in _LANGUAGE), linked.language)
    tags = (_LANGUAGE_TAG.match(tag.strip()) for tag in stated if tag)
    return next((tag[1].lower() for tag in tags if tag), None)


def _image(scan: PageScan, linked: LinkedData, base_url: str) -> str | None:
    stated = (*(scan.stated(name) for name in _IMAGE), linked.image)
    addresses = (absolute_url(address, base_url) for address in stated if address)
    return next((address for address in addresses if address and len(address) <= MAX_URL), None)


def _description(scan: PageScan, linked: LinkedData) -> str | None:
    stated = scan.stated(*_DESCRIPTION) or linked.description
    stated = stated and unescape_twice_escaped(stated, [scan.text])
    return scan_html(stated).text if stated and _MARKUP.search(stated) else stated
