"""The way of the tables: up, down and up again, in a database of its own (R-DB 1, 2, 3)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import flask_migrate
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import make_url

from backend.app import create_app
from backend.extensions import Base, db
from config import Settings
from tests.bookmarks.test_counts import differences
from tests.support.rows import fill_empty_tables, filled_tables

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]
MIGRATIONS = str(Path(__file__).parent.parent / "migrations")
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
LEFT_BEHIND = """
    SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname !~ '^alembic_version'
    UNION ALL
    SELECT typname FROM pg_type t WHERE typnamespace = 'public'::regnamespace AND typname !~ '^_?alembic_version'
       AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = t.oid AND d.deptype = 'e')
    UNION ALL
    SELECT proname FROM pg_proc p WHERE pronamespace = 'public'::regnamespace
       AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
"""
# Every foreign key, its columns in order, and whether the first columns of some index on the table are these.
FOREIGN_KEYS = """
    SELECT c.conrelid::regclass::text AS table_name, c.conname AS name, c.confdeltype AS on_delete,
           array_agg(a.attname::text ORDER BY k.place) AS columns,
           EXISTS (SELECT 1 FROM pg_index i
                    WHERE i.indrelid = c.conrelid AND i.indpred IS NULL
                      AND (i.indkey::int2[])[0:cardinality(c.conkey) - 1] = c.conkey) AS is_indexed
      FROM pg_constraint c
      CROSS JOIN unnest(c.conkey) WITH ORDINALITY AS k(number, place)
      JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.number
     WHERE c.contype = 'f' AND c.connamespace = 'public'::regnamespace
     GROUP BY c.oid
"""
NAMES = """
    SELECT conrelid::regclass::text AS table_name, conname AS name, contype AS kind
      FROM pg_constraint
     WHERE connamespace = 'public'::regnamespace AND contype IN ('p', 'f', 'u', 'c')
       AND conrelid::regclass::text <> 'alembic_version'
"""
ORGANIZATION_OF_ONE = "INSERT INTO organizations (id, name, slug, personal) VALUES (:id, 'o', 'o' || :id, true)"
PERSON = """
    INSERT INTO users (id, email, email_key, username, username_key, password_hash, role, personal_organization_id)
    VALUES (:id, :email, :email, :username, :username, '', 'user', :id)
"""
BOOKMARK = """
    INSERT INTO bookmarks (id, organization_id, url, url_hash, domain, capture_status)
    VALUES (:id, :organization, 'https://example.org', :hash, 'example.org', 'captured')
