"""Sections of the lists that the real links come from, as stand-ins for projects whose reading is known.

Nothing here knows the product.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

FEWEST_LINKS, MOST_LINKS = 8, 40
EXAMPLES = 3
LONGEST_EXAMPLE = 500
LANGUAGE_TAG = "lang:"
# Where the first part of the path, not the host, says whose page it is.
SHARED_HOSTS = {"github.com", "gitlab.com", "bitbucket.org", "codeberg.org", "medium.com"}


@dataclass(frozen=True)
class Section:
    """A section of a list: `links` are the numbers of its links in the data, in its order, `examples` three of them."""

    source: str
    headings: tuple[str, ...]
    links: tuple[int, ...]
    examples: tuple[int, ...]

    @property
    def words(self) -> str:
        """Its headings as one text."""
        return " ".join(self.spoken)

    @property
    def name(self) -> str:
        """Its headings as the name of a project."""
        name = ": ".join(self.spoken)
        return name[:1].upper() + name[1:]

    @property
    def others(self) -> tuple[int, ...]:
        """What should be recommended: its links but the examples."""
        return tuple(link for link in self.links if link not in self.examples)

    @property
    def spoken(self) -> list[str]:
        """Its headings without the language that the data adds to some."""
        return [heading for heading in self.headings if not heading.startswith(LANGUAGE_TAG)]


def find_sections(
    links: Sequence[Mapping[str, object]],
    sources: Sequence[str],
    fewest: int = FEWEST_LINKS,
    most: int = MOST_LINKS,
    seed: int = 0,
) -> list[Section]:
    """All sections of so many links, in the order of the data; of each three examples are drawn."""
    numbers: dict[tuple[str, tuple[str, ...]], list[int]] = defaultdict(list)
    for number, (link, source) in enumerate(zip(links, sources, strict=True)):
        tags = link["tags"]
        assert isinstance(tags, list)
        numbers[source, tuple(tags)].append(number)
    return [
        _section(source, headings, found, seed)
        for (source, headings), found in numbers.items()
        if headings and fewest <= len(found) <= most
    ]


def choose_sections(sections: Sequence[Section], count: int, seed: int) -> list[Section]:
    """So many by chance. A shorter choice is the beginning of a longer one.

    Raises:
        ValueError: there are not so many.
    """
    if count > len(sections):
        raise ValueError(f"of {len(sections)} sections {count} cannot be chosen")
    shuffled = list(sections)
    random.Random(seed).shuffle(shuffled)
    return shuffled[:count]


def describe(section: Section, links: Sequence[Mapping[str, object]]) -> str:
    """The description of the project: title and description of each example, one line each."""
    return "\n".join(_line(links[number]) for number in section.examples)


def popular_first(links: Sequence[Mapping[str, object]], sources: Sequence[str]) -> list[int]:
    """The numbers of all links, the most popular first.

    No address is in the data twice, so a link is as popular as its site: the number of lists that link to it, then the
    number of links to it, then the order of the data. On hosts that many share a site is host and owner.
    """
    sites = [site(str(link["url"])) for link in links]
    lists: dict[str, set[str]] = defaultdict(set)
    for name, source in zip(sites, sources, strict=True):
        lists[name].add(source)
    counts = Counter(sites)
    return sorted(range(len(links)), key=lambda number: (-len(lists[sites[number]]), -counts[sites[number]]))


def site(url: str) -> str:
    """Whose page it is: the host without `www.`, with the owner on hosts that many share."""
    parts = urlsplit(url.lower())
    host = parts.netloc.removeprefix("www.")
    owner = parts.path.strip("/").partition("/")[0]
    return f"{host}/{owner}" if host in SHARED_HOSTS and owner else host


def _section(source: str, headings: tuple[str, ...], links: list[int], seed: int) -> Section:
    # Each section has a generator of its own: which others there are changes nothing.
    examples = random.Random(f"{seed}/{source}/{headings}").sample(links, EXAMPLES)
    return Section(source, headings, tuple(links), tuple(examples))


def _line(link: Mapping[str, object]) -> str:
    title, description = str(link["title"]).strip(), str(link["description"]).strip()
    return f"{title}: {description}"[:LONGEST_EXAMPLE] if description else title[:LONGEST_EXAMPLE]
