"""What waits for capture, by organization; and the right to analyse what an import has filled (PostgreSQL 17)."""

from __future__ import annotations

from alembic import op
import sqlalchemy as sa

revision = '0028'
down_revision = '0027'

TABLES = "ARRAY['bookmarks', 'bookmark_documents', 'bookmark_tags', 'tags', 'project_bookmarks']"
# The application's role is whoever may insert here without owning the table. Where it cannot be given the right, the
# tables are analysed by autovacuum alone.
MAINTAIN = f"""
DO $$
DECLARE
    found record;
BEGIN
    IF current_setting('server_version_num')::int < 170000 THEN
        RETURN;
    END IF;
    FOR found IN
        SELECT DISTINCT c.oid::regclass AS name, acl.grantee
          FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) acl
         WHERE c.oid = ANY (CAST({TABLES} AS regclass[])) AND acl.privilege_type = 'INSERT'
           AND acl.grantee NOT IN (0, c.relowner)
    LOOP
        EXECUTE format('{{statement}}', found.name, found.grantee::regrole);
    END LOOP;
END $$;
"""


def upgrade() -> None:
    op.execute(MAINTAIN.replace('{statement}', 'GRANT MAINTAIN ON %s TO %s'))
    with op.get_context().autocommit_block():
        op.create_index('ix_bookmarks_capture_backlog', 'bookmarks', ['organization_id', 'capture_due_at'], unique=False, postgresql_where=sa.text("capture_status = 'pending' AND deleted_at IS NULL"), postgresql_concurrently=True, if_not_exists=True)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index('ix_bookmarks_capture_backlog', table_name='bookmarks', postgresql_concurrently=True, if_exists=True)
    op.execute(MAINTAIN.replace('{statement}', 'REVOKE MAINTAIN ON %s FROM %s'))
