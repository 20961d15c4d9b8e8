"""Display words: the words of a text in the form in which reasons name them."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from itertools import groupby
from typing import NamedTuple

from backend.text.scripts import UNSPACED
from backend.text.stop_words import is_stop_word
from backend.text.tokens import Token, analyze

IS_UNSPACED = re.compile(f"[{UNSPACED}]")
# Paths, names of repositories and of code, and names of three or more parts joined by hyphens or dots.
SLUG = re.compile(r"[/\\_:@]|[^-.‐‑]+(?:[-.‐‑][^-.‐‑]+){2}")
COMPOUND = re.compile(r"[^\W\d_]+[-.‐‑][^\W\d_]+")
PUNCTUATION = ".,:;!?()[]{}\"'“”„‘’«»"
NUMBER = re.compile(r"v?[\d.,-]+")
# Vague words, mostly English: content words in lower case that say nothing about a page.
VAGUE_WORDS = (
    # Order and number.
    "first second third fourth fifth last latest next previous former latter final another other others one ones once "
    "two twice three four five six seven eight nine ten several various multiple many much few fewer less least more "
    "most lot lots each every both either neither single double only own whole entire half part parts bit bunch couple "
    "pair set sets rest top "
    # Time and place.
    "now today yesterday tomorrow currently recent recently soon later early earlier always never ever often sometimes "
    "usually already still yet again ago since until till while during before day days week weeks month months year "
    "years time times here there everywhere anywhere around above below under behind between across along through "
    "throughout within without inside outside near away back forth down off onto upon toward towards against via per "
    # Degree and manner.
    "really quite rather pretty almost nearly enough just even actually simply basically mostly mainly generally "
    "especially particularly probably perhaps maybe certainly definitely easily quickly well better best good great "
    "nice cool awesome amazing simple simpler easy easier hard big bigger small smaller little large long short high "
    "higher low lower new newer old older right wrong sure able available different same similar like unlike special "
    "specific certain common general usual main major minor important interesting useful full complete real true "
    "possible "
    # Such words in other languages.
    "erste ersten erster erstes zweite zweiten dritte letzte letzten neue neuen neuer neues gute guten viele viel "
    "premier première premiers premières dernier dernière nouveau nouvelle nouveaux nouvelles beaucoup plusieurs "
    "primer primero primera primeros último última nuevo nueva nuevos nuevas mucho muchos muchas varios "
    "primo prima primi ultimo ultima nuovo nuova nuovi nuove molto molti primeiro primeira novo nova novos novas muito "
    # General verbs.
    "do does doing done did make makes making made get gets getting got gotten give gives giving given gave take takes "
    "taking taken took put puts putting go goes going gone went come comes coming came let lets letting keep keeps "
    "keeping kept use uses using used want wants wanted need needs needed try tries trying tried look looks looking "
    "looked see sees seeing seen saw know knows knowing known knew think thinks thinking thought say says saying said "
    "tell tells telling told call calls called ask asks asked seem seems seemed become becomes becoming became begin "
    "begins began start starts starting started stop stops end ends ended happen happens happened mean means meant "
    "show shows showing shown find finds finding found work works working worked help helps helping helped allow "
    "allows allowing allowed provide provides providing provided include includes including included contain contains "
    "containing offer offers based bring brings turn turns set having being become "
    # General nouns.
    "thing things something anything everything nothing stuff way ways kind kinds sort type types lots case cases "
    "example examples fact point idea ideas reason reasons place places side person people someone anyone everyone "
    "everybody anybody nobody man guy guys name names "
    # Function words that are missing in stop lists.
    "though although however therefore thus hence because whether whose else instead also too must may might shall "
    "cannot can't don't doesn't didn't won't isn't aren't wasn't weren't couldn't shouldn't wouldn't let's it's that's "
    "i'm you're we're they're i've you've we've myself yourself itself himself herself ourselves themselves yours ours "
    "mine etc eg ie www http https com org net html"
)
VAGUE = frozenset(VAGUE_WORDS.split())


# Lexemes, and where their word begins and ends.
Stretch = tuple[tuple[str, ...], int, int]


class DisplayWord(NamedTuple):
    """A word as displayed, with its lexemes."""

    terms: tuple[str, ...]
    word: str


def display_words(text: str, lexemes: Container[str], language: str | None) -> Iterator[DisplayWord]:
    """Yield the informative words of a text that have one of the lexemes, in order, in lower case.

    Args:
        text: Such as a title.
        lexemes: Lexemes of the query.
        language: BCP 47 tag for stemming.
    """
    for part in text.split():
        # A URL is no word.
        if "://" in part:
            continue
        tokens = [token for token in analyze(part, language) if token.term in lexemes]
        for terms, start, end in _stretches(part, tokens):
            word = part[start:end].lower()
            if _says_something(word, language):
                yield DisplayWord(terms, word)


def _stretches(part: str, tokens: list[Token]) -> list[Stretch]:
    """Return the spans of tokens, without nested ones; overlapping pairs of characters are merged."""
    words = [token for token in tokens if not SLUG.search(part[token.start : token.end])]
    outer = [token for token in words if not any(_is_within(token, other) for other in words)]
    stretches: list[Stretch] = []
    for (start, end), group in groupby(sorted(outer, key=_span), key=_span):
        terms = tuple(token.term for token in group)
        if stretches and start < stretches[-1][2] and IS_UNSPACED.match(part, start):
            before, first, _ = stretches.pop()
            stretches.append(((*before, *terms), first, end))
        else:
            stretches.append((terms, start, end))
    return _joined(part, stretches)


def _joined(part: str, stretches: list[Stretch]) -> list[Stretch]:
    """Join the two halves of `self-hosted` or `node.js`."""
    if len(stretches) != 2:
        return stretches
    (first, start, _), (second, _, end) = stretches
    is_whole = COMPOUND.fullmatch(part.strip(PUNCTUATION)) and part.strip(PUNCTUATION) == part[start:end]
    return [((*first, *second), start, end)] if is_whole else stretches


def _span(token: Token) -> tuple[int, int]:
    return token.start, token.end


def _is_within(token: Token, other: Token) -> bool:
    return other.start <= token.start and token.end <= other.end and _span(token) != _span(other)


def _says_something(word: str, language: str | None) -> bool:
    if len(word) < 2 or word in VAGUE or NUMBER.fullmatch(word):
        return False
    return not is_stop_word(word, language) and not is_stop_word(word, "en")
