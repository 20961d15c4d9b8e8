"""The query language: words, phrases, filters, `-` and `OR`.

    query   = clause*                       every clause is wanted
    clause  = unit ("OR" unit)*             OR, in capitals, binds tighter than standing side by side
    unit    = "-"? (word | phrase | filter)
    phrase  = '"' text '"'                  quotes may be curly
    filter  = field ":" (value | phrase)    fields in any case of letters
            | "#" (tag | phrase)

Spaces and parentheses separate. No string is an error: a filter whose value makes no sense (`is:purple`), a lone dash,
an OR at either end are words like any other; a lone quote and an empty phrase are nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeGuard, cast

Field = Literal["tag", "site", "project", "is", "before", "after", "lang"]
Value = str | int | date

STATES = ("unread", "read", "favorite", "archived", "untagged", "broken")
QUOTES = '"“”„‟'
UNIT = re.compile(
    rf"""
    (?P<minus>-)?
    (?:
      (?P<field>(?i:tag|site|project|is|before|after|lang):|\#)
      (?: [{QUOTES}](?P<quoted>[^{QUOTES}]*)[{QUOTES}] | (?P<value>[^\s(){QUOTES}]+) )
    | [{QUOTES}](?P<phrase>[^{QUOTES}]*)[{QUOTES}]
    | (?P<word>[^\s(){QUOTES}]+)
    )
    """,
    re.VERBOSE,
)
# A host as people type or paste it: the scheme and what follows the host do not matter.
SITE = re.compile(r"(?:https?://)?(?P<host>[\w-]+(?:\.[\w-]+)*)\.?(?:/.*)?")
LANGUAGE = re.compile(r"(?P<tag>[a-z]{2,3})(?:-[a-z0-9]+)*")
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
PROJECT = re.compile(r"[0-9]{1,18}")
UNQUOTED = re.compile(r"[^\s()]+")


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
        return f'-"{self.text}"' if self.negated else f'"{self.text}"'


@dataclass(frozen=True, slots=True)
class Filter:
    """What a bookmark must be, or must not.

    Attributes:
        field: tag, site, project, is, before, after or lang.
        value: of tag, its name as typed; of site, the host in lower case; of project, the id as an integer; of is, one
            of STATES; of lang, the primary tag of BCP 47 in lower case. Of before and after a date, a whole day in UTC,
            as Gmail reads them: `after:2026-01-01` is from the beginning of that day on, `before:2026-02-01` ends where
            that day begins, both together are January.
        negated: Whether a minus stands before it.
    """

    field: Field
    value: Value
    negated: bool = False

    def __str__(self) -> str:
        value = str(self.value)
        shown = value if UNQUOTED.fullmatch(value) else f'"{value}"'
        return f"{'-' if self.negated else ''}{self.field}:{shown}"


Unit = Term | Phrase | Filter


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Two or more units of which one is enough."""

    alternatives: tuple[Unit, ...]

    def __str__(self) -> str:
        return " OR ".join(map(str, self.alternatives))


Clause = Unit | AnyOf
OPERATOR = Term("OR")


@dataclass(frozen=True, slots=True)
class Query:
    """What was asked for. `str` of it parses back to the same."""

    clauses: tuple[Clause, ...] = ()

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

    def _wanted(self) -> Iterator[Term | Phrase]:
        return (unit for unit in self.units if _is_wanted(unit))


def units_of(clause: Clause) -> tuple[Unit, ...]:
    """The alternatives of a clause; the clause itself where there are none."""
    return clause.alternatives if isinstance(clause, AnyOf) else (clause,)


def parse(text: str) -> Query:
    """Read a query. Takes time linear in its length and never fails."""
    units = list(_units(text))
    clauses: list[Clause] = []
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


def _units(text: str) -> Iterator[Unit]:
    for found in UNIT.finditer(text):
        minus = found["minus"] is not None
        if found["field"]:
            yield _filter(found, minus)
        elif found["word"]:
            # Two dashes negate nothing: `--verbose` is an option of a program.
            option = minus and found["word"].startswith("-")
            yield Term(found[0]) if option else Term(found["word"], minus)
        elif phrase := _one_spaced(found["phrase"]):
            yield Phrase(phrase, minus)
        elif minus:
            yield Term("-")


def _filter(found: re.Match[str], negated: bool) -> Unit:
    written = found["field"]
    field = cast(Field, "tag" if written == "#" else written[:-1].lower())
    quoted = found["quoted"] is not None
    value = _one_spaced(found["quoted"]) if quoted else found["value"]
    if not value:
        return Term(written, negated)
    meant = READERS[field](value)
    if meant is not None:
        return Filter(field, meant, negated)
    return Phrase(written + value, negated) if quoted else Term(written + value, negated)


def _one_spaced(text: str) -> str:
    return " ".join(text.split())


def _site(value: str) -> str | None:
    found = SITE.fullmatch(value.lower())
    return found["host"] if found else None


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
