"""Bylines: author and date in the visible text of a page, for pages whose metadata lacks them."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from htmldate import find_date
from trafilatura.metadata import extract_author

from backend.capture.extract.dates import parse_date

_PARTICLE_LENGTH = 3  # de, van, von, el, al, bin …
_INITIAL = re.compile(r"^\W*(?:Mc|O'|[dD]')?[^\W\d_a-zß-ÿ]")


def shown_author(tree: Any) -> str | None:
    """Return the names in the byline of a parsed page; None unless each looks like a name.

    A date, a button or a section may stand in the place of a byline, and no author is better than these.
    """
    names = (extract_author(tree) or "").split("; ")
    return ", ".join(names) if all(map(_is_a_name, names)) else None


def _is_a_name(text: str) -> bool:
    words = text.split()
    capital = [bool(_INITIAL.match(word)) for word in words]
    plain = all(starts or len(word) <= _PARTICLE_LENGTH for word, starts in zip(words, capital, strict=True))
    return 2 <= len(words) <= 4 and plain and capital[0] and capital[-1] and not re.search(r"\d", text)


def shown_date(tree: Any, url: str) -> datetime | None:
    """Return the day of publication that the text or URL of a parsed page states."""
    return parse_date(find_date(tree, url=url, original_date=True, extensive_search=False))
