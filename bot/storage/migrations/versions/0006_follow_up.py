"""What follows a question: mail to people who work here, cost of messages, proposals, who takes an urgent question."""

import sqlalchemy as sa
from alembic import op

revision = '0006'
down_revision = '0007'
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
OPEN = sa.text('state < 2')


def upgrade() -> None:
    op.create_table('mail',
    sa.Column('id', ID, nullable=False),
    sa.Column('key', sa.String(length=160), nullable=False),
    sa.Column('kind', sa.String(length=24), nullable=False),
    sa.Column('recipient', sa.String(length=254), nullable=False),
    sa.Column('language', sa.String(length=8), nullable=False),
    sa.Column('params', sa.JSON(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('state', sa.SmallInteger(), nullable=False),
    sa.Column('attempts', sa.SmallInteger(), nullable=False),
    sa.Column('lease', sa.String(length=32), nullable=True),
    sa.Column('lease_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('sent_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('error', sa.String(length=200), nullable=True),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('key'),
    sqlite_autoincrement=True
    )
    op.create_index('mail_open', 'mail', ['due_at'], unique=False, sqlite_where=OPEN, postgresql_where=OPEN)
    op.create_index('ix_mail_created_at', 'mail', ['created_at'], unique=False)
    op.create_table('spend',
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('language', sa.String(length=8), nullable=False),
    sa.Column('outcome', sa.String(length=8), nullable=False),
    sa.Column('n', sa.Integer(), nullable=False),
    sa.Column('micro_eur', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('day', 'kind', 'language', 'outcome')
    )
    op.create_table('proposal',
    sa.Column('id', ID, nullable=False),
    sa.Column('topic', sa.String(length=48), nullable=False),
    sa.Column('form', sa.JSON(), nullable=False),
    sa.Column('author', sa.String(length=64), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('live_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('told', sa.Integer(), nullable=False),
    sa.Column('offered', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('topic'),
    sqlite_autoincrement=True
    )
    op.create_index('ix_proposal_changed_at', 'proposal', ['changed_at'], unique=False)
    op.create_table('proposal_ticket',
    sa.Column('proposal_id', ID, nullable=False),
    sa.Column('ticket_id', ID, nullable=False),
    sa.ForeignKeyConstraint(['proposal_id'], ['proposal.id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('proposal_id', 'ticket_id')
    )
    op.create_index('ix_proposal_ticket_ticket_id', 'proposal_ticket', ['ticket_id'], unique=False)
    op.add_column('outbox', sa.Column('kind', sa.String(length=16), nullable=True))
    op.add_column('ticket', sa.Column('taken_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('ticket', sa.Column('taken_by', sa.String(length=64), nullable=True))
    op.create_index('ticket_made', 'ticket', ['created_at', 'answered_at'], unique=False)


def downgrade() -> None:
    op.drop_index('ticket_made', table_name='ticket')
    op.drop_column('ticket', 'taken_by')
    op.drop_column('ticket', 'taken_at')
    op.drop_column('outbox', 'kind')
    for table in ('proposal_ticket', 'proposal', 'spend', 'mail'):
        op.drop_table(table)
