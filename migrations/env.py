"""How Alembic reaches the database: through the application's engine, one migrator at a time."""

from __future__ import annotations

from alembic import context
from flask import current_app
from sqlalchemy import text

from backend.extensions import Base

# Any number, known to every migrator: several web containers that start together migrate one after the other.
MIGRATION_LOCK = 7_303_014_251
# Whoever else has rights on all tables gets none to say which version they have.
READ_ONLY_VERSION = """
DO $$
DECLARE
    other regrole;
BEGIN
    FOR other IN SELECT DISTINCT grantee FROM pg_class, aclexplode(relacl)
                  WHERE pg_class.oid = to_regclass('alembic_version') AND grantee NOT IN (0, relowner)
                    AND privilege_type <> 'SELECT' AND relowner = current_user::regrole
    LOOP
        EXECUTE format('REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM %s', other);
    END LOOP;
END $$
"""


def run_migrations() -> None:
    """Apply migrations over one connection without the time-outs meant for requests."""
    engine = current_app.extensions["migrate"].db.engine
    with engine.connect() as connection:
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text("SET lock_timeout = 0"))
        connection.execute(text("SET idle_in_transaction_session_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": MIGRATION_LOCK})
        connection.commit()
        try:
            context.configure(
                connection=connection,
                target_metadata=Base.metadata,
                compare_type=True,
                transaction_per_migration=True,
            )
            with context.begin_transaction():
                context.run_migrations()
            connection.execute(text(READ_ONLY_VERSION))
            connection.commit()
        finally:
            connection.rollback()
            connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": MIGRATION_LOCK})
            connection.commit()


run_migrations()
