"""Corpora of any size, made from the data beside the checkout, and queries in their words. The same for the same seed.

Nothing here knows the product.
"""

from __future__ import annotations

import gzip
import itertools
import json
import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from benchmarks.page_truth import PAGES, load_truth

DATA = PAGES.parent
SEED = 20_260_101
LONGEST_TITLE = 2_000
LONGEST_TYPED_WORD = 30
SUBSTITUTED_SHARE = 0.25
TYPO_SHARE = 0.2
SHORTEST_BEGINNING, LONGEST_BEGINNING = 2, 12
TITLE_WORDS = (4, 10)

_WORD = re.compile(r"\w+")
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+|(?<=[。！？｡])|\n+")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class LongPage:
    """A page that no site has: sentences of many, and a title."""

    title: str
    text: str


class WordDraw:
    """Draws words as often as they come in some texts, lower-cased; runs that nobody would type are left out."""

    def __init__(self, texts: Iterable[str]) -> None:
        counts = Counter(word for text in texts for word in _WORD.findall(text.lower()))
        self._words = [word for word in counts if len(word) <= LONGEST_TYPED_WORD]
        self._cumulated = list(itertools.accumulate(counts[word] for word in self._words))

    def draw(self, chance: random.Random, count: int) -> list[str]:
        """So many words, each drawn for itself."""
        return chance.choices(self._words, cum_weights=self._cumulated, k=count)


def load_links(path: Path = DATA / "links.jsonl.gz") -> list[dict[str, object]]:
    """The links as POST /bookmarks takes them, capture off.

    Raises:
        FileNotFoundError: the data is not beside the checkout.
    """
    return [
        {
            "url": line["url"],
            "title": (line.get("title") or "")[:LONGEST_TITLE],
            "description": line.get("description") or "",
            "tags": line.get("tags") or [],
            "capture": False,
        }
        for line in _lines(path)
    ]


def load_sources(path: Path = DATA / "links.jsonl.gz") -> list[str]:
    """The list that each of the links stands in, in the order of `load_links`."""
    return [str(line["source"]) for line in _lines(path)]


def link_texts(links: Iterable[dict[str, object]]) -> Iterator[str]:
    """Title, description and tags of each link as one text."""
    for link in links:
        tags = link["tags"]
        assert isinstance(tags, list)
        yield " ".join([str(link["title"]), str(link["description"]), *tags])


def varied_links(links: Sequence[dict[str, object]], count: int, seed: int = SEED) -> Iterator[dict[str, object]]:
    """`count` links with different addresses: all the given ones, in an order by chance, then variants of them.

    In a variant the words are shuffled, and a quarter of them replaced by others drawn as often as they come in all
    the links, so that words stay as frequent as they are. A shorter corpus is the beginning of a longer one.
    """
    chance = random.Random(seed)
    words = WordDraw(link_texts(links))
    order = list(range(len(links)))
    chance.shuffle(order)
    for number, index in zip(range(count), itertools.cycle(order), strict=False):
        copy = number // len(links)
        link = links[index]
        yield (
            {
                **link,
                "url": _other_url(str(link["url"]), copy),
                "title": _varied(str(link["title"]), words, chance)[:LONGEST_TITLE],
                "description": _varied(str(link["description"]), words, chance),
            }
            if copy
            else link
        )


def split_sentences(text: str) -> list[str]:
    """The sentences of a text; where a line ends, a sentence does."""
    return [sentence for part in _SENTENCE_END.split(text) if (sentence := part.strip()) and _WORD.search(sentence)]


def load_sentences(pages: Path = PAGES) -> list[str]:
    """All sentences of the stored pages whose text is known.

    Raises:
        FileNotFoundError: the data is not beside the checkout.
    """
    return [sentence for truth in load_truth(pages) if truth.text for sentence in split_sentences(truth.text)]


def long_pages(
    sentences: Sequence[str], count: int, seed: int = SEED, shortest: int = 300, longest: int = 3_000
) -> Iterator[LongPage]:
    """Pages of sentences drawn by chance, from `shortest` to `longest` words (between spaces), any length as likely."""
    for number in range(count):
        # Each page has a generator of its own: a shorter corpus is the beginning of a longer one.
        chance = random.Random(f"{seed}/{number}")
        length = chance.randint(shortest, longest)
        words: list[str] = []
        while len(words) < length:
            words += chance.choice(sentences).split()
        title = chance.choice(sentences).split()[: chance.randint(*TITLE_WORDS)]
        yield LongPage(" ".join(title)[:LONGEST_TITLE], " ".join(words[:length]))


def draw_queries(words: WordDraw, count: int, seed: int = SEED) -> list[str]:
    """Queries of 1 to 5 words, each number as likely; frequent words, stop words among them, come as in the texts."""
    chance = random.Random(seed)
    return [" ".join(words.draw(chance, chance.randint(1, 5))) for _ in range(count)]


def draw_beginnings(queries: Iterable[str], seed: int = SEED) -> list[str]:
    """What is in the search box while queries are typed: 2 to 12 characters, one in five with a wrong letter."""
    chance = random.Random(seed)
    return [_beginning(query, chance) for query in queries if len(query) >= SHORTEST_BEGINNING]


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def _beginning(query: str, chance: random.Random) -> str:
    typed = query[: chance.randint(SHORTEST_BEGINNING, LONGEST_BEGINNING)]
    if len(typed) >= 4 and chance.random() < TYPO_SHARE:
        at = chance.randrange(1, len(typed))
        typed = typed[:at] + chance.choice(_LETTERS) + typed[at + 1 :]
    return typed


def _varied(text: str, words: WordDraw, chance: random.Random) -> str:
    parts = text.split()
    chance.shuffle(parts)
    kept = [chance.random() >= SUBSTITUTED_SHARE for _ in parts]
    others = iter(words.draw(chance, kept.count(False)))
    return " ".join(part if keep else next(others) for part, keep in zip(parts, kept, strict=True))


def _other_url(url: str, copy: int) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/copy-{copy}"))
