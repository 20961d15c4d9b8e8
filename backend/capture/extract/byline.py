"""Bylines: author and date in the visible text of a page, for pages whose metadata lacks them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any

from htmldate import find_date
from lxml import etree  # type: ignore[import-untyped]
from trafilatura.metadata import extract_author

from backend.capture.extract.blocks import blocks_of
from backend.capture.extract.dates import MODIFIED, parse_date
from backend.capture.extract.person_names import names_in_line
from backend.capture.extract.preparation.elements import remove, text_of

_BYLINES = etree.XPath(
    "//*[contains(@class,'byline') or contains(@class,'Byline') or contains(@class,'author') or @rel='author'"
    " or @itemprop='author'][not(ancestor::nav or ancestor::footer)]"
)
_WIKIS = etree.XPath("boolean(//*[contains(concat(' ',@class,' '),' mw-parser-output ')])")
_CHANGED = re.compile(
    r"\s*(?:(?:this|the) \w+ (?:was|has been) )?(?:(?:last|zuletzt|dernière|última|ultima|laatst)\W?)?\b"
    r"(?:updated?|modifi\w+|edited|revised|changed|mise? à jour|aktualisiert|geändert|bearbeitet|actualiza\w+"
    r"|atualiza\w+|aggiorna\w+|bijgewerkt|gewijzigd)\b",
    re.IGNORECASE,
)
_NAMES_OF_CHANGE = frozenset(MODIFIED)
LONGEST_NOTE = 120  # Characters.
MOST_BYLINES, MOST_LINES = 10, 3
_PARTICLE_LENGTH = 3  # de, van, von, el, al, bin …
_INITIAL = re.compile(r"^\W*(?:Mc|O'|[dD]')?[^\W\d_a-zß-ÿ]")


def shown_author(tree: Any) -> str | None:
    """Return the names in the byline of a parsed page; None unless each looks like a name.

    A date, a button or a section may stand in the place of a byline, and no author is better than these.
    """
    lines = (names_in_line(line) for element in islice(_BYLINES(tree), MOST_BYLINES) for line in _lines(element))
    shown = next((names for names in lines if names and all(map(_is_a_name, names))), None)
    names = shown or (extract_author(tree) or "").split("; ")
    return ", ".join(names) if all(map(_is_a_name, names)) else None


def _lines(element: Any) -> Iterator[str]:
    """Yield the first lines of a byline; below the name stand a role, a day and buttons."""
    lines = (line for block in blocks_of([element]) for line in block.text.split("\n"))
    return islice(lines, MOST_LINES)


def _is_a_name(text: str) -> bool:
    words = text.split()
    capital = [bool(_INITIAL.match(word)) for word in words]
    plain = all(starts or len(word) <= _PARTICLE_LENGTH for word, starts in zip(words, capital, strict=True))
    return 2 <= len(words) <= 4 and plain and capital[0] and capital[-1] and not re.search(r"\d", text)


def shown_date(tree: Any, url: str, modified_at: datetime | None) -> datetime | None:
    """Return the day of publication that the text or URL of a parsed page states; the day of a change is none."""
    if _WIKIS(tree):
        return None  # The days of its text are those of which it tells.
    for element in list(tree.iter("*")):
        if element.tag == "meta":
            if not _NAMES_OF_CHANGE.isdisjoint(map(str.lower, element.values())):
                remove(element)
        elif _CHANGED.match((element.text or "")[:LONGEST_NOTE]):
            _remove_change(element)
    shown = parse_date(find_date(tree, url=url, original_date=True, extensive_search=False))
    return shown if shown and not (modified_at and shown.date() == modified_at.date()) else None


def _remove_change(element: Any) -> None:
    """Remove a note such as "Last edited on 3 May", or its label and what stands behind it."""
    note = text_of(element)
    follower = element.getnext()
    if len(note) <= LONGEST_NOTE and element.tag not in ("html", "body"):
        remove(element)
        if follower is not None and not re.search(r"\d", note):
            remove(follower)
