"""Waves of surveys: a budget for templates outside WhatsApp's window, and why an invitation waits."""

import sqlalchemy as sa
from alembic import op

revision = '0010b_survey_budget'
down_revision = '0010_survey_stages'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('survey_wave') as table:
        table.add_column(sa.Column('budget', sa.BigInteger(), nullable=True))
        table.add_column(sa.Column('spent', sa.BigInteger(), nullable=False, server_default='0'))
    with op.batch_alter_table('survey_invitation') as table:
        table.add_column(sa.Column('cost', sa.Integer(), nullable=False, server_default='0'))
        table.add_column(sa.Column('waits', sa.String(length=12), nullable=False, server_default=''))


def downgrade() -> None:
    with op.batch_alter_table('survey_invitation') as table:
        table.drop_column('waits')
        table.drop_column('cost')
    with op.batch_alter_table('survey_wave') as table:
        table.drop_column('spent')
        table.drop_column('budget')
