"""The lists of docs/scaling.md are those of the models: which keys carry the organization, and which lack it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Table, UniqueConstraint

from backend.extensions import Base

pytestmark = pytest.mark.unit
DOCUMENT = Path(__file__).parents[1] / "docs" / "scaling.md"
TENANT = "organization_id"
LIST = re.compile(r"^\| ([\w ]+) \| .*? \| (`.*`) \|$", re.MULTILINE)
OF_EVERYBODY, OF_A_TENANT = "tables of people and of the server", "tables that lack the column"


def documented() -> dict[str, set[str]]:
    """The names of each list, as the document has them."""
    return {title: set(re.findall(r"`(\w+)`", names)) for title, names in LIST.findall(DOCUMENT.read_text())}


def tables() -> list[Table]:
    return list(Base.metadata.tables.values())


def primary_keys() -> set[str]:
    return {table.name for table in tables() if TENANT in table.c and TENANT not in table.primary_key.columns}


def unique_keys() -> Iterator[str]:
    for table in tables():
        if TENANT not in table.c:
            continue
        for constraint in table.constraints:
            if isinstance(constraint, UniqueConstraint) and TENANT not in constraint.columns:
                yield str(constraint.name)
        for index in table.indexes:
            if index.unique and not any(TENANT in str(expression) for expression in index.expressions):
                yield str(index.name)


def foreign_keys(of_everybody: set[str]) -> set[str]:
    return {
        str(constraint.name)
        for table in tables()
        for constraint in table.foreign_key_constraints
        if table.name not in of_everybody
        and constraint.referred_table.name not in of_everybody
        and TENANT not in constraint.columns
    }


def test_the_lists_of_keys_are_those_of_the_models(migrated_app: Flask) -> None:
    lists = documented()
    without = {table.name for table in tables() if TENANT not in table.c}
    assert lists[OF_EVERYBODY] | lists[OF_A_TENANT] == without
    assert not lists[OF_EVERYBODY] & lists[OF_A_TENANT]
    assert lists["primary keys"] == primary_keys()
    assert lists["unique keys"] == set(unique_keys())
    assert lists["foreign keys"] == foreign_keys(lists[OF_EVERYBODY])
