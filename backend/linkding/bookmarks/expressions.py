"""Boolean expressions of the query language's units, and what they are as a query.

A query of Fuze is clauses that all must hold, each of alternatives: the conjunctive normal form. An expression carries
that form of itself and of its opposite, so that each operator is a union or a product of clauses.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import product
from typing import NamedTuple

from backend.errors import Invalid
from backend.text.query_language import AnyOf, Filter, Query, QueryClause, Unit

# Written as clauses, some expressions are exponentially longer.
MOST_CLAUSES = 50
Alternatives = tuple[Unit, ...]
# None where they would be too many.
Clauses = tuple[Alternatives, ...] | None


class Expression(NamedTuple):
    """A part of a query: when it holds, and when it fails."""

    holds: Clauses
    fails: Clauses


# What holds for every bookmark: no clause asks for anything. Its opposite is never asked for.
ANYTHING = Expression((), None)


def of_unit(unit: Unit) -> Expression:
    """Make an expression of one unit."""
    return Expression(((unit,),), ((replace(unit, negated=not unit.negated),),))


def tagged(name: str) -> Expression:
    """Ask for bookmarks with a tag, named as linkding's clients name it: with a dash for each space."""
    names = dict.fromkeys((name, name.replace("-", " ")))
    return any_of(of_unit(Filter("tag", tag_name)) for tag_name in names)


def opposite(expression: Expression) -> Expression:
    """Negate an expression."""
    return Expression(expression.fails, expression.holds)


def both(left: Expression, right: Expression) -> Expression:
    """Join two expressions by AND."""
    return Expression(_united(left.holds, right.holds), _multiplied(left.fails, right.fails))


def either(left: Expression, right: Expression) -> Expression:
    """Join two expressions by OR."""
    return Expression(_multiplied(left.holds, right.holds), _united(left.fails, right.fails))


def all_of(expressions: Iterable[Expression]) -> Expression:
    """Join expressions by AND."""
    result = ANYTHING
    for expression in expressions:
        result = both(result, expression)
    return result


def any_of(expressions: Iterable[Expression]) -> Expression:
    """Join expressions by OR; without any, what holds everywhere."""
    first, *others = [*expressions] or [ANYTHING]
    for expression in others:
        first = either(first, expression)
    return first


def query_of(expression: Expression) -> Query:
    """Write an expression as a query.

    Raises:
        Invalid: it has too many clauses.
    """
    if expression.holds is None:
        raise Invalid.field("query.q", "This search combines too many alternatives.", "too_complex")
    return Query(tuple(_clause(alternatives) for alternatives in expression.holds))


def _clause(alternatives: Alternatives) -> QueryClause:
    return AnyOf(alternatives) if len(alternatives) > 1 else alternatives[0]


def _united(left: Clauses, right: Clauses) -> Clauses:
    return None if left is None or right is None else _bounded([*left, *right])


def _multiplied(left: Clauses, right: Clauses) -> Clauses:
    if left is None or right is None:
        return None
    return _bounded(tuple(dict.fromkeys((*first, *second))) for first, second in product(left, right))


def _bounded(clauses: Iterable[Alternatives]) -> Clauses:
    distinct = tuple(dict.fromkeys(clauses))
    return distinct if len(distinct) <= MOST_CLAUSES else None
