"""Trimming: what an article's site puts before, between and behind its paragraphs, and what the title says already."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from backend.capture.extract.blocks import HEADINGS, ITEMS, Block
from backend.capture.extract.preparation.elements import classes_of
from backend.capture.extract.readers import compact

FIRST = 5  # Blocks among which the title stands, after a category or a date.
LONG_TEXT = 500  # Characters of an article, behind which comments are not the page.
FEWEST_CONTENTS = 2  # Items of a table of contents.
LONGEST_LABEL = 120  # Characters of a byline, a date or a label.
LONGEST_NOTE = 400  # Characters of what a site says of its author or asks of its readers.
LONG_TITLE = 20  # Letters; a shorter title may be a term of the text.
LINKED = 0.9  # Share of a line in links, which leads to another page.
PARTLY_LINKED = 0.5
SHORTEST_PROSE = 150  # Letters of the paragraph with which the text has begun.

_LEAD = re.compile(
    r"[\W_]*(?:related|recommended|read (?:more|also|next|on)|see also|also (?:read|see|on)|more(?: on| from)?|watch|"
    r"you (?:may|might) (?:also )?(?:like|enjoy|be interested)|don['’]t miss|most read|further reading|"
    r"lesen sie auch|auch interessant|mehr (?:zum thema|dazu)|zum thema|weiterlesen|"
    r"(?:à )?lire (?:aussi|également)|voir aussi|sur le même (?:sujet|thème)|"
    r"(?:le[ea]|lea) también|te puede interesar|ver también|leia (?:também|mais)|veja também|"
    r"leggi anche|lees ook|läs (?:också|mer)|les også|læs også|czytaj (?:też|także|więcej)|"
    r"читайте (?:также|ещё|еще))\b",
    re.IGNORECASE,
)
_POINTER = re.compile(r"\s*(?:[>»›→▶▸]|\.\.\.|…)")
_DATE_OR_BYLINE = re.compile(
    r"\b(?:19|20)\d\d\b|\b\d{1,2}:\d\d\b|^(?:by|von|par|por|di|door|av) \w|^(?:published|updated|posted|last (?:edited|"
    r"updated|modified))\b|\b\d+ ?(?:min(?:ute)?s?|minutos|minuten)\b|tempo de leitura|lesezeit",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"https?://\S+")
_SENTENCE = re.compile(r"[.!?…。！？:][\"'”’»)\]]*$")
_HANDLE = re.compile(
    r"\S@\w|(?<!\w)@\w|twitter|facebook|instagram|linkedin|mastodon|telegram|whatsapp|youtube", re.IGNORECASE
)
_CONTACT = re.compile(
    r"[\W_]*(?:follow|e-?mail|write to|reach|contact|tweet|find (?:us|me|him|her|them)|like us|join (?:us|our)|"
    r"folgen sie|suivez|s[ií]gu\w+|segui\w*|siga|volg|подпис\w+)\b",
    re.IGNORECASE,
)
_SIGN_UP = re.compile(
    r"[\W_]*(?:sign up|subscribe|click here to|get (?:our|the) \w+|download our|listen to|support (?:us|our)|donate|"
    r"abonn\w+|newsletter|inscri\w+|suscr\w+|assine|iscriviti)\b",
    re.IGNORECASE,
)
_CREDIT = re.compile(
    r"[\W_]*(?:sources?|quellen?|fuentes?|filed under|posted in|categor(?:y|ies)|tags?|topics?|keywords|"
    r"schlagw[öo]rte\w*|beitragsbild|titelbild|(?:photo|image|picture|foto|bild)(?:s|nachweis)?(?: credit)?)\s*:"
    r"|\(?(?:additional )?report(?:ing)? by\b.*\bedit"
    r"|(?:\d+ )?(?:comments?|kommentare?|commentaires?|comentarios?)\W*$",
    re.IGNORECASE | re.DOTALL,
)
_COMMENTS = re.compile(
    r"comments?|comments?[-_]?(?:list|area|section|wrapper|container|content|block|text|thread)|list-comments|replies"
    r"|comment-\d+|disqus\w*",
    re.IGNORECASE,
)


def trimmed(blocks: Sequence[Block], title: str | None, author: str | None) -> list[Block]:
    """Return the blocks of an article without what its site adds; all where nothing else is there."""
    rest = list(_without_leads(without_title(_without_contents(without_comments(blocks)), title)))
    while rest and _is_beginning(rest):
        rest.pop(0)
    names = [compact(name) for name in (author or "").split(",") if name.strip()]
    while (last := _last_text(rest)) is not None and _is_end(rest[last], names):
        del rest[last:]  # With the portrait of an author behind it.
    return rest if any(block.text for block in rest) else list(blocks)


def without_title(blocks: Sequence[Block], title: str | None) -> list[Block]:
    """Return the blocks without the title, which stands beside the text anyway; all where nothing else is there."""
    whole = compact(title or "")
    others = [block for place, block in enumerate(blocks) if not _is_title(block, whole, is_first=place < FIRST)]
    return others if any(block.text for block in others) else list(blocks)


def without_comments(blocks: Sequence[Block]) -> list[Block]:
    """Return the blocks that stand in no container of comments; all where these are the page."""
    known: dict[Any, bool] = {}
    others = [block for block in blocks if not _in_comments(block.element, known)]
    return others if sum(len(block.text) for block in others) >= LONG_TEXT else list(blocks)


def _in_comments(element: Any, known: dict[Any, bool]) -> bool:
    if element is None or element.tag in ("html", "body"):
        return False
    if element not in known:
        own = (*classes_of(element), element.get("id") or "")
        known[element] = any(map(_COMMENTS.fullmatch, own)) or _in_comments(element.getparent(), known)
    return known[element]


def _is_title(block: Block, title: str, *, is_first: bool) -> bool:
    letters = compact(block.text)
    if letters != title:
        return bool(letters) and is_first and block.kind in HEADINGS and title.startswith(letters)
    return bool(letters) and (is_first or len(letters) >= LONG_TITLE)


def _without_contents(blocks: Sequence[Block]) -> list[Block]:
    """Leave out tables of contents: the text has these headings itself."""
    lists = [block.frames[0] if block.frames and _leads_within(block) else None for block in blocks]
    counts = Counter(filter(None, lists))
    others = Counter(block.frames[0] for block, found in zip(blocks, lists, strict=True) if block.frames and not found)
    return [
        block
        for block, found in zip(blocks, lists, strict=True)
        if found is None or counts[found] < FEWEST_CONTENTS or others[found]
    ]


def _leads_within(block: Block) -> bool:
    """Tell whether an item is nothing but a link to a place in the same page."""
    if not _in_list(block) or not _is_link(block):
        return False
    links = [link.get("href") or "" for link in block.element.iter("a")]
    return bool(links) and all(link.startswith("#") for link in links)


def _without_leads(blocks: Sequence[Block]) -> Iterator[Block]:
    """Leave out lines such as "Read more: …", and the links that follow one."""
    is_behind_lead = False
    for block in blocks:
        is_lead = _is_lead(block)
        is_behind_lead = is_lead or (is_behind_lead and (not block.text or _is_link(block)))
        if not is_behind_lead or not block.text:
            yield block


def _is_lead(block: Block) -> bool:
    if block.kind not in HEADINGS | {"p"} or len(block.text) > LONGEST_NOTE:
        return False
    share = block.linked / len(block.text) if block.text else 0
    if match := _LEAD.match(block.text):
        return share >= PARTLY_LINKED or not re.search(r"\w", block.text[match.end() :])
    return share >= PARTLY_LINKED and _POINTER.match(block.text) is not None and not _in_list(block)


def _is_link(block: Block) -> bool:
    return bool(block.text) and block.kind in ("p", *HEADINGS) and block.linked >= LINKED * len(block.text)


def _in_list(block: Block) -> bool:
    return any(frame.tag in ITEMS for frame in block.frames)


def _is_beginning(blocks: Sequence[Block]) -> bool:
    """Tell whether a date, a byline or an address stands before the first paragraph."""
    first = blocks[0]
    if first.kind in ("pre", "table") or not first.text or len(first.text) > LONGEST_LABEL or _in_list(first):
        return False
    if not any(len(block.text) >= SHORTEST_PROSE for block in blocks[1:]) or _SENTENCE.search(first.text):
        return False
    return bool(_DATE_OR_BYLINE.search(first.text) or _ADDRESS.fullmatch(first.text))


def _is_end(block: Block, authors: Sequence[str]) -> bool:
    """Tell whether a last block introduces nothing, or is about the author, the site or the sources of pictures."""
    if block.kind in HEADINGS:
        return True
    if block.kind != "p" or not block.text or len(block.text) > LONGEST_NOTE:
        return False
    letters = compact(block.text)
    if any(len(name) > FIRST and letters.startswith(name) and letters != name for name in authors):
        return True
    if _CONTACT.match(block.text) and _HANDLE.search(block.text):
        return True
    return bool(_CREDIT.match(block.text) or (_SIGN_UP.match(block.text) and block.linked)) or _is_last_link(block)


def _last_text(blocks: Sequence[Block]) -> int | None:
    return next((place for place in reversed(range(len(blocks))) if blocks[place].text), None)


def _is_last_link(block: Block) -> bool:
    is_address = _ADDRESS.match(block.text) is not None
    return _is_link(block) and not is_address and not _in_list(block)
