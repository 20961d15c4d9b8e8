"""Structure: headings, notes and captions where an extractor looks for them."""

from __future__ import annotations

from typing import Any

from lxml import etree  # type: ignore[import-untyped]

from backend.capture.extract.preparation.elements import classes_of, replace, text_of

_HEAD = frozenset(("title", "meta", "link", "script", "style", "base", "noscript", "template"))
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
MAX_BOX = 5  # Elements in the box of a single heading: itself, a link, some buttons.
_BOXES = ("div", "header", "hgroup", "span")
_SECTION_TAGS = "article aside"
_NOTE_NAMES = """
    admonition note tip warning caution important danger hint callout alert footnote footnotes
    footnote-list topic sidenote marginnote theme-admonition custom-block markdown-alert docutils
"""
_NOTES = frozenset(_NOTE_NAMES.split())
_NOTE_ROLES = frozenset(("note", "doc-footnote", "doc-endnotes", "doc-tip", "doc-notice"))


def complete_body(tree: Any) -> None:
    """Move what stands in the head of a page, where its author has left the body's tag out, into its body."""
    head = tree.find("head")
    strays = [element for element in head if element.tag not in _HEAD] if head is not None else []
    if not strays:
        return
    body = tree.find("body")
    if body is None:
        body = etree.SubElement(tree, "body")
    for place, element in enumerate(strays):
        body.insert(place, element)


def unwrap_headings(tree: Any) -> None:
    """Put each heading that stands alone in a box, as on GitHub and in MediaWiki, in the place of the box."""
    for heading in list(tree.iter(*_HEADINGS)):
        box = heading.getparent()
        is_box = box is not None and box.tag in _BOXES and box.getparent() is not None and len(box) <= MAX_BOX
        if is_box and text_of(box).strip() == text_of(heading).strip():
            replace(box, None, heading)


def unwrap_notes(tree: Any) -> None:
    """Make divisions of notes and footnotes in `article aside` elements, which extractors drop as sidebars."""
    for note in tree.iter(*_SECTION_TAGS.split()):
        if note.get("role") in _NOTE_ROLES or any(map(_is_note, classes_of(note))):
            note.tag = "div"


def _is_note(name: str) -> bool:
    return name in _NOTES or name.startswith("starlight-")


def separate_citations(tree: Any) -> None:
    """Make the line of whom a quotation is, as boards write it in front, a paragraph of its own."""
    for cite in tree.iter("cite"):
        box = cite.getparent()
        is_first = box is not None and box.index(cite) == 0 and not (box.text or "").strip()
        quotation = box if box is None or box.tag == "blockquote" else box.getparent()
        if is_first and quotation is not None and quotation.tag == "blockquote" and (cite.tail or "").strip():
            cite.tag = "div"
