"""Links with which people see what is kept of them."""

import sqlalchemy as sa
from alembic import op

revision = '0009'
down_revision = '0004_accounts'
branch_labels = None
depends_on = None


def upgrade() -> None:
    big = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
    op.create_table('data_link',
    sa.Column('hash', sa.String(length=64), nullable=False),
    sa.Column('contact_id', big, nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['contact_id'], ['contact.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('hash'),
    sa.UniqueConstraint('contact_id')
    )


def downgrade() -> None:
    op.drop_table('data_link')
