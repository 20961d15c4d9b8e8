"""The roles of the database: the owner of the tables, and the application, neither of them a superuser."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ProgrammingError

from backend.local_stack.postgres import EmbeddedPostgres
from tests.support.stack import RunningStack, backend

pytestmark = [pytest.mark.integration, pytest.mark.processes]

PASSWORD = "seventeen small otters\n"
OWNERS = """
    SELECT DISTINCT owner::regrole::text FROM (
        SELECT relowner AS owner, oid, 'pg_class'::regclass AS class FROM pg_class
         WHERE relnamespace IN ('public'::regnamespace, to_regnamespace('activity_partitions'))
        UNION ALL SELECT proowner, oid, 'pg_proc'::regclass FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        UNION ALL SELECT typowner, oid, 'pg_type'::regclass FROM pg_type WHERE typnamespace = 'public'::regnamespace
        UNION ALL SELECT nspowner, oid, 'pg_namespace'::regclass FROM pg_namespace
         WHERE nspname IN ('public', 'activity_partitions')
        UNION ALL SELECT datdba, oid, 'pg_database'::regclass FROM pg_database WHERE datname = current_database()
    ) AS things
     WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = class AND d.objid = oid AND d.deptype = 'e')
       AND NOT EXISTS (SELECT FROM pg_type t JOIN pg_depend d ON d.objid = t.typelem AND d.deptype = 'e'
                        WHERE class = 'pg_type'::regclass AND t.oid = things.oid)
