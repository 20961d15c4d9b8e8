"""Invitations; organizations that are deleted, until the worker has removed what was in them."""

from __future__ import annotations

from alembic import op
import sqlalchemy as sa

revision = '0007'
down_revision = '0006'


def upgrade() -> None:
    op.add_column('organizations', sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True))
    op.create_table('invitations',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('organization_id', sa.BigInteger(), nullable=False),
    sa.Column('email', sa.Text(), nullable=False),
    sa.Column('email_key', sa.Text(), nullable=False),
    sa.Column('role', sa.Text(), nullable=False),
    sa.Column('token_hash', sa.LargeBinary(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("role in ('owner', 'editor', 'viewer')", name=op.f('ck_invitations_role')),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_invitations_organization_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_invitations')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_invitations_token_hash'))
    )
    op.create_index('uq_invitations_organization_id_email_key', 'invitations', ['organization_id', 'email_key'], unique=True)
    op.create_index(op.f('ix_invitations_expires_at'), 'invitations', ['expires_at'], unique=False)
    with op.get_context().autocommit_block():
        op.create_index('ix_organizations_deleted_at', 'organizations', ['deleted_at'], unique=False,
                        postgresql_where=sa.text('deleted_at IS NOT NULL'),
                        postgresql_concurrently=True, if_not_exists=True)


def downgrade() -> None:
    # Without the column nobody would remove them.
    op.execute("DELETE FROM organizations WHERE deleted_at IS NOT NULL")
    with op.get_context().autocommit_block():
        op.drop_index('ix_organizations_deleted_at', table_name='organizations',
                      postgresql_concurrently=True, if_exists=True)
    op.drop_table('invitations')
    op.drop_column('organizations', 'deleted_at')
