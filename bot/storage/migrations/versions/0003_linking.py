"""Linking: wrong codes that were tried, the welcome, and the phases that somebody was told about."""

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('link_try',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('contact_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['contact_id'], ['contact.id'], ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id'),
    sqlite_autoincrement=True
    )
    with op.batch_alter_table('link_try', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_link_try_contact_id'), ['contact_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_link_try_at'), ['at'], unique=False)
    op.add_column('party', sa.Column('welcomed_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('party', sa.Column('told', sa.JSON(), server_default='[]', nullable=False))


def downgrade() -> None:
    with op.batch_alter_table('party', table_kwargs={'sqlite_autoincrement': True}) as batch_op:
        batch_op.drop_column('told')
        batch_op.drop_column('welcomed_at')
    op.drop_table('link_try')
