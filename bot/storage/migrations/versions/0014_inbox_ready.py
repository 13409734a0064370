"""What is ready to be claimed is found in its order, however many messages wait."""

import sqlalchemy as sa
from alembic import op

revision = '0014_inbox_ready'
down_revision = '0013b_page_indexes'
branch_labels = None
depends_on = None


def upgrade() -> None:
    ready = sa.text('state = 0')
    op.create_index('inbox_ready', 'inbox', ['id', 'due_at'], sqlite_where=ready, postgresql_where=ready)


def downgrade() -> None:
    op.drop_index('inbox_ready', 'inbox')
