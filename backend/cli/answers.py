"""What commands say of a database that does not answer, without the application: `db` loads none of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click
from sqlalchemy.exc import OperationalError, ProgrammingError

NO_RIGHT = "42501"


@contextmanager
def database_answers() -> Iterator[None]:
    """Report in one line that the database does not answer, or that the role lacks a right.

    Raises:
        ClickException: one of these.
    """
    try:
        yield
    except OperationalError as error:
        reason = str(error.orig).strip().splitlines()[0]
        raise click.ClickException(f"the database does not answer: {reason}") from None
    except ProgrammingError as error:
        if getattr(error.orig, "pgcode", None) != NO_RIGHT:
            raise
        reason = str(error.orig).strip().splitlines()[0]
        raise click.ClickException(
            f"the role may not do this: {reason}. Set DATABASE_MIGRATION_URL to the owner of the tables"
        ) from None
