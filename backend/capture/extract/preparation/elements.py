"""Small operations on elements of a parsed page."""

from __future__ import annotations

from typing import Any


def classes_of(element: Any) -> list[str]:
    """Return the class names of an element, as written."""
    return (element.get("class") or "").split()


def has_class(element: Any, names: frozenset[str]) -> bool:
    """Tell whether an element has one of the class names."""
    return not names.isdisjoint(classes_of(element))


def text_of(element: Any) -> str:
    """Return all text inside an element, as written."""
    return "".join(element.itertext())


def remove(element: Any) -> None:
    """Remove an element and all that is in it; the text after it stays."""
    replace(element, None)


def replace(element: Any, text: str | None, *others: Any) -> None:
    """Put text, then other elements, in the place of an element; the text after it stays."""
    parent = element.getparent()
    if parent is None:
        return
    place = parent.index(element)
    tail, element.tail = element.tail or "", None
    parent.remove(element)
    for offset, other in enumerate(others):
        other.tail = None
        parent.insert(place + offset, other)
    _append_text(parent, place, text or "")
    _append_text(parent, place + len(others), tail)


def _append_text(parent: Any, place: int, text: str) -> None:
    """Add text before the child that stands at `place`."""
    if place == 0:
        parent.text = (parent.text or "") + text
    else:
        before = parent[place - 1]
        before.tail = (before.tail or "") + text
