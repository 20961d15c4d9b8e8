"""Imports: uploaded files in pieces, how far each has been read, and the lines that could not be taken."""

from __future__ import annotations

from alembic import op
import sqlalchemy as sa

revision = '0027'
down_revision = '0026'


def upgrade() -> None:
    op.create_table('imports',
    sa.Column('job_id', sa.Uuid(), nullable=False),
    sa.Column('organization_id', sa.BigInteger(), nullable=False),
    sa.Column('format', sa.Text(), nullable=False),
    sa.Column('size', sa.BigInteger(), nullable=False),
    sa.Column('total', sa.BigInteger(), nullable=True),
    sa.Column('position', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('created', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('duplicates', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('skipped', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('failed', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('mended', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('restore_stage', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('restored_items', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('error', sa.Text(), nullable=True),
    sa.CheckConstraint('position = created + duplicates + skipped + failed', name=op.f('ck_imports_counts')),
    sa.ForeignKeyConstraint(['job_id'], ['jobs.id'], name=op.f('fk_imports_job_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_imports_organization_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('job_id', name=op.f('pk_imports'))
    )
    op.create_index('ix_imports_created_at', 'imports', ['created_at'], unique=False)
    op.create_index(op.f('ix_imports_organization_id'), 'imports', ['organization_id'], unique=False)
    op.create_table('upload_parts',
    sa.Column('job_id', sa.Uuid(), nullable=False),
    sa.Column('position', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('data', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['job_id'], ['imports.job_id'], name=op.f('fk_upload_parts_job_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('job_id', 'position', name=op.f('pk_upload_parts'))
    )
    # Read once or twice and deleted: compressing would take longer than it saves.
    op.execute("ALTER TABLE upload_parts ALTER COLUMN data SET STORAGE EXTERNAL")
    op.create_table('imported_ids',
    sa.Column('job_id', sa.Uuid(), nullable=False),
    sa.Column('bookmark_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.ForeignKeyConstraint(['job_id'], ['imports.job_id'], name=op.f('fk_imported_ids_job_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('job_id', 'bookmark_id', name=op.f('pk_imported_ids'))
    )
    op.create_table('import_remarks',
    sa.Column('job_id', sa.Uuid(), nullable=False),
    sa.Column('position', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('outcome', sa.Text(), nullable=False),
    sa.Column('line', sa.BigInteger(), nullable=False),
    sa.Column('url', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.CheckConstraint("outcome in ('skipped', 'failed', 'mended')", name=op.f('ck_import_remarks_outcome')),
    sa.ForeignKeyConstraint(['job_id'], ['imports.job_id'], name=op.f('fk_import_remarks_job_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('job_id', 'position', name=op.f('pk_import_remarks'))
    )


def downgrade() -> None:
    op.drop_table('import_remarks')
    op.drop_table('imported_ids')
    op.drop_table('upload_parts')
    op.drop_table('imports')
