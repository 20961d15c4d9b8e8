"""Selectors: the few of CSS that signatures need, as XPath."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from lxml import etree  # type: ignore[import-untyped]

_PART = re.compile(
    r"(?P<tag>^[\w-]+)|\.(?P<class>[\w-]+)|#(?P<id>[\w-]+)|\[(?P<name>[\w-]+)(?P<how>[$*^]?=)?(?P<value>[^\]]*)\]"
)
_COMPARISONS = {
    "=": "@{0}='{1}'",
    "*=": "contains(@{0},'{1}')",
    "^=": "starts-with(@{0},'{1}')",
    "$=": "substring(@{0},string-length(@{0})-string-length('{1}')+1)='{1}'",
    "": "@{0}",
}


def select(selector: str, root: Any) -> list[Any]:
    """Return the elements below `root` that match, in the order of the page; none that is inside another match."""
    found = select_all(selector, root)
    matches = set(found)
    return [element for element in found if matches.isdisjoint(element.iterancestors())]


def select_all(selector: str, root: Any) -> list[Any]:
    """Return all elements below `root` that match, in the order of the page."""
    return list(_compiled(selector)(root))


@cache
def _compiled(selector: str) -> Any:
    return etree.XPath(" | ".join(_path(alternative) for alternative in selector.split(",")))


def _path(alternative: str) -> str:
    """Translate one alternative: names of tags, classes, ids and attributes, with blanks between descendants."""
    return "".join(f"/descendant::{_step(step)}" for step in alternative.split()).removeprefix("/")


def _step(step: str) -> str:
    tag, conditions = "*", []
    for part in _PART.finditer(step):
        if part["tag"]:
            tag = part["tag"]
        elif part["class"]:
            conditions.append(f"contains(concat(' ',normalize-space(@class),' '),' {part['class']} ')")
        elif part["id"]:
            conditions.append(f"@id='{part['id']}'")
        else:
            conditions.append(_COMPARISONS[part["how"] or ""].format(part["name"], part["value"]))
    return tag + "".join(f"[{condition}]" for condition in conditions)