"""
TAG = "INSERT INTO tags (id, organization_id, name, name_key) VALUES (:id, :organization, :name, :key)"
# What a step back or forth empties on purpose, by revision.
COUNTED_AGAIN = {"0014": {"search_terms"}}
PREFIXES = {"p": "pk", "f": "fk", "u": "uq", "c": "ck"}


@pytest.fixture(scope="module")
def empty(settings: Settings) -> Iterator[Flask]:
    """The application on a database without a table."""
    url = make_url(settings.database_url)
    server = create_engine(url, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text("CREATE DATABASE migrations"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("backend.app.track_app", lambda app: None)
        own = url.set(database="migrations").render_as_string(hide_password=False)
        app = create_app(settings.model_copy(update={"DATABASE_URL": own}))
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()
    with server.connect() as connection:
        connection.execute(text("DROP DATABASE migrations"))
    server.dispose()


@pytest.fixture
def tables(empty: Flask) -> Iterator[Connection]:
    """A connection to the newest tables."""
    flask_migrate.upgrade(MIGRATIONS)
    with db.engine.connect() as connection:
        yield connection


def _revisions() -> list[str]:
    config = Config()
    config.set_main_option("script_location", MIGRATIONS)
    return [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()][::-1]


def _fill() -> set[str]:
    with db.engine.begin() as connection:
        assert fill_empty_tables(connection) == set()
        return filled_tables(connection)


def _all(statement: str) -> list[str]:
    with db.engine.connect() as connection:
        return list(connection.scalars(text(statement)))


def test_up_and_down_leave_nothing_behind_and_up_works_again(empty: Flask) -> None:
    flask_migrate.upgrade(MIGRATIONS)
    newest = _all(TABLES)
    assert set(newest) == {*Base.metadata.tables, "alembic_version"}
    flask_migrate.downgrade(MIGRATIONS, revision="base")
    assert _all(TABLES) == ["alembic_version"]
    assert _all(LEFT_BEHIND) == []
    flask_migrate.upgrade(MIGRATIONS)
    assert _all(TABLES) == newest


def test_every_step_can_be_taken_back_with_rows_in_all_tables_and_loses_none_of_them(empty: Flask) -> None:
    flask_migrate.downgrade(MIGRATIONS, revision="base")
    filled: set[str] = set()
    for revision in _revisions():
        before = _all(TABLES)
        flask_migrate.upgrade(MIGRATIONS, revision=revision)
        _fill()
        flask_migrate.downgrade(MIGRATIONS, revision="-1")
        assert set(_all(TABLES)) == {*before, "alembic_version"}
        flask_migrate.upgrade(MIGRATIONS, revision=revision)
        with db.engine.connect() as connection:
            assert filled - filled_tables(connection) <= COUNTED_AGAIN.get(revision, set()), revision
        filled = _fill()
    assert filled == set(Base.metadata.tables)
    flask_migrate.downgrade(MIGRATIONS, revision="base")
    assert _all(LEFT_BEHIND) == []


def test_names_are_folded_anew_and_nobody_loses_theirs(empty: Flask) -> None:
    flask_migrate.downgrade(MIGRATIONS, revision="base")
    flask_migrate.upgrade(MIGRATIONS, revision="0015")
    flask_migrate.downgrade(MIGRATIONS, revision="-1")
    people = {"ada": "ada@xn--bcher-kva.example", "a\u034fda": "a@b.c", "b\ufe0fob": "x@xn--no-such-.example"}
    people |= {"\u3164": "ada@b\u00fccher.example", "c\u200dy": "c\ufe0fy@xn--strae-oqa.example", "xn--d": "d@d"}
    with db.engine.begin() as connection:
        for number, (username, email) in enumerate(people.items(), 1):
            values = {"id": number, "username": username, "email": email}
            connection.execute(text(ORGANIZATION_OF_ONE), values)
            connection.execute(text(PERSON), values)
    flask_migrate.upgrade(MIGRATIONS, revision="0015")
    assert _all("SELECT username_key FROM users ORDER BY id") == ["ada", "a\u034fda", "bob", "\u3164", "cy", "xn--d"]
    assert _all("SELECT email_key FROM users ORDER BY id") == [
        "ada@xn--bcher-kva.example", "a@b.c", "x@xn--no-such-.example", "ada@b\u00fccher.example",
        "cy@strasse.example", "d@d",
    ]  # fmt: skip
    with db.engine.begin() as connection:
        connection.execute(text("DELETE FROM users"))
        connection.execute(text("DELETE FROM organizations"))


def test_a_token_that_was_replaced_a_moment_ago_is_remembered(empty: Flask) -> None:
    flask_migrate.downgrade(MIGRATIONS, revision="base")
    flask_migrate.upgrade(MIGRATIONS, revision="0017")
    flask_migrate.downgrade(MIGRATIONS, revision="-1")
    session = """
        INSERT INTO sessions
            (id, user_id, refresh_token_hash, previous_token_hash, rotated_at, user_agent, ip, expires_at)
        VALUES (gen_random_uuid(), 1, '', :previous, now() - CAST(:age AS interval), :name, '', now())
    """
    with db.engine.begin() as connection:
        connection.execute(text(ORGANIZATION_OF_ONE), {"id": 1})
        connection.execute(text(PERSON), {"id": 1, "username": "ada", "email": "ada@example.org"})
        for name, previous, age in (("new", None, "1 second"), ("used", b"x", "1 second"), ("old", b"x", "1 hour")):
            connection.execute(text(session), {"name": name, "previous": previous, "age": age})
    flask_migrate.upgrade(MIGRATIONS, revision="0017")
    assert _all("SELECT user_agent FROM sessions WHERE recent_rotations = ARRAY[rotated_at]") == ["used"]
    assert _all("SELECT user_agent FROM sessions WHERE recent_rotations = '{}' ORDER BY 1") == ["new", "old"]
    with db.engine.begin() as connection:
        connection.execute(text("DELETE FROM users"))
        connection.execute(text("DELETE FROM organizations"))


def test_vectors_outlive_the_change_to_half_precision_and_back(empty: Flask) -> None:
    vector = "SELECT embedding::text FROM bookmark_embeddings"
    flask_migrate.downgrade(MIGRATIONS, revision="base")
    flask_migrate.upgrade(MIGRATIONS, revision="0003")
    flask_migrate.downgrade(MIGRATIONS, revision="-1")
    with db.engine.begin() as connection:
        connection.execute(
            text("""
                INSERT INTO organizations (id, name, slug, personal) VALUES (1, 'o', 'o', true);
                INSERT INTO bookmarks (id, organization_id, url, url_hash, domain, capture_status)
                VALUES (1, 1, 'https://example.org', '', 'example.org', 'captured');
                INSERT INTO bookmark_embeddings (bookmark_id, organization_id, model, dimension, embedding)
                VALUES (1, 1, 'a', 3, '[0.5,-0.25,1]')
            """)
        )
    flask_migrate.upgrade(MIGRATIONS, revision="0003")
    assert _all(vector) == ["[0.5,-0.25,1]"]
    flask_migrate.downgrade(MIGRATIONS, revision="-1")
    assert _all(vector) == ["[0.5,-0.25,1]"]
    with db.engine.begin() as connection:
        connection.execute(text("DELETE FROM organizations"))


def test_what_is_there_already_is_counted(empty: Flask) -> None:
    flask_migrate.downgrade(MIGRATIONS, revision="base")
    flask_migrate.upgrade(MIGRATIONS, revision="0013")
    flask_migrate.downgrade(MIGRATIONS, revision="-1")
    with db.engine.begin() as connection:
        connection.execute(
            text("""
                INSERT INTO organizations (id, name, slug, personal) VALUES (1, 'o', 'o', true), (2, 'p', 'p', true);
                INSERT INTO bookmarks (id, organization_id, url, url_hash, domain, capture_status, is_archived,
                                       deleted_at)
                SELECT n, 1 + n % 2, 'https://example.org', sha256(n::text::bytea), 'example.org', 'captured',
                       n % 3 = 0, CASE WHEN n % 5 = 0 THEN now() END
                  FROM generate_series(1, 15000) AS n;
                INSERT INTO tags (id, organization_id, name, name_key) VALUES (1, 1, 't', 't'), (2, 2, 't', 't');
                INSERT INTO bookmark_tags (bookmark_id, tag_id)
                SELECT id, organization_id FROM bookmarks WHERE id % 7 = 0
            """)
        )
    flask_migrate.upgrade(MIGRATIONS, revision="0013")
    with db.engine.connect() as connection:
        assert differences(connection) == []
        assert connection.scalar(text("SELECT sum(bookmarks) FROM bookmark_counts WHERE is_tagged")) == 15000 // 7
    with db.engine.begin() as connection:
        connection.execute(text("DELETE FROM organizations"))


TAGS = [
    (1, 1, "plain", "plain"),
    (2, 1, "to  read", "to  read"),
    (3, 1, "To read", "to read"),
    (4, 1, "Cafe\u0301", "cafe\u0301"),
    (5, 1, "CAF\u00c9", "caf\u00e9"),
    (6, 1, "nb\u00a0sp", "nb\u00a0sp"),
    (7, 1, "\u00a0", "\u00a0"),
    (8, 2, "to  read", "to  read"),
    (9, 1, "stra\u00dfe", "strasse"),
]
# Bookmark, tag, position.
CARRIED = [(1, 2, 1), (1, 3, 2), (1, 1, 0), (2, 2, 0), (2, 4, 1), (3, 5, 0), (3, 4, 1), (4, 8, 0), (3, 6, 2), (3, 7, 3)]


def test_names_of_tags_are_folded_and_no_link_is_lost(empty: Flask) -> None:
    flask_migrate.downgrade(MIGRATIONS, revision="base")
    flask_migrate.upgrade(MIGRATIONS, revision="0022")
    flask_migrate.downgrade(MIGRATIONS, revision="-1")
    with db.engine.begin() as connection:
        for number in (1, 2):
            connection.execute(text(ORGANIZATION_OF_ONE), {"id": number})
        for number in range(1, 6):
            values = {"id": number, "organization": 2 if number == 4 else 1, "hash": bytes([number])}
            connection.execute(text(BOOKMARK), values)
        for id_, organization, name, key in TAGS:
            values = {"id": id_, "organization": organization, "name": name, "key": key}
            connection.execute(text(TAG), values)
        for bookmark, tag, position in CARRIED:
            values = {"bookmark": bookmark, "tag": tag, "position": position}
            connection.execute(text("INSERT INTO bookmark_tags VALUES (:bookmark, :tag, :position)"), values)
    flask_migrate.upgrade(MIGRATIONS, revision="0022")
    with db.engine.connect() as connection:
        tags = connection.execute(text("SELECT id, name, name_key FROM tags ORDER BY id")).all()
        assert [tuple(tag) for tag in tags] == [
            (1, "plain", "plain"),
            (3, "To read", "to read"),
            (5, "CAF\u00c9", "caf\u00e9"),
            (6, "nb sp", "nb sp"),
            (7, "unnamed", "unnamed"),
            (8, "to read", "to read"),
            (9, "stra\u00dfe", "strasse"),
        ]
        links = connection.execute(text("SELECT bookmark_id, tag_id FROM bookmark_tags ORDER BY 1, 2")).all()
        assert [tuple(link) for link in links] == [(1, 1), (1, 3), (2, 3), (2, 5), (3, 5), (3, 6), (3, 7), (4, 8)]
        due = connection.execute(text("SELECT id FROM bookmarks WHERE document_due_at IS NOT NULL ORDER BY 1"))
        assert list(due.scalars()) == [1, 2, 3, 4]
        assert differences(connection) == []
    with db.engine.begin() as connection:
        connection.execute(text("DELETE FROM organizations"))


def test_of_texts_that_are_there_only_the_stored_pages_title_is_taken_for_the_pages(empty: Flask) -> None:
    flask_migrate.downgrade(MIGRATIONS, revision="base")
    flask_migrate.upgrade(MIGRATIONS, revision="0026")
    flask_migrate.downgrade(MIGRATIONS, revision="-1")
    # Title, description, and the title of the stored page, if there is one.
    texts = [("", "", None), ("Mine", "", None), ("Page", "Words", "Page"), ("Mine", "", "Page"), ("", "Words", "Page")]
    with db.engine.begin() as connection:
        connection.execute(text(ORGANIZATION_OF_ONE), {"id": 1})
        for number, (title, description, page) in enumerate(texts, 1):
            connection.execute(text(BOOKMARK), {"id": number, "organization": 1, "hash": bytes([number])})
            values = {"id": number, "title": title, "description": description, "page": page}
            connection.execute(
                text("UPDATE bookmarks SET title = :title, description = :description WHERE id = :id"), values
            )
            if page is not None:
                connection.execute(
                    text("""
                        INSERT INTO bookmark_contents (bookmark_id, title, text, html, word_count, vector)
                        VALUES (:id, :page, '', '', 0, '')
                    """),
                    values,
                )
    flask_migrate.upgrade(MIGRATIONS, revision="0026")
    assert _all("SELECT title_from FROM bookmarks ORDER BY id") == ["nobody", "person", "page", "person", "nobody"]
    assert _all("SELECT description_from FROM bookmarks ORDER BY id") == [
        "nobody", "nobody", "person", "nobody", "person",
    ]  # fmt: skip
    with db.engine.begin() as connection:
        connection.execute(text("DELETE FROM organizations"))


def test_there_is_one_newest_version() -> None:
    config = Config()
    config.set_main_option("script_location", MIGRATIONS)
    assert len(ScriptDirectory.from_config(config).get_heads()) == 1


def test_the_tables_are_those_of_the_models(tables: Connection) -> None:
    context = MigrationContext.configure(tables, opts={"compare_type": True, "compare_server_default": True})
    assert compare_metadata(context, Base.metadata) == []


def test_every_foreign_key_is_indexed_and_says_what_a_deletion_does(tables: Connection) -> None:
    found = tables.execute(text(FOREIGN_KEYS)).all()
    assert len(found) >= 10
    assert [row.name for row in found if not row.is_indexed] == []
    assert [row.name for row in found if row.on_delete == "a"] == []
    for row in found:
        assert row.name == "_".join(["fk", row.table_name, *row.columns])


def test_every_constraint_has_a_name_that_says_what_it_holds(tables: Connection) -> None:
    found = tables.execute(text(NAMES)).all()
    assert [row.name for row in found if not row.name.startswith(f"{PREFIXES[row.kind]}_{row.table_name}")] == []


def test_every_table_of_a_tenant_goes_with_its_organization(tables: Connection) -> None:
    """Decision 3, and R-DB 3: deleting an organization leaves nothing of it."""
    cascading = {row.table_name for row in tables.execute(text(FOREIGN_KEYS)) if row.on_delete == "c"}
    own = {table.name for table in Base.metadata.sorted_tables if "organization_id" in table.columns}
    assert own <= cascading
