"""Conditions of a parsed query on bookmarks: lists use all of them, ranked search all but those of plain words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, cast

from sqlalchemy import ColumnElement, and_, false, not_, or_

from backend.bookmarks.document_conditions import Languages, any_tsquery, bookmark_matches, tsquery_of
from backend.bookmarks.membership_conditions import (
    Key,
    LinkTable,
    member_of_all,
    member_of_any,
    member_of_each,
    project_membership,
    tag_membership,
)
from backend.bookmarks.models import Bookmark
from backend.text.query_language import Field, Filter, Phrase, Query, QueryClause, Term, Unit, Value, units_of
from backend.text.urls import DEFAULT_PORTS, Site, normalise_domain, parse_site


@dataclass(frozen=True)
class Requirements:
    """The conditions that clauses set together.

    Attributes:
        words: As a tsquery on the document, without the organization's label; empty if no word is required.
        bounded: Whether a matching document must contain some word; if not, all others match.
        others: As conditions on Bookmark.
    """

    words: str
    bounded: bool
    others: tuple[ColumnElement[bool], ...]


def query_conditions(
    organization_id: int, query: Query, languages: Languages, tags: Sequence[str] = ()
) -> list[ColumnElement[bool]]:
    """Build conditions on Bookmark for every clause of the query and all of these tags."""
    if query.clauses and not any(requires_anything(clause, languages) for clause in query.clauses):
        # A query without any letter, such as a lone dash, matches nothing.
        return [false()]
    required = requirements(organization_id, query.clauses, languages, tags)
    return [*required.others, *([bookmark_matches(organization_id, required.words)] if required.words else [])]


def requires_anything(clause: QueryClause, languages: Languages) -> bool:
    """Tell whether any alternative of a clause can be looked up: all but words without letters."""
    return any(isinstance(unit, Filter) or tsquery_of(unit, languages) for unit in units_of(clause))


def requirements(
    organization_id: int, clauses: Sequence[QueryClause], languages: Languages, tags: Sequence[str] = ()
) -> Requirements:
    """Collect the conditions that these clauses and all of these tags set together."""
    words: list[str] = []
    labels: list[str] = []
    others: list[ColumnElement[bool]] = []
    bounded = False
    memberships = _Memberships(organization_id)
    for clause in _distinct((*(Filter("tag", name) for name in tags), *clauses)):
        # A unit without any letter requires nothing.
        units = [(unit, tsquery_of(unit, languages)) for unit in _distinct(units_of(clause))]
        units = [(unit, tsquery) for unit, tsquery in units if tsquery or isinstance(unit, Filter)]
        if not units or memberships.add([unit for unit, _ in units]):
            continue
        if isinstance(clause, Filter) and units[0][1]:
            labels.append(units[0][1])
        elif all(tsquery for _, tsquery in units):
            words.append(any_tsquery([tsquery for _, tsquery in units]))
            bounded = bounded or not any(unit.negated for unit, _ in units)
        else:
            others.append(or_(*_alternatives(organization_id, units)))
    labelled = [bookmark_matches(organization_id, " & ".join(labels))] if labels else []
    return Requirements(" & ".join(dict.fromkeys(words)), bounded, (*others, *memberships.conditions(), *labelled))


class _Memberships:
    """The clauses that contain only tag filters, or only project filters, grouped."""

    def __init__(self, organization_id: int) -> None:
        self._tables = _link_tables(organization_id)
        self._groups: dict[Field, dict[tuple[Key, ...], None]] = {field: {} for field in self._tables}
        self._excluded: dict[Field, dict[Key, None]] = {field: {} for field in self._tables}

    def add(self, units: Sequence[Unit]) -> bool:
        """Take a clause, given by its alternatives; False if it is of another kind."""
        filters = [unit for unit in units if isinstance(unit, Filter) and unit.field in self._tables]
        if len(filters) < len(units) or len({unit.field for unit in filters}) > 1:
            return False
        field, keys = filters[0].field, tuple(dict.fromkeys(cast(Key, unit.key[1]) for unit in filters))
        if not any(unit.negated for unit in filters):
            self._groups[field][keys] = None
        elif len(filters) == 1:
            self._excluded[field][keys[0]] = None
        else:
            return False
        return True

    def conditions(self) -> Iterator[ColumnElement[bool]]:
        """Yield one condition for all required keys, one for all alternatives, one for all excluded keys."""
        for field, table in self._tables.items():
            if required := [keys[0] for keys in self._groups[field] if len(keys) == 1]:
                yield member_of_all(table, required)
            # A group that contains a required key is fulfilled with it.
            if groups := [keys for keys in self._groups[field] if len(keys) > 1 and not {*keys} & {*required}]:
                yield member_of_each(table, groups)
            if self._excluded[field]:
                yield not_(member_of_any(table, list(self._excluded[field])))


def _link_tables(organization_id: int) -> dict[Field, LinkTable]:
    return {"tag": tag_membership(organization_id), "project": project_membership(organization_id)}


def _distinct(parts: Iterable[Any]) -> list[Any]:
    """Return the parts without repetitions; tags are compared without case."""
    return list({_identity(part): part for part in reversed(list(parts))}.values())[::-1]


def _identity(part: QueryClause) -> object:
    if isinstance(part, Filter):
        return part.key, part.negated
    return frozenset(map(_identity, units_of(part))) if not isinstance(part, Term | Phrase) else part


def _alternatives(organization_id: int, units: Sequence[tuple[Unit, str]]) -> Iterator[ColumnElement[bool]]:
    """Yield as few alternative conditions as possible: those on the row itself first, then those on other tables."""
    filters = [unit for unit, tsquery in units if isinstance(unit, Filter) and not tsquery]
    tables = _link_tables(organization_id)
    for unit in filters:
        if unit.field not in tables:
            yield _negated_if(unit, FIELDS[unit.field](unit.value))
    for field, table in tables.items():
        of_field = [unit for unit in filters if unit.field == field]
        if keys := [cast(Key, unit.key[1]) for unit in of_field if not unit.negated]:
            yield member_of_any(table, keys)
        # De Morgan: "not a, or not b" is "not both".
        if keys := [cast(Key, unit.key[1]) for unit in of_field if unit.negated]:
            yield not_(member_of_all(table, keys))
    if words := [tsquery for _, tsquery in units if tsquery]:
        yield bookmark_matches(organization_id, any_tsquery(words))


def _negated_if(unit: Filter, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return not_(condition) if unit.negated else condition


def in_project(organization_id: int, project_id: int) -> ColumnElement[bool]:
    """Build a condition for bookmarks attached to a project of the organization; none, if it is in the trash or
    unknown."""
    return member_of_any(project_membership(organization_id), [project_id])


def on_site(site: Site) -> ColumnElement[bool]:
    """Build a condition for bookmarks on exactly this host, and on the port if the site has one."""
    has_host = Bookmark.domain == normalise_domain(site.host)
    return has_host if site.port is None else and_(has_host, on_port(site.port))


def on_port(port: int) -> ColumnElement[bool]:
    """Build a condition for bookmarks whose URL has a port; the default ports of http and https are equal, as for
    duplicates."""
    host_pattern = r"(\[[^/?#\]]*\]|[^/?#:\[\]]*)"
    port_pattern = "(:(80|443)?)?" if port in DEFAULT_PORTS.values() else f":0*{port}"
    return Bookmark.url.regexp_match(f"^https?://{host_pattern}{port_pattern}([/?#]|$)", flags="i")


def mentions_archived(query: Query) -> bool:
    """Tell whether the query itself filters by archived bookmarks."""
    return any(isinstance(unit, Filter) and (unit.field, unit.value) == ("is", "archived") for unit in query.units)


def _under_site(value: Value) -> ColumnElement[bool]:
    """Build a condition for a host or its subdomains, on the port if the site has one."""
    site = cast(Site, parse_site(str(value)))
    host = normalise_domain(site.host)
    has_host = or_(Bookmark.domain == host, Bookmark.domain.endswith(f".{host}", autoescape=True))
    return has_host if site.port is None else and_(has_host, on_port(site.port))


def _day(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


STATES: dict[str, ColumnElement[bool]] = {
    "unread": Bookmark.is_read.is_(False),
    "read": Bookmark.is_read.is_(True),
    "favorite": Bookmark.is_favorite.is_(True),
    "archived": Bookmark.is_archived.is_(True),
    "untagged": Bookmark.is_tagged.is_(False),
    "broken": Bookmark.capture_status == "failed",
}
FIELDS: dict[Field, Any] = {
    "is": STATES.__getitem__,
    "before": lambda day: Bookmark.created_at < _day(day),
    "after": lambda day: Bookmark.created_at >= _day(day),
    "site": _under_site,
}
