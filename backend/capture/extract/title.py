"""Title of a page: the choice among its statements."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import unquote, urlsplit

from backend.capture.extract.urls import host_of
from backend.text.normalisation import normalize

_SEPARATOR = re.compile(r"\s+[-–—|·•:»«/>~✩*]\s+|(?<=\w):\s+|\s+\[(?=[^\]]*\]$)")
_LEAD_IN = re.compile(r"(?:\s/|:)\s")  # As in "Example Inc.: What it is about"; after "|" and "-" sites sign.
_SIGNATURE = re.compile(r"\s+[-–—|·•»]\s+")
_CONTINUATION = re.compile(r"(?<=\w):\s+")
_DANGLING = re.compile(r"^[-–—|·•]\s|\s[-–—|·•]$")
_WORD = re.compile(r"\w+")
_CONTENT_WORD = re.compile(r"\w{5,}")  # Shorter words are mostly articles, pronouns and prepositions.

# Links that headings carry to themselves: a pilcrow, a section sign, a chain, an anchor, an icon of a private font. A
# number sign is one behind a blank only.
_PERMALINKS = ("¶", "§", "\U0001f517", "\u2693", "\uf0c1", " #")

_CUT = re.compile(r"\s*(?:…|\.\.\.)$")

VARIANT_SHARE = 0.8
SHORTEST_HOST = 5  # Letters of a name by which a title that begins with it names the site.
SHORTEST_HEADING = 3  # Words.
MAX_CONSIDERED = 1_000  # Characters; a title of ten thousand separators would take minutes.


def choose_title(
    metadata: Iterable[str | None], element: str | None, headings: Iterable[str], site_names: Iterable[str]
) -> str | None:
    """Choose the headline as the page shows it, else as it states it, without the site's name.

    Args:
        metadata: titles stated for other programs (JSON-LD, Open Graph, …), the most reliable first.
        element: the content of `<title>`.
        headings: the texts of all `<h1>`. The only one is the headline where it shares a word with the metadata, or
            where there is no metadata and it is a part of `element`. Others are logos, sections and teasers.
        site_names: the names of the site.
    """
    sites = {_compact(name) for name in site_names} - {""}
    titles = [title[:MAX_CONSIDERED] for title in metadata if title]
    element = (element or "")[:MAX_CONSIDERED]
    stated = next((stripped for title in titles if (stripped := _without_site(title, sites))), None)
    whole = _without_site(element, sites)
    shown = {key: heading for heading in headings if (key := _compact(heading)) and key not in sites}
    if stated:
        headline = _only_headline(shown, stated, element) or _signed_headline(shown, stated, element)
        return headline or _uncut(shown, stated) or stated
    if whole:
        return _headline_within(shown, whole) or _named_file(shown, whole) or whole
    # A front page is titled by the site's name.
    return next(iter([*shown.values(), *titles, element]), None) or None


def without_permalink(heading: str) -> str:
    """Remove the sign of a link to the heading itself from its end; "C#" stays."""
    shown = heading.rstrip().removesuffix("\ufe0f")
    sign = next((sign for sign in _PERMALINKS if shown.endswith(sign)), "")
    return (sign and shown.removesuffix(sign).rstrip()) or heading.strip()


def without_kicker(title: str, kicker: str | None) -> str:
    """Remove the topic in front of a headline: "Energy: The wind turns" is "The wind turns"."""
    topic = _compact(kicker or "")
    ends = (end for start, end in _separators(title) if topic and _compact(title[:start]) == topic)
    return title[next(ends, 0) :] or title


def names_site_only(title: str, heading: str, url: str) -> bool:
    """Tell whether a title begins with the name of the host and says nothing of the page that its heading says."""
    begins = any(
        len(name) >= SHORTEST_HOST and _compact(title).startswith(_compact(name)) for name in names_of_host(url)
    )
    is_heading = len(_WORD.findall(heading)) >= SHORTEST_HEADING
    return begins and is_heading and not _is_front_page(url) and not _share_a_word(title, heading)


def _is_front_page(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:  # A page may state an impossible address.
        return True
    return parts.path in ("", "/") and not parts.query


def address_title(url: str) -> str | None:
    """Return host and path of a URL, the title of a page that has no words."""
    try:
        path = unquote(urlsplit(url).path).rstrip("/")
    except ValueError:
        path = ""
    return host_of(url) + path or None


def names_of_host(url: str) -> Iterator[str]:
    """Yield names that the host of a URL suggests for the site: `www.example.co.uk`, `example.co.uk`, `example`."""
    host = host_of(url).removeprefix("www.")
    yield from (host, f"www.{host}", *host.split(".")[:-1])


def agrees_with(title: str, others: Iterable[str | None]) -> bool:
    """Tell whether one of `others` contains `title` or is a part of it, ignoring punctuation."""
    key = _compact(title)
    return any(key in other or other in key for other in map(_compact, filter(None, others)) if other)


def _only_headline(shown: Mapping[str, str], stated: str, element: str) -> str | None:
    if len(shown) != 1:
        return None
    key, heading = next(iter(shown.items()))
    signs_the_title = any(_compact(element[end:]) == key for _, end in _separators(element))
    if signs_the_title or agrees_with(heading, [stated]) or not _share_a_word(heading, stated):
        return None
    if _are_variants(heading, stated):
        return None
    return heading


def _are_variants(first: str, second: str) -> bool:
    """Tell whether two titles differ in a word or a sign only: the stated one is then more reliable."""
    words, others = (set(_WORD.findall(text.casefold())) for text in (first, second))
    return len(words & others) >= VARIANT_SHARE * len(words | others)


def _signed_headline(shown: Mapping[str, str], stated: str, element: str) -> str | None:
    """Return the only headline where the stated title is that and the sign of an unnamed site, as `<title>` is."""
    if len(shown) != 1 or _compact(element) != _compact(stated):
        return None
    key, heading = next(iter(shown.items()))
    is_signed = any(_compact(stated[: match.start()]) == key for match in _SIGNATURE.finditer(stated))
    return heading if is_signed else None


def _uncut(shown: Mapping[str, str], stated: str) -> str | None:
    """Return the headline of which the stated title is the beginning, cut off."""
    key = _compact(stated) if _CUT.search(stated) else ""
    return next((heading for whole, heading in shown.items() if key and whole.startswith(key)), None)


def _headline_within(shown: Mapping[str, str], whole: str) -> str | None:
    tails = {_compact(whole[match.end() :]) for match in _LEAD_IN.finditer(whole)}
    # After a colon the title goes on: "RFC 9999: The Lamp Protocol".
    unfinished = {_compact(whole[: match.start()]) for match in _CONTINUATION.finditer(whole)}
    parts = [key for key in shown if (_compact(whole).startswith(key) and key not in unfinished) or key in tails]
    return shown[max(parts, key=len)] if parts else None


def _named_file(shown: Mapping[str, str], whole: str) -> str | None:
    """Return the only headline where the title is a single word of it, such as the name of a file."""
    headings = list(shown.values())
    is_word = len(headings) == 1 and whole.casefold() in _WORD.findall(headings[0].casefold())
    return headings[0] if is_word else None


def _share_a_word(first: str, second: str) -> bool:
    words, others = (set(_CONTENT_WORD.findall(text.casefold())) for text in (first, second))
    return not words.isdisjoint(others)


def _without_site(title: str, sites: set[str]) -> str | None:
    """Remove the segments at the ends of `title` that name the site; None when nothing else is left."""
    for start, _ in reversed(_separators(title)):
        if _compact(title[start:]) in sites:
            title = title[:start]
    for _, end in _separators(title):
        if _compact(title[:end]) in sites:
            title = title[end:]
            break
    title = _DANGLING.sub("", title).strip()
    return title if _compact(title) and _compact(title) not in sites else None


def _separators(title: str) -> list[tuple[int, int]]:
    return [match.span() for match in _SEPARATOR.finditer(title)]


def _compact(text: str) -> str:
    """Reduce `text` to its letters and digits, without case or width, for comparison."""
    return "".join(filter(str.isalnum, normalize("NFKC", text).casefold()))
