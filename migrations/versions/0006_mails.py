"""Mails to send, the single-use tokens in them, and when an address was verified."""

from __future__ import annotations

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = '0006'
down_revision = '0005'


def upgrade() -> None:
    op.create_table('mails',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('to_address', sa.Text(), nullable=False),
    sa.Column('template', sa.Text(), nullable=False),
    sa.Column('language', sa.Text(), nullable=False),
    sa.Column('values', postgresql.JSONB(), nullable=False),
    sa.Column('status', sa.Text(), server_default='queued', nullable=False),
    sa.Column('attempts', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('error', sa.Text(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('sent_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("status in ('queued', 'sent', 'failed')", name=op.f('ck_mails_status')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_mails'))
    )
    op.create_index('ix_mails_due', 'mails', ['due_at'], unique=False, postgresql_where=sa.text("status = 'queued'"))
    op.create_table('mail_tokens',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('user_id', sa.BigInteger(), nullable=False),
    sa.Column('purpose', sa.Text(), nullable=False),
    sa.Column('token_hash', sa.LargeBinary(), nullable=False),
    sa.Column('email', sa.Text(), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("purpose in ('verify', 'reset')", name=op.f('ck_mail_tokens_purpose')),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_mail_tokens_user_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_mail_tokens')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_mail_tokens_token_hash'))
    )
    op.create_index('ix_mail_tokens_user_id_purpose_created_at', 'mail_tokens', ['user_id', 'purpose', 'created_at'], unique=False)
    op.add_column('users', sa.Column('email_verified_at', sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column('users', 'email_verified_at')
    op.drop_table('mail_tokens')
    op.drop_table('mails')
