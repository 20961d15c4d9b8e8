"""Whether the server can answer linkding's clients."""

from __future__ import annotations

from loguru import logger
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from backend.extensions import db
from backend.linkding.account.schemas import LinkdingHealthOut


def check_health() -> LinkdingHealthOut:
    """Ask the database for a sign of life: without it the server is unhealthy."""
    try:
        db.session.execute(text("SELECT 1"))
        db.session.rollback()
    except SQLAlchemyError as error:
        logger.warning("database unavailable to linkding's clients: {}", type(error).__name__)
        return LinkdingHealthOut(status="unhealthy")
    return LinkdingHealthOut()
