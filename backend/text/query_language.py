"""The query language: words, phrases, filters, `-` and `OR`.

    query   = clause*                       every clause is wanted
    clause  = unit ("OR" unit)*             OR, in capitals, binds tighter than standing side by side
    unit    = "-"? (word | phrase | filter)
    phrase  = '"' text '"'                  quotes may be curly; \" and \\ are a quote and a backslash in it
    filter  = field ":" (value | phrase)    fields in any case of letters
            | "#" (tag | phrase)            where such a tag exists

Spaces and parentheses separate. No string is an error: a filter whose value makes no sense (`is:purple`), a `#` before
what is no tag (`#1234`), a lone dash, an OR at either end are words like any other; a lone quote and an empty phrase
are nothing.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeGuard, cast

from backend.text.tag_names import tag_key
from backend.text.urls import parse_site

Field = Literal["tag", "site", "project", "is", "before", "after", "lang"]
Value = str | int | date

STATES = ("unread", "read", "favorite", "archived", "untagged", "broken")
QUOTES = '"“”„‟'
# Up to the closing quote, or to the end of the text where there is none. Possessive: what is escaped is read once.
QUOTED = rf"(?:\\[\\{QUOTES}]|[^{QUOTES}])*+"
FIELD = r"(?P<field>(?i:tag|site|project|is|before|after|lang):|\#)"
WORD = rf"[^\s(){QUOTES}]+"
UNIT = re.compile(
    rf"""
    (?P<minus>-)?
    (?:
      {FIELD} (?: [{QUOTES}](?P<quoted>{QUOTED})(?P<ended>[{QUOTES}]|\Z) | (?P<value>{WORD}) )
    | [{QUOTES}](?P<phrase>{QUOTED})(?P<closed>[{QUOTES}]|\Z)
    | (?P<word>{WORD})
    )
    """,
    re.VERBOSE,
)
# What follows a quote that nothing closes.
UNQUOTED_UNIT = re.compile(
    rf"(?P<minus>-)?(?:{FIELD}(?P<value>{WORD})|(?P<word>{WORD}))(?P<quoted>(?!))?(?P<phrase>(?!))?"
)
ESCAPED = re.compile(rf"\\([\\{QUOTES}])")
TO_ESCAPE = re.compile(rf"[\\{QUOTES}]")
LANGUAGE = re.compile(r"(?P<tag>[a-z]{2,3})(?:-[a-z0-9]+)*")
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
PROJECT = re.compile(r"[0-9]{1,18}")
UNQUOTED = re.compile(rf"[^\s()\\{QUOTES}]+")


@dataclass(frozen=True, slots=True)
class Term:
    """A word as typed: no space, quote or parenthesis in it. `OR` where it joins nothing is one, too."""

    text: str
    negated: bool = False

    def __str__(self) -> str:
        return f"-{self.text}" if self.negated else self.text


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that stand side by side in this order."""

    text: str
    negated: bool = False

    def __str__(self) -> str:
        return f"{'-' if self.negated else ''}{_quoted(self.text)}"


@dataclass(frozen=True, slots=True)
class Filter:
    """What a bookmark must be, or must not.

    Attributes:
        field: tag, site, project, is, before, after or lang.
        value: of tag, its name as typed; of site, the host in lower case, with the port if one is given; of project,
            the id as an integer; of is, one of STATES; of lang, the primary tag of BCP 47 in lower case. Of before and
            after a date, a whole day in UTC, as Gmail reads them: `after:2026-01-01` is from the beginning of that day
            on, `before:2026-02-01` ends where that day begins, both together are January.
        negated: Whether a minus stands before it.
        hashed: Whether it was typed as `#x`, which is a filter only where there is such a tag.
    """

    field: Field
    value: Value
    negated: bool = False
    hashed: bool = dataclasses.field(default=False, compare=False)

    def __str__(self) -> str:
        return f"{'-' if self.negated else ''}{self.written}"

    @property
    def written(self) -> str:
        """As it is typed, without the minus."""
        value = str(self.value)
        return f"{'#' if self.hashed else f'{self.field}:'}{value if UNQUOTED.fullmatch(value) else _quoted(value)}"

    @property
    def key(self) -> tuple[Field, Value]:
        """What filters are the same by: tags whatever their case."""
        return self.field, tag_key(str(self.value)) if self.field == "tag" else self.value


