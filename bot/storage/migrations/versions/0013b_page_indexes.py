"""Pages of people who work here find their rows by an index, however many tickets and messages are done."""

import sqlalchemy as sa
from alembic import op

revision = '0013b_page_indexes'
down_revision = '0013_progress_talk'
branch_labels = None
depends_on = None


def upgrade() -> None:
    some = sa.text('state > 2')
    op.create_index('inbox_attention', 'inbox', ['state'], sqlite_where=some, postgresql_where=some)
    op.create_index('ticket_closed', 'ticket', ['closed_at'])
    op.create_index('ticket_answered', 'ticket', ['answered_at'])


def downgrade() -> None:
    op.drop_index('ticket_answered', 'ticket')
    op.drop_index('ticket_closed', 'ticket')
    op.drop_index('inbox_attention', 'inbox')