"""


@pytest.fixture
def server(directory: Path) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(directory, durable=False) as postgres:
        yield postgres


def rows(url: str, statement: str) -> list[tuple[object, ...]]:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            found = connection.execute(text(statement))
            return [tuple(row) for row in found] if found.returns_rows else []
    finally:
        engine.dispose()


def test_a_stack_of_an_earlier_version_hands_its_tables_over_and_goes_on(directory: Path) -> None:
    """Before there were roles, the superuser made and used everything."""
    data_dir = directory / "var"
    with EmbeddedPostgres(data_dir, durable=False) as postgres:
        earlier = {"DATABASE_URL": postgres.url, "REDIS_URL": "redis://127.0.0.1:9/0"}
        rows(postgres.url, "REASSIGN OWNED BY fuze_owner TO postgres; DROP OWNED BY fuze_app, fuze_owner")
        rows(postgres.url, "DROP ROLE fuze_app, fuze_owner")
        assert backend("db", "upgrade", FUZE_DATA_DIR=str(data_dir), **earlier).returncode == 0
        made = backend("create-user", "a@example.org", "ada", "--password-stdin", stdin=PASSWORD, **earlier)
        assert made.returncode == 0, made.stderr
        assert rows(postgres.url, OWNERS) == [("postgres",)]

    with RunningStack(data_dir) as running:
        running.wait_ready()
        login = ("create-user", "a@example.org", "ada", "--password-stdin")
        again = backend(*login, stdin=PASSWORD, FUZE_DATA_DIR=str(data_dir))
        assert "already" in again.stderr
        postgres = EmbeddedPostgres(data_dir)
        assert rows(postgres.url, OWNERS) == [("fuze_owner",)]
        used = "SELECT DISTINCT usename::text FROM pg_stat_activity WHERE application_name = 'fuze'"
        assert rows(postgres.url, used) == [("fuze_app",)]
        for words in ("-m gunicorn", "backend worker", "backend scheduler"):
            # Forks of `up` show no environment at all.
            assert not Path(f"/proc/{running.child(words)}/environ").read_bytes().strip(b"\0")


def test_neither_role_is_more_than_it_need_be(server: EmbeddedPostgres) -> None:
    found = rows(
        server.url,
        "SELECT rolname::text, rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls"
        "  FROM pg_roles WHERE rolname ~ '^fuze' ORDER BY 1",
    )
    assert found == [(name, False, False, False, False, False) for name in ("fuze_app", "fuze_owner")]


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (id int)",
        "CREATE TEMPORARY TABLE mine (id int)",
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE SCHEMA mine",
        "ALTER TABLE links ADD COLUMN x int",
        "DROP TABLE links",
        "TRUNCATE links",
        "CREATE INDEX ON links (id)",
        "UPDATE alembic_version SET version_num = '0'",
        "COPY links TO PROGRAM 'id'",
        "COPY links FROM '/etc/passwd'",
        "SELECT pg_read_file('/etc/passwd')",
        "SET session_replication_role = replica",
        "SET ROLE fuze_owner",
        "SET ROLE postgres",
        "ALTER ROLE fuze_app SUPERUSER",
        "ALTER SYSTEM SET work_mem = '1GB'",
    ],
)
def test_the_application_changes_rows_and_nothing_else(tables: EmbeddedPostgres, statement: str) -> None:
    with pytest.raises(ProgrammingError) as refused:
        rows(tables.application_url, statement)
    assert refused.value.orig.pgcode == "42501"  # Insufficient privilege.


def test_the_application_reads_and_writes_rows_of_tables_that_are_made_later(tables: EmbeddedPostgres) -> None:
    rows(tables.owner_url, "CREATE TABLE later (id bigserial PRIMARY KEY, word text)")
    rows(tables.application_url, "INSERT INTO later (word) VALUES ('one'), ('two')")
    rows(tables.application_url, "UPDATE later SET word = 'three' WHERE word = 'two'")
    rows(tables.application_url, "DELETE FROM later WHERE word = 'one'")
    assert rows(tables.application_url, "SELECT id, word FROM later") == [(2, "three")]
    assert rows(tables.application_url, "SELECT version_num FROM alembic_version") == [("0",)]


@pytest.fixture(scope="module")
def tables() -> Iterator[EmbeddedPostgres]:
    """A server with two tables: the one that migrations keep, and another."""
    with (
        tempfile.TemporaryDirectory(prefix="fuze-roles-") as path,
        EmbeddedPostgres(Path(path), durable=False) as postgres,
    ):
        rows(postgres.owner_url, "CREATE TABLE links (id int); CREATE TABLE alembic_version (version_num text)")
        rows(postgres.owner_url, "INSERT INTO alembic_version VALUES ('0')")
        postgres._make_database()
        yield postgres


def test_the_command_makes_roles_with_the_passwords_of_the_addresses(server: EmbeddedPostgres) -> None:
    """As in docker compose: an existing database of the superuser alone, three addresses."""
    host = server.socket_dir
    addresses = {
        "ENVIRONMENT": "production",
        "DATABASE_ADMIN_URL": server.url,
        "DATABASE_MIGRATION_URL": f"postgresql://the_owner:o%2F%40@/fuze?host={host}",
        "DATABASE_URL": f"postgresql://app-1:it's%25@/fuze?host={host}",
    }
    for _ in range(2):
        done = backend("db", "roles", **addresses)
        assert (done.returncode, done.stdout) == (0, "the_owner owns the tables, app-1 uses them\n"), done.stderr
    encrypted = "SELECT rolname::text FROM pg_authid WHERE rolpassword LIKE 'SCRAM-SHA-256$%' ORDER BY 1"
    assert rows(server.url, encrypted) == [("app-1",), ("the_owner",)]

    migrated = backend("db", "upgrade", **{**addresses, "DATABASE_ADMIN_URL": "", "DATABASE_URL": ""})
    assert migrated.returncode == 0, migrated.stderr
    assert rows(server.url, OWNERS) == [("the_owner",)]
    app = make_url(addresses["DATABASE_URL"]).set(drivername="postgresql+psycopg2", password=None)
    with pytest.raises(ProgrammingError):
        rows(app.render_as_string(), "DELETE FROM alembic_version")
    assert rows(app.render_as_string(), "SELECT count(*) FROM bookmarks") == [(0,)]
    # Since PostgreSQL 17 there is a right to this; a large import calls for it.
    rows(app.render_as_string(), "ANALYZE bookmarks, tags")
    analysed = "SELECT relname::text FROM pg_stat_user_tables WHERE last_analyze IS NOT NULL ORDER BY 1"
    assert rows(server.url, analysed) == [("bookmarks",), ("tags",)]


@pytest.mark.parametrize("missing", ["DATABASE_ADMIN_URL", "DATABASE_MIGRATION_URL", "DATABASE_URL"])
def test_the_command_names_the_address_that_is_missing(missing: str) -> None:
    names = ("DATABASE_ADMIN_URL", "DATABASE_MIGRATION_URL", "DATABASE_URL")
    addresses = {name: f"postgresql://{name.lower()}@127.0.0.1:9/fuze" for name in names} | {missing: ""}
    refused = backend("db", "roles", **addresses)
    assert (refused.returncode, refused.stderr) == (2, f"Error: {missing} is missing\n")


def test_a_role_that_is_two_things_is_refused() -> None:
    one = "postgresql://fuze:secret@127.0.0.1:9/fuze"
    refused = backend("db", "roles", DATABASE_ADMIN_URL=one, DATABASE_MIGRATION_URL=one, DATABASE_URL=one)
    assert refused.returncode == 2
    assert "three different roles" in refused.stderr
    assert "secret" not in refused.stderr
