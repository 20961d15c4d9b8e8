"""What the names of classes and ids around a block say about it."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

_PATTERNS = {
    "comments": r"comment|disqus|respond|repl(?:y|ies)",
    "footer": r"foot|copyright|legal|colophon",
    "navigation": r"nav|menu|crumb|pagin|pager|toolbar|tab",
    "related": r"relat|recommend|more|popular|trending|latest|teaser|card|read-?next|further|outbrain|taboola|promo",
    "share": r"share|social|follow|facebook|twitter",
    "advert": r"(?:^|[-_ ])ads?(?:$|[-_ ])|advert|sponsor|banner|dfp",
    "sidebar": r"side|rail|widget",
    "sign_up": r"newsletter|subscri|sign-?up|cta|donat|paywall|member|form",
    "tags": r"tag|categor|topic|keyword",
    "author": r"author|byline|(?:^|[-_ ])bio|credit|contributor|profile",
    "meta": r"meta|date|time|publish|stamp|info",
    "caption": r"caption|figure|image|photo|gallery|media|video",
    "header": r"head|hero|title|dek|standfirst|summary|lead|intro|kicker|masthead|top",
    "article": r"article|story|post|entry|blog",
    "body": r"body|content|text|main|copy|rich|prose",
}
GROUPS = tuple(_PATTERNS)
UNRELATED = frozenset(GROUPS) - {"article", "body", "header"}
_COMPILED = {name: re.compile(pattern, re.IGNORECASE) for name, pattern in _PATTERNS.items()}
_TAGS = {"nav": "navigation", "footer": "footer", "form": "sign_up", "article": "article", "main": "body"}


class NameGroups:
    """The groups of names on the way from the root of a page to each of its elements."""

    def __init__(self) -> None:
        self._known: dict[Any, frozenset[str]] = {}

    def around(self, element: Any) -> frozenset[str]:
        """Return the groups that an element or one of its ancestors below the body belongs to."""
        path = []
        while element is not None and element not in self._known:
            path.append(element)
            element = element.getparent()
        groups = self._known[element] if element is not None else frozenset()
        for step in reversed(path):
            groups = groups | own_groups(step)
            self._known[step] = groups
        return groups


def own_groups(element: Any) -> frozenset[str]:
    """Return the groups of an element's own names."""
    if element.tag in ("html", "body"):
        return frozenset()
    return _groups(element.tag, element.get("class") or "", element.get("id") or "")


@lru_cache(maxsize=4096)
def _groups(tag: str, classes: str, identity: str) -> frozenset[str]:
    names = f"{classes[:300]} {identity[:100]}"
    found = {group for group, pattern in _COMPILED.items() if names != " " and pattern.search(names)}
    return frozenset(found | ({_TAGS[tag]} if tag in _TAGS else set()))
