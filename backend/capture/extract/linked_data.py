"""JSON-LD (schema.org) of a page, however carelessly it was written."""

from __future__ import annotations

import html
import json
import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

MAX_NODES = 5000  # Bounds the walk over one page.
MAX_REFERENCES = 4  # Depth of `{"@id": …}` references, which may be circular.

_ARTICLE = re.compile(r"article|posting|report$|review$|recipe|chapter|book$|course|howto|episode|thesis")
_PAGE = re.compile(r"page$|videoobject|product|event|dataset|software|creativework")
_SITE = re.compile(r"website")
_WRAPPING = re.compile(
    r"\A\s*(?:<!--|/\*\s*<!\[CDATA\[\s*\*/|(?://\s*)?<!\[CDATA\[)"
    r"|(?:-->|/\*\s*\]\]>\s*\*/|(?://\s*)?\]\]>|;)\s*\Z"
)
_TRAILING_COMMA = re.compile(r",(?=\s*[}\]])")
_SALVAGED = re.compile(r'"(headline|datePublished)"\s*:\s*"((?:[^"\\\n]|\\.){1,500})"')


@dataclass(frozen=True)
class LinkedData:
    """The statements about the page's main entity; None where there is none."""

    headline: str | None = None
    author: str | None = None
    site_name: str | None = None
    description: str | None = None
    published: str | None = None
    modified: str | None = None
    language: str | None = None
    image: str | None = None


def read_linked_data(scripts: Iterable[str], url: str) -> LinkedData:
    """Read all JSON-LD scripts of the page at `url`: its article, else the page itself."""
    nodes = _Graph(scripts)
    article = nodes.article(url)
    main = article or nodes.first(_PAGE) or {}
    return LinkedData(
        headline=_text(main.get("headline")) or (_text(main.get("name")) if article else None),
        author=nodes.names(main.get("author") or main.get("creator")),
        site_name=nodes.names(main.get("publisher")) or nodes.site_name(),
        description=_text(main.get("description")),
        published=_text(main.get("datePublished")) or _text(main.get("dateCreated")),
        modified=_text(main.get("dateModified")),
        language=nodes.names(main.get("inLanguage")),
        image=nodes.address(main.get("image")) or nodes.address(main.get("thumbnailUrl")),
    )


class _Graph:
    """The objects of all scripts, in reading order, with their ids."""

    def __init__(self, scripts: Iterable[str]) -> None:
        self._nodes: list[dict[str, Any]] = []
        for script in scripts:
            self._nodes += _objects(_parse(script))
        self._by_id = {node["@id"]: node for node in self._nodes if isinstance(node.get("@id"), str) and len(node) > 1}

    def first(self, kind: re.Pattern[str]) -> dict[str, Any] | None:
        return next((node for node in self._nodes if any(map(kind.search, _types(node)))), None)

    def article(self, url: str) -> dict[str, Any] | None:
        """Return the only article; of several, as on a front page, only one with this very URL."""
        articles = [node for node in self._nodes if any(map(_ARTICLE.search, _types(node)))]
        if len({_text(node.get("headline")) or _text(node.get("name")) for node in articles}) > 1:
            here = _path(url)
            articles = [node for node in articles if here and here in map(_path, self._addresses(node))]
        return articles[0] if articles else None

    def _addresses(self, node: dict[str, Any]) -> Iterator[str]:
        for value in (node.get("url"), node.get("@id"), node.get("mainEntityOfPage")):
            address = value.get("@id") or value.get("url") if isinstance(value, dict) else value
            if isinstance(address, str):
                yield address

    def site_name(self) -> str | None:
        return self.names(self.first(_SITE))

    def names(self, value: Any) -> str | None:
        """Join the names in a string, an object, a reference, or a list of any of these, by commas."""
        names = dict.fromkeys(name for item in _as_list(value) if (name := self._name(item)))
        return ", ".join(names) or None

    def _name(self, value: Any) -> str | None:
        thing = self._resolve(value)
        if isinstance(thing, dict):
            parts = [_text(thing.get("givenName")), _text(thing.get("familyName"))]
            return _text(thing.get("name")) or " ".join(filter(None, parts)) or None
        return _text(thing)

    def address(self, value: Any) -> str | None:
        """Return the first URL in a string, an image object, a reference, or a list of any of these."""
        for item in _as_list(value):
            thing = self._resolve(item)
            url = _text(thing.get("url") or thing.get("contentUrl") if isinstance(thing, dict) else thing)
            if url:
                return url
        return None

    def _resolve(self, value: Any) -> Any:
        for _ in range(MAX_REFERENCES):
            if not (isinstance(value, dict) and isinstance(value.get("@id"), str) and len(value) <= 2):
                break
            value = self._by_id.get(value["@id"], value)
        return value


def _parse(script: str) -> Any:
    """Parse a script; of one that no repair makes JSON, the few fields that can be told apart."""
    stripped = _WRAPPING.sub("", script).strip()
    for attempt in (stripped, _TRAILING_COMMA.sub("", stripped), _without_references(stripped)):
        try:
            # Real pages carry raw line ends inside strings, which strict JSON forbids.
            return json.JSONDecoder(strict=False).raw_decode(attempt)[0]
        except (ValueError, RecursionError):
            continue
    salvaged = {name: _unescaped(value) for name, value in reversed(_SALVAGED.findall(script))}
    return {"@type": "Article", **salvaged} if salvaged else None


def _without_references(text: str) -> str:
    """Replace character references such as `&amp;` by their characters."""
    try:
        return html.unescape(text)
    except ValueError:  # Python parses no number of over 4,300 digits.
        return text


def _unescaped(value: str) -> str:
    try:
        return str(json.loads(f'"{value}"', strict=False))
    except ValueError:
        return value


def _objects(value: Any) -> list[dict[str, Any]]:
    """Return every object in `value`, outer ones first. Without recursion, since the page decides the depth."""
    objects: list[dict[str, Any]] = []
    waiting = deque([value])
    for _ in range(MAX_NODES):
        if not waiting:
            break
        current = waiting.popleft()
        if isinstance(current, dict):
            objects.append(current)
            waiting += [child for child in current.values() if isinstance(child, dict | list)]
        elif isinstance(current, list):
            waiting += [child for child in current[:MAX_NODES] if isinstance(child, dict | list)]
    return objects


def _path(url: str) -> str:
    return url.partition("#")[0].partition("?")[0].partition("://")[2].partition("/")[2].rstrip("/")


def _types(node: dict[str, Any]) -> Iterator[str]:
    return (kind.lower() for kind in _as_list(node.get("@type")) if isinstance(kind, str))


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _text(value: Any) -> str | None:
    first = next((item for item in _as_list(value) if isinstance(item, str) and item.strip()), None)
    return _without_references(first).strip() if first else None
