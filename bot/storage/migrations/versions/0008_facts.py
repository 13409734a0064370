"""Facts of a day that outlive the rows of people."""

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007b'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('fact',
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('name', sa.String(length=24), nullable=False),
    sa.Column('part', sa.String(length=24), nullable=False),
    sa.Column('n', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('day', 'name', 'part')
    )


def downgrade() -> None:
    op.drop_table('fact')
