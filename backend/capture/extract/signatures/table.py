"""The table of signatures, and the search in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lxml import etree, html  # type: ignore[import-untyped]

from backend.capture.extract.preparation.elements import remove, text_of
from backend.capture.extract.signatures.documentation import DOCUMENTATION
from backend.capture.extract.signatures.reference import REFERENCE
from backend.capture.extract.signatures.repositories import REPOSITORIES
from backend.capture.extract.signatures.selectors import select, select_all
from backend.capture.extract.signatures.signature import PageSignature
from backend.capture.extract.signatures.threads import THREADS

# Threads first: their posts are written in the markup of other signatures.
SIGNATURES: tuple[PageSignature, ...] = (*THREADS, *DOCUMENTATION, *REFERENCE, *REPOSITORIES)
MAX_AUTHOR = 80  # Characters; longer texts are no names.


def find_roots(tree: Any, names: frozenset[str]) -> list[Any]:
    """Return the elements that hold the text of a prepared page with these names; none where no signature fits."""
    for signature in SIGNATURES:
        if signature.fits(names) and (roots := _roots(signature, tree)):
            for root in roots:
                _drop(signature.drop, root)
                # The text itself is no quotation, whatever element holds it.
                root.tag = "div" if root.tag == "blockquote" else root.tag
            return roots
    return []


def _drop(selector: str, root: Any) -> None:
    for element in select(selector, root) if selector else ():
        if element is not root:
            remove(element)


def _roots(signature: PageSignature, tree: Any) -> list[Any]:
    if signature.post:
        return list(_thread(signature, tree))
    for selector in signature.body:
        if roots := [element for element in select(selector, tree) if text_of(element).strip()]:
            return roots
    return []


def _thread(signature: PageSignature, tree: Any) -> Iterator[Any]:
    posts = select_all(signature.post, tree)
    known = set(posts)
    for post in posts:
        bodies = [body for body in _bodies(signature, post) if _nearest(body, known) is post]
        if not bodies:
            continue
        yield from _author(signature, post, known)
        yield from bodies


def _bodies(signature: PageSignature, post: Any) -> list[Any]:
    for selector in signature.body:
        if bodies := [body for body in select(selector, post) if text_of(body).strip()]:
            return bodies
    return []


def _nearest(element: Any, posts: set[Any]) -> Any:
    return next((ancestor for ancestor in element.iterancestors() if ancestor in posts), None)


def _author(signature: PageSignature, post: Any, posts: set[Any]) -> Iterator[Any]:
    """Write the name above a post as a paragraph of its own."""
    for element in select(signature.author, post):
        name = " ".join(text_of(element).split())
        if _nearest(element, posts) is post and 0 < len(name) <= MAX_AUTHOR:
            paragraph = html.Element("p")
            etree.SubElement(paragraph, "strong").text = name
            yield paragraph
            return
