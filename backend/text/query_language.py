"""Query language: words, phrases, filters, `-` and `OR`.

    query   = clause*                       every clause is required
    clause  = unit ("OR" unit)*             OR, in capitals, binds tighter than juxtaposition
    unit    = "-"? (word | phrase | filter)
    phrase  = '"' text '"'                  quotes may be curly; \" and \\ are a quote and a backslash in it
    filter  = field ":" (value | phrase)    fields in any case of letters
            | "#" (tag | phrase)            where such a tag exists

Spaces and parentheses separate. No string is an error: a filter with an invalid value (`is:purple`), a `#` before an
unknown tag (`#1234`), a lone dash, an OR at either end are words like any other; a lone quote and an empty phrase are
ignored.
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
# Up to the closing quote, or the end of the text. Possessive: escapes are read once.
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
# A unit after an unclosed quote.
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
    """A word as typed, without space, quote or parenthesis. `OR` without operands is one, too."""

    text: str
    negated: bool = False

    def __str__(self) -> str:
        return f"-{self.text}" if self.negated else self.text


@dataclass(frozen=True, slots=True)
class Phrase:
    """Consecutive words."""

    text: str
    negated: bool = False

    def __str__(self) -> str:
        return f"{'-' if self.negated else ''}{_quoted(self.text)}"


@dataclass(frozen=True, slots=True)
class Filter:
    """A required or excluded property of a bookmark.

    Attributes:
        field: tag, site, project, is, before, after or lang.
        value: of tag, its name as typed; of site, the host in lower case, with the port if one is given; of project,
            the id as an integer; of is, one of STATES; of lang, the primary tag of BCP 47 in lower case. Of before and
            after a date, a whole day in UTC, as in Gmail: `after:2026-01-01` starts with that day, `before:2026-02-01`
            ends where that day begins, both together are January.
        negated: Whether a minus precedes it.
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
        """The filter as it is typed, without the minus."""
        value = str(self.value)
        return f"{'#' if self.hashed else f'{self.field}:'}{value if UNQUOTED.fullmatch(value) else _quoted(value)}"

    @property
    def key(self) -> tuple[Field, Value]:
        """The identity of a filter: tags are compared without case."""
        return self.field, tag_key(str(self.value)) if self.field == "tag" else self.value


Unit = Term | Phrase | Filter


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Two or more alternative units."""

    alternatives: tuple[Unit, ...]

    def __str__(self) -> str:
        return " OR ".join(map(str, self.alternatives))


QueryClause = Unit | AnyOf
OPERATOR = Term("OR")


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query. `parse` reads its `str` back."""

    clauses: tuple[QueryClause, ...] = ()

    def __str__(self) -> str:
        return " ".join(map(str, self.clauses))

    @property
    def words(self) -> tuple[str, ...]:
        """The required words, those of alternatives included, in the order typed."""
        return tuple(unit.text for unit in self._required() if isinstance(unit, Term))

    @property
    def phrases(self) -> tuple[str, ...]:
        """The required phrases, those of alternatives included."""
        return tuple(unit.text for unit in self._required() if isinstance(unit, Phrase))

    @property
    def text(self) -> str:
        """All required words and phrases, as plain text in the order typed, for an embedding model."""
        return " ".join(unit.text for unit in self._required())

    @property
    def alternatives(self) -> tuple[AnyOf, ...]:
        """The clauses with OR."""
        return tuple(clause for clause in self.clauses if isinstance(clause, AnyOf))

    @property
    def filters(self) -> tuple[Filter, ...]:
        """The filters outside alternatives, negated or not."""
        return tuple(clause for clause in self.clauses if isinstance(clause, Filter))

    @property
    def negated(self) -> tuple[Term | Phrase, ...]:
        """The excluded words and phrases outside alternatives."""
        return tuple(clause for clause in self.clauses if isinstance(clause, Term | Phrase) and clause.negated)

    @property
    def is_plain(self) -> bool:
        """Whether it contains only required words."""
        return all(isinstance(clause, Term) and not clause.negated for clause in self.clauses)

    @property
    def units(self) -> tuple[Unit, ...]:
        """The units of all clauses, alternatives one by one."""
        return tuple(unit for clause in self.clauses for unit in units_of(clause))

    @property
    def hashed(self) -> tuple[str, ...]:
        """The keys of the tags that are typed as `#x`."""
        named = (unit for unit in self.units if isinstance(unit, Filter) and unit.hashed)
        return tuple(dict.fromkeys(str(unit.key[1]) for unit in named))

    def with_tags(self, keys: Container[str]) -> Query:
        """Resolve `#x` with the tags that exist: others become words."""
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

    def _required(self) -> Iterator[Term | Phrase]:
        return (unit for unit in self.units if _is_required(unit))


