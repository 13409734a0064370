"""The desk: claims, drafts, prepared answers, questions back, reasons for closing."""

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0009'
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table('ticket_claim',
    sa.Column('ticket_id', ID, nullable=False),
    sa.Column('person', sa.String(length=80), nullable=False),
    sa.Column('name', sa.String(length=64), nullable=False),
    sa.Column('until', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('ticket_id')
    )
    op.create_table('ticket_draft',
    sa.Column('id', ID, nullable=False),
    sa.Column('ticket_id', ID, nullable=False),
    sa.Column('person', sa.String(length=80), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('saved_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('ticket_id', 'person'),
    sqlite_autoincrement=True
    )
    op.create_table('prepared_answer',
    sa.Column('id', ID, nullable=False),
    sa.Column('ticket_id', ID, nullable=False),
    sa.Column('person', sa.String(length=80), nullable=False),
    sa.Column('name', sa.String(length=64), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('topic', sa.String(length=48), nullable=False),
    sa.Column('translation', sa.Text(), nullable=True),
    sa.Column('language', sa.String(length=8), nullable=True),
    sa.Column('actor_id', ID, nullable=True),
    sa.Column('seen_entry_id', ID, nullable=False),
    sa.Column('prepared_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('held', sa.String(length=24), nullable=True),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('ticket_id'),
    sqlite_autoincrement=True
    )
    with op.batch_alter_table('ticket', table_kwargs={'sqlite_autoincrement': True}) as batch_op:
        batch_op.add_column(sa.Column('asked_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('closed_reason', sa.String(length=24), nullable=True))
        batch_op.add_column(sa.Column('reopened', sa.SmallInteger(), nullable=False, server_default='0'))
    with op.batch_alter_table('ticket_entry', table_kwargs={'sqlite_autoincrement': True}) as batch_op:
        batch_op.add_column(sa.Column('translation', sa.Text(), nullable=True))
        batch_op.add_column(sa.Column('language', sa.String(length=8), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('ticket_entry', table_kwargs={'sqlite_autoincrement': True}) as batch_op:
        batch_op.drop_column('language')
        batch_op.drop_column('translation')
    with op.batch_alter_table('ticket', table_kwargs={'sqlite_autoincrement': True}) as batch_op:
        for column in ('reopened', 'closed_reason', 'closed_at', 'asked_at'):
            batch_op.drop_column(column)
    for table in ('prepared_answer', 'ticket_draft', 'ticket_claim'):
        op.drop_table(table)
