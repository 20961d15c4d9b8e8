"""PostgreSQL's own statistics after a large import: without them it plans for the small tables of before."""

from __future__ import annotations

from loguru import logger
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from backend.extensions import db

# Where the application's role may not (PostgreSQL before 17 knows no such right), the server says so and goes on:
# autovacuum does it within some minutes.
ANALYZE = text("ANALYZE bookmarks, bookmark_documents, bookmark_tags, tags, project_bookmarks")


def refresh_planner_statistics() -> None:
    """Have PostgreSQL look at the tables that an import has filled. Commits."""
    try:
        db.session.execute(ANALYZE)
        db.session.commit()
    except DBAPIError as error:
        # Another session analyses them, or the machine is busy: nothing depends on it.
        db.session.rollback()
        logger.warning("tables are not analysed after an import: {}", type(error.orig).__name__)
