"""Declarative refreshes of HTML pages, which lead on like redirects.

The rules are those of browsers (https://html.spec.whatwg.org/#attr-meta-http-equiv-refresh). Browsers run scripts, so
they ignore what stands in `<noscript>`: it leads to a page for browsers without scripts.
"""

from __future__ import annotations

import html
import re
from urllib.parse import urljoin

import httpx

MAX_DELAY_SECONDS = 5
# A page that leads on is short; what stands behind this many bytes is not looked at.
SCANNED_BYTES = 64 * 1024
# Longer pages are documents, and following them would keep their bodies' memory reserved.
LONGEST_PAGE = 1024 * 1024
HTML_TYPES = frozenset(("text/html", "application/xhtml+xml", "application/vnd.wap.xhtml+xml"))

_MENTION = re.compile(rb"""http-equiv\s*+=\s*+["']?\s*+refresh""", re.IGNORECASE)
_WIDE_MARKS = {b"\xff\xfe": "utf_16_le", b"\xfe\xff": "utf_16_be"}
# What contains no elements, and what belongs to another document; what has no end takes the rest of the page.
_OPAQUE = "iframe|noembed|noframes|noscript|script|style|svg|template|textarea|title|xmp"
_TOKEN = re.compile(
    rf"""<!--(?:.*?-->|.*)
       | <({_OPAQUE})\b[^>]*+(?:>(?:.*?</\1\b|.*))?
       | <(?P<tag>base|meta)\b(?P<attributes>(?:[^>"']|"[^"]*+"|'[^']*+')*+)(?:>|.*)""",
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)
_ATTRIBUTE = re.compile(r"""([^\s"'>/=]++)(?:\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s"'>]++)))?+""")
# In attributes, browsers leave a reference without a semicolon alone: "?a=1&copy=2".
_REFERENCE = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_BLANK = r"[ \t\n\f\r]*+"
_REFRESH = re.compile(
    rf"{_BLANK}(?:([0-9]++)|(?=\.))[0-9.]*+(?:{_BLANK}[;,]{_BLANK}|[ \t\n\f\r]++)(?:url{_BLANK}={_BLANK})?+(.+)",
    re.IGNORECASE | re.DOTALL,
)


def refresh_target(body: bytes, headers: httpx.Headers, media_type: str, url: str) -> str | None:
    """Return the URL that a page leads on to within five seconds, by its header or markup; None if it stays."""
    stated = headers.get("refresh")
    if stated is None and media_type in HTML_TYPES and len(body) <= LONGEST_PAGE:
        stated, url = _stated_refresh(body[:SCANNED_BYTES], url)
    target = parse_refresh(stated or "")
    if target is None:
        return None
    absolute = _joined(url, target)
    # A page that reloads itself stays.
    is_same = absolute.partition("#")[0] == url.partition("#")[0]
    return None if is_same or absolute[:11].lower() == "javascript:" else absolute


def parse_refresh(content: str) -> str | None:
    """Return the URL in the value of a refresh; None where there is none, or it follows after more than 5 s."""
    match = _REFRESH.match(content)
    if match is None or int((match[1] or "0")[:9]) > MAX_DELAY_SECONDS:
        return None
    target = match[2]
    if target[0] in "\"'":
        target = target[1:].partition(target[0])[0]
    return target.strip(" \t\n\f\r") or None


def _stated_refresh(head: bytes, url: str) -> tuple[str | None, str]:
    """Return the value of the first refresh in the beginning of a page, and the URL that it is relative to."""
    codec = _WIDE_MARKS.get(head[:2])
    if not codec and not _MENTION.search(head):
        return None, url
    base = url
    for token in _TOKEN.finditer(_decoded(head, codec)):
        named = _attributes(token["attributes"] or "")
        if token["tag"] is None:
            continue
        if token["tag"].lower() == "base" and base == url and "href" in named:
            base = _joined(url, named["href"])
        elif named.get("http-equiv", "").strip().lower() == "refresh" and _REFRESH.match(named.get("content", "")):
            return named["content"], base
    return None, url


def _decoded(head: bytes, codec: str | None) -> str:
    if codec:
        return head.decode(codec, "replace")
    try:
        return head.decode()
    except UnicodeDecodeError:
        return head.decode("latin-1")


def _attributes(text: str) -> dict[str, str]:
    """Return the attributes of a tag by their lower-case names, the first of each."""
    named: dict[str, str] = {}
    for name, *values in _ATTRIBUTE.findall(text):
        value = _REFERENCE.sub(lambda match: html.unescape(match[0]), "".join(values))
        named.setdefault(name.lower(), value)
    return named


def _joined(base: str, target: str) -> str:
    try:
        return urljoin(base, target)
    except ValueError:
        return target
