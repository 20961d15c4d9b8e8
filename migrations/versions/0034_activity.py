"""The activity log, partitioned by month, and its roll-ups.

Partitions lie in a schema of their own. The application may change no tables: two functions that run with the rights
of the owner make the partitions of coming months and drop those of months long past. What no month takes goes into the
default partition, so that an insert never fails for want of one.
"""

from __future__ import annotations

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = '0034'
down_revision = '0033'

MONTHS_AHEAD = 3
APPEND_ONLY = """
CREATE FUNCTION refuse_activity_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    OLD.user_id := NULL;
    IF NEW IS DISTINCT FROM OLD THEN
        RAISE EXCEPTION 'rows of activity are not changed' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""
TRIGGER = """
CREATE TRIGGER append_only BEFORE UPDATE ON activity FOR EACH ROW EXECUTE FUNCTION refuse_activity_update()
"""
SETTINGS = "SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'"
# A month is filled before it is attached: rows of it that came too early lie in the default partition.
MAKE = f"""
CREATE FUNCTION make_activity_partitions(months integer) RETURNS integer LANGUAGE plpgsql {SETTINGS} AS $$
DECLARE
    first timestamptz;
    next timestamptz;
    name text;
    made integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('activity_partitions'));
    FOR ahead IN 0..least(months, 120) LOOP
        first := date_trunc('month', now()) + make_interval(months => ahead);
        next := first + interval '1 month';
        name := to_char(first, '"m"YYYY_MM');
        CONTINUE WHEN to_regclass(format('activity_partitions.%I', name)) IS NOT NULL;
        EXECUTE format('CREATE TABLE activity_partitions.%I (LIKE public.activity INCLUDING DEFAULTS '
                       'INCLUDING CONSTRAINTS)', name);
        EXECUTE format('WITH moved AS (DELETE FROM activity_partitions.other WHERE created_at >= %L AND created_at < %L'
                       ' RETURNING *) INSERT INTO activity_partitions.%I SELECT * FROM moved', first, next, name);
        EXECUTE format('ALTER TABLE public.activity ATTACH PARTITION activity_partitions.%I '
                       'FOR VALUES FROM (%L) TO (%L)', name, first, next);
        made := made + 1;
    END LOOP;
    RETURN made;
END $$
"""
DROP = f"""
CREATE FUNCTION drop_activity_partitions(before timestamptz) RETURNS integer LANGUAGE plpgsql {SETTINGS} AS $$
DECLARE
    month record;
    dropped integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('activity_partitions'));
    FOR month IN
        SELECT relname FROM pg_class
         WHERE relnamespace = 'activity_partitions'::regnamespace AND relkind = 'r' AND relname ~ '^m\\d{{4}}_\\d\\d$'
           AND to_date(substr(relname, 2), 'YYYY_MM') + interval '1 month' <= before
    LOOP
        EXECUTE format('DROP TABLE activity_partitions.%I', month.relname);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END $$
"""


def upgrade() -> None:
    op.create_table('activity',
    sa.Column('id', sa.BigInteger(), autoincrement=True, nullable=False),
    sa.Column('organization_id', sa.BigInteger(), nullable=False),
    sa.Column('user_id', sa.BigInteger(), nullable=True),
    sa.Column('type', sa.Text(), nullable=False),
    sa.Column('object_type', sa.Text(), nullable=False),
    sa.Column('object_id', sa.BigInteger(), nullable=True),
    sa.Column('data', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    sa.Column('request_id', sa.Text(), server_default='', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.CheckConstraint('pg_column_size(data) <= 2000', name=op.f('ck_activity_data')),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_activity_organization_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_activity_user_id'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', 'created_at', name=op.f('pk_activity')),
    postgresql_partition_by='RANGE (created_at)'
    )
    newest_first = [sa.text('created_at DESC'), sa.text('id DESC')]
    op.create_index('ix_activity_organization', 'activity', ['organization_id', *newest_first], unique=False)
    op.create_index('ix_activity_type', 'activity', ['organization_id', 'type', *newest_first], unique=False)
    op.create_index('ix_activity_object', 'activity', ['organization_id', 'object_type', 'object_id', *newest_first], unique=False)
    op.create_index('ix_activity_user', 'activity', ['user_id', 'organization_id', *newest_first], unique=False)
    op.create_table('activity_counts',
    sa.Column('organization_id', sa.BigInteger(), nullable=False),
    sa.Column('series', sa.Text(), nullable=False),
    sa.Column('bucket', sa.DateTime(timezone=True), nullable=False),
    sa.Column('source', sa.Text(), server_default='', nullable=False),
    sa.Column('count', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_activity_counts_organization_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('organization_id', 'series', 'bucket', 'source', name=op.f('pk_activity_counts'))
    )
    op.create_table('activity_progress',
    sa.Column('id', sa.SmallInteger(), autoincrement=False, nullable=False),
    sa.Column('rolled_up_to', sa.DateTime(timezone=True), nullable=True),
    sa.Column('purged_to', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint('id = 1', name=op.f('ck_activity_progress_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_activity_progress'))
    )
    op.execute("CREATE SCHEMA activity_partitions")
    op.execute("CREATE TABLE activity_partitions.other PARTITION OF activity DEFAULT")
    for statement in (APPEND_ONLY, TRIGGER, MAKE, DROP):
        op.execute(statement)
    op.execute(f"SELECT make_activity_partitions({MONTHS_AHEAD})")


def downgrade() -> None:
    op.drop_table('activity_progress')
    op.drop_table('activity_counts')
    op.drop_table('activity')
    op.execute("DROP SCHEMA activity_partitions")
    op.execute("DROP FUNCTION make_activity_partitions(integer), drop_activity_partitions(timestamptz), refuse_activity_update()")
