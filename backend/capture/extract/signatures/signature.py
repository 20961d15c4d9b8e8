"""What a signature is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class PageSignature:
    """A page by its markup.

    `marks` are names of classes (`.name`), ids (`#name`) and types of microdata (`@Name`): all of one of the
    alternatives stand in the page. `body` are selectors, of which the first that holds text counts; `drop` selects what
    inside it is none. Where `post` is given, the page is a thread: `body` and `author` are looked for in each post.
    """

    name: str
    marks: tuple[str, ...]
    body: tuple[str, ...]
    drop: str = ""
    post: str = ""
    author: str = ""

    def fits(self, names: frozenset[str]) -> bool:
        """Tell whether a page with these names may be one."""
        return any(names.issuperset(alternative.split()) for alternative in self.marks)


def names_in(tree: Any) -> frozenset[str]:
    """Return the names of all classes (`.name`), ids (`#name`) and types of microdata (`@Name`) of a page."""
    return frozenset(_names(tree))


def _names(tree: Any) -> Iterator[str]:
    for element in tree.iter("*"):
        if not element.attrib:
            continue
        for name in (element.get("class") or "").split():
            yield f".{name}"
        if identity := element.get("id"):
            yield f"#{identity}"
        for kind in (element.get("itemtype") or "").split():
            yield f"@{kind.rpartition('/')[2]}"
