"""Title of a page: the choice among its statements."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from backend.capture.extract.urls import host_of
from backend.text.normalisation import normalize

_SEPARATOR = re.compile(r"\s+[-–—|·•:»«/>~✩*]\s+|(?<=\w):\s+|\s+\[(?=[^\]]*\]$)")
_LEAD_IN = re.compile(r"(?:\s/|:)\s")  # As in "Example Inc.: What it is about"; after "|" and "-" sites sign.
_DANGLING = re.compile(r"^[-–—|·•]\s|\s[-–—|·•]$")
_WORD = re.compile(r"\w+")
_CONTENT_WORD = re.compile(r"\w{5,}")  # Shorter words are mostly articles, pronouns and prepositions.

_FILE_NAME = re.compile(r"[a-z0-9_.-]+")
_SUFFIX = re.compile(r"\s+[-–—|·•»]\s+\S.*")
MAX_SUFFIX_WORDS = 4  # The sign and the site's name.

VARIANT_SHARE = 0.8
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
        return _only_headline(shown, stated, element) or _without_suffix(shown, stated, element) or stated
    if whole:
        return _headline_within(shown, whole) or _headline_around(shown, whole) or whole
    # A front page is titled by the site's name.
    return next(iter([*shown.values(), *titles, element]), None) or None


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


def _headline_within(shown: Mapping[str, str], whole: str) -> str | None:
    tails = {_compact(whole[match.end() :]) for match in _LEAD_IN.finditer(whole)}
    parts = [key for key, heading in shown.items() if _begins(whole, heading, key) or key in tails]
    return shown[max(parts, key=len)] if parts else None


def _begins(whole: str, heading: str, key: str) -> bool:
    """Tell whether a title begins with a heading, and does not go on after a colon."""
    return _compact(whole).startswith(key) and not whole[len(heading) :].lstrip().startswith(":")


def _headline_around(shown: Mapping[str, str], whole: str) -> str | None:
    """Return the only heading where the title is a single word of it, as the file name of a notebook is."""
    is_file_name = _FILE_NAME.fullmatch(whole) is not None
    return next((heading for heading in shown.values() if is_file_name and len(shown) == 1 and whole in heading), None)


def _without_suffix(shown: Mapping[str, str], stated: str, element: str) -> str | None:
    """Return the only heading where the stated title is that heading, a sign, and a name of few words, and no more
    follows in `element`: in front of the site's name may stand an author's."""
    heading = next(iter(shown.values()), "")
    suffix = stated[len(heading) :]
    is_suffix = _SUFFIX.fullmatch(suffix) is not None and len(suffix.split()) <= MAX_SUFFIX_WORDS
    is_whole = len(shown) == 1 and _compact(element) == _compact(stated)
    return heading if heading and is_whole and stated.startswith(heading) and is_suffix else None


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
