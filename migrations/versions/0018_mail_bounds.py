"""Who sent an invitation; how many mails went to a mailbox and a domain; how many registered from an address."""

from __future__ import annotations

from alembic import op
import sqlalchemy as sa

revision = '0018'
down_revision = '0017'

INDEXES = {
    'ix_invitations_invited_by': ('invitations', ['invited_by']),
    'ix_mails_mailbox_started_at': ('mails', ['mailbox', 'started_at']),
    'ix_mails_domain_started_at': ('mails', ['domain', 'started_at']),
}
# Invitations that are open were sent by whom the security events name. One whose sender is not found is worth nothing.
SENDERS = """
    UPDATE invitations SET invited_by = (
        SELECT e.user_id FROM security_events e
         WHERE e.kind = 'invitation_sent' AND e.organization_id = invitations.organization_id
           AND e.detail->>'email' = invitations.email
         ORDER BY e.created_at DESC, e.id DESC LIMIT 1)
     WHERE used_at IS NULL
"""


def upgrade() -> None:
    op.add_column('invitations', sa.Column('invited_by', sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f('fk_invitations_invited_by'), 'invitations', 'users', ['invited_by'], ['id'], ondelete='CASCADE')
    op.execute(SENDERS)
    op.add_column('mails', sa.Column('mailbox', sa.Text(), server_default='', nullable=False))
    op.add_column('mails', sa.Column('domain', sa.Text(), server_default='', nullable=False))
    op.add_column('mails', sa.Column('solicited', sa.Boolean(), server_default=sa.text('false'), nullable=False))
    op.add_column('mails', sa.Column('started_at', sa.DateTime(timezone=True), nullable=True))
    op.create_table('registrations',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('address', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_registrations'))
    )
    op.create_index('ix_registrations_address_created_at', 'registrations', ['address', 'created_at'], unique=False)
    with op.get_context().autocommit_block():
        for name, (table, columns) in INDEXES.items():
            op.create_index(name, table, columns, unique=False, postgresql_concurrently=True, if_not_exists=True)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        for name, (table, _) in INDEXES.items():
            op.drop_index(name, table_name=table, postgresql_concurrently=True, if_exists=True)
    op.drop_table('registrations')
    for column in ('started_at', 'solicited', 'domain', 'mailbox'):
        op.drop_column('mails', column)
    op.drop_constraint(op.f('fk_invitations_invited_by'), 'invitations', type_='foreignkey')
    op.drop_column('invitations', 'invited_by')