def units_of(clause: QueryClause) -> tuple[Unit, ...]:
    """Return the alternatives of a clause, or the clause itself."""
    return clause.alternatives if isinstance(clause, AnyOf) else (clause,)


def parse(text: str) -> Query:
    """Parse a query. Takes time linear in its length and never fails."""
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


def _is_required(unit: Unit) -> TypeGuard[Term | Phrase]:
    return isinstance(unit, Term | Phrase) and not unit.negated


def _unless_a_tag(unit: Unit, keys: Container[str]) -> Unit:
    if not isinstance(unit, Filter) or not unit.hashed or unit.key[1] in keys:
        return unit
    name = str(unit.value)
    return (Term if UNQUOTED.fullmatch(name) else Phrase)(f"#{name}", unit.negated)


def _units(text: str) -> Iterator[Unit]:
    for match in UNIT.finditer(text):
        if match["closed"] == "" or match["ended"] == "":
            # No later quote can be closed either: each is escaped.
            yield from _before_a_lone_quote(match)
            rest = match["phrase"] if match["quoted"] is None else match["quoted"]
            yield from filter(None, map(_unit, UNQUOTED_UNIT.finditer(rest)))
        elif (unit := _unit(match)) is not None:
            yield unit


def _before_a_lone_quote(match: re.Match[str]) -> Iterator[Unit]:
    minus = match["minus"] is not None
    if match["field"]:
        yield Term(match["field"], minus)
    elif minus:
        yield Term("-")


def _unit(match: re.Match[str]) -> Unit | None:
    minus = match["minus"] is not None
    if match["field"]:
        return _filter(match, minus)
    if match["word"]:
        # Two dashes do not negate: `--verbose` is an option of a program.
        option = minus and match["word"].startswith("-")
        return Term(match[0]) if option else Term(match["word"], minus)
    if phrase := _unescaped(match["phrase"]):
        return Phrase(phrase, minus)
    return Term("-") if minus else None


def _filter(match: re.Match[str], negated: bool) -> Unit:
    written = match["field"]
    hashed = written == "#"
    field = cast(Field, "tag" if hashed else written[:-1].lower())
    quoted = match["quoted"] is not None
    value = _unescaped(match["quoted"]) if quoted else match["value"]
    if not value:
        return Term(written, negated)
    parsed = READERS[field](value)
    if parsed is not None:
        return Filter(field, parsed, negated, hashed)
    return Phrase(written + value, negated) if quoted else Term(written + value, negated)


def _quoted(text: str) -> str:
    escaped = TO_ESCAPE.sub(r"\\\g<0>", text)
    return f'"{escaped}"'


def _unescaped(text: str) -> str:
    return _one_spaced(ESCAPED.sub(r"\1", text) if "\\" in text else text)


def _one_spaced(text: str) -> str:
    return " ".join(text.split())


def _site(value: str) -> str | None:
    site = parse_site(value)
    return str(site) if site else None


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
    match = LANGUAGE.fullmatch(value.lower())
    return match["tag"] if match else None


READERS: dict[Field, Callable[[str], Value | None]] = {
    "tag": str,
    "site": _site,
    "project": _project,
    "is": _state,
    "before": _day,
    "after": _day,
    "lang": _language,
}