Unit = Term | Phrase | Filter


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Two or more units of which one is enough."""

    alternatives: tuple[Unit, ...]

    def __str__(self) -> str:
        return " OR ".join(map(str, self.alternatives))


QueryClause = Unit | AnyOf
OPERATOR = Term("OR")


@dataclass(frozen=True, slots=True)
class Query:
    """What was asked for. `str` of it parses back to the same."""

    clauses: tuple[QueryClause, ...] = ()

    def __str__(self) -> str:
        return " ".join(map(str, self.clauses))

    @property
    def words(self) -> tuple[str, ...]:
        """The words that are wanted, those of alternatives among them, in the order typed."""
        return tuple(unit.text for unit in self._wanted() if isinstance(unit, Term))

    @property
    def phrases(self) -> tuple[str, ...]:
        """The phrases that are wanted, those of alternatives among them."""
        return tuple(unit.text for unit in self._wanted() if isinstance(unit, Phrase))

    @property
    def text(self) -> str:
        """All that is wanted by word, as plain text in the order typed: what a model reads."""
        return " ".join(unit.text for unit in self._wanted())

    @property
    def alternatives(self) -> tuple[AnyOf, ...]:
        """The clauses with OR."""
        return tuple(clause for clause in self.clauses if isinstance(clause, AnyOf))

    @property
    def filters(self) -> tuple[Filter, ...]:
        """The filters that stand by themselves, negated or not; those of alternatives are not among them."""
        return tuple(clause for clause in self.clauses if isinstance(clause, Filter))

    @property
    def negated(self) -> tuple[Term | Phrase, ...]:
        """The words and phrases that must not be there; those of alternatives are not among them."""
        return tuple(clause for clause in self.clauses if isinstance(clause, Term | Phrase) and clause.negated)

    @property
    def is_plain(self) -> bool:
        """Whether it is nothing but wanted words."""
        return all(isinstance(clause, Term) and not clause.negated for clause in self.clauses)

    @property
    def units(self) -> tuple[Unit, ...]:
        """All that the clauses are made of, alternatives one by one."""
        return tuple(unit for clause in self.clauses for unit in units_of(clause))

    @property
    def hashed(self) -> tuple[str, ...]:
        """The keys of the tags that are named as `#x`."""
        named = (unit for unit in self.units if isinstance(unit, Filter) and unit.hashed)
        return tuple(dict.fromkeys(str(unit.key[1]) for unit in named))

    def with_tags(self, keys: Container[str]) -> Query:
        """The query where no other tags than these exist: what `#` stands before else is a word."""
        if not self.hashed:
            return self
        return Query(
            tuple(
                AnyOf(tuple(_unless_a_tag(unit, keys) for unit in clause.alternatives))
                if isinstance(clause, AnyOf)
                else _unless_a_tag(clause, keys)
                for clause in self.clauses
            )
        )

    def _wanted(self) -> Iterator[Term | Phrase]:
        return (unit for unit in self.units if _is_wanted(unit))


def units_of(clause: QueryClause) -> tuple[Unit, ...]:
    """The alternatives of a clause; the clause itself where there are none."""
    return clause.alternatives if isinstance(clause, AnyOf) else (clause,)


def parse(text: str) -> Query:
    """Read a query. Takes time linear in its length and never fails."""
    units = list(_units(text))
    clauses: list[QueryClause] = []
    at = 0
    while at < len(units):
        alternatives = [units[at]]
        at += 1
        while alternatives[0] != OPERATOR and _joins(units, at):
            alternatives.append(units[at + 1])
            at += 2
        clauses.append(AnyOf(tuple(alternatives)) if len(alternatives) > 1 else alternatives[0])
    return Query(tuple(clauses))


def _joins(units: list[Unit], at: int) -> bool:
    return at + 1 < len(units) and units[at] == OPERATOR != units[at + 1]


def _is_wanted(unit: Unit) -> TypeGuard[Term | Phrase]:
    return isinstance(unit, Term | Phrase) and not unit.negated


def _unless_a_tag(unit: Unit, keys: Container[str]) -> Unit:
    if not isinstance(unit, Filter) or not unit.hashed or unit.key[1] in keys:
        return unit
    name = str(unit.value)
    return (Term if UNQUOTED.fullmatch(name) else Phrase)(f"#{name}", unit.negated)


def _units(text: str) -> Iterator[Unit]:
    for found in UNIT.finditer(text):
        if found["closed"] == "" or found["ended"] == "":
            # No other quote that follows could be closed either: each is escaped.
            yield from _before_a_lone_quote(found)
            rest = found["phrase"] if found["quoted"] is None else found["quoted"]
            yield from filter(None, map(_unit, UNQUOTED_UNIT.finditer(rest)))
        elif (unit := _unit(found)) is not None:
            yield unit


def _before_a_lone_quote(found: re.Match[str]) -> Iterator[Unit]:
    minus = found["minus"] is not None
    if found["field"]:
        yield Term(found["field"], minus)
    elif minus:
        yield Term("-")


def _unit(found: re.Match[str]) -> Unit | None:
    minus = found["minus"] is not None
    if found["field"]:
        return _filter(found, minus)
    if found["word"]:
        # Two dashes negate nothing: `--verbose` is an option of a program.
        option = minus and found["word"].startswith("-")
        return Term(found[0]) if option else Term(found["word"], minus)
    if phrase := _unescaped(found["phrase"]):
        return Phrase(phrase, minus)
    return Term("-") if minus else None


def _filter(found: re.Match[str], negated: bool) -> Unit:
    written = found["field"]
    hashed = written == "#"
    field = cast(Field, "tag" if hashed else written[:-1].lower())
    quoted = found["quoted"] is not None
    value = _unescaped(found["quoted"]) if quoted else found["value"]
    if not value:
        return Term(written, negated)
    meant = READERS[field](value)
    if meant is not None:
        return Filter(field, meant, negated, hashed)
    return Phrase(written + value, negated) if quoted else Term(written + value, negated)


def _quoted(text: str) -> str:
    escaped = TO_ESCAPE.sub(r"\\\g<0>", text)
    return f'"{escaped}"'


def _unescaped(text: str) -> str:
    return _one_spaced(ESCAPED.sub(r"\1", text) if "\\" in text else text)


def _one_spaced(text: str) -> str:
    return " ".join(text.split())


def _site(value: str) -> str | None:
    found = parse_site(value)
    return str(found) if found else None


def _project(value: str) -> int | None:
    return int(value) if PROJECT.fullmatch(value) else None


def _state(value: str) -> str | None:
    return value.lower() if value.lower() in STATES else None


def _day(value: str) -> date | None:
    try:
        return date.fromisoformat(value) if DATE.fullmatch(value) else None
    except ValueError:
        return None


def _language(value: str) -> str | None:
    found = LANGUAGE.fullmatch(value.lower())
    return found["tag"] if found else None


READERS: dict[Field, Callable[[str], Value | None]] = {
    "tag": str,
    "site": _site,
    "project": _project,
    "is": _state,
    "before": _day,
    "after": _day,
    "lang": _language,
}
