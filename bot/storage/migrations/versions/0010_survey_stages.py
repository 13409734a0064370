"""Invitations to surveys: the groups of who was asked, and whether the message was read."""

import sqlalchemy as sa
from alembic import op

revision = '0010_survey_stages'
down_revision = '0007c'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('survey_invitation') as table:
        table.add_column(sa.Column('language', sa.String(length=8), nullable=False, server_default=''))
        table.add_column(sa.Column('type', sa.String(length=12), nullable=False, server_default='unknown'))
        table.add_column(sa.Column('gender', sa.String(length=12), nullable=False, server_default='unknown'))
        table.add_column(sa.Column('read', sa.Boolean(), nullable=False, server_default=sa.false()))
        table.drop_index('survey_invitation_undelivered')
    op.create_index('survey_invitation_message', 'survey_invitation', ['outbox_key'],
                    sqlite_where=sa.text('outbox_key IS NOT NULL'), postgresql_where=sa.text('outbox_key IS NOT NULL'))


def downgrade() -> None:
    op.drop_index('survey_invitation_message', 'survey_invitation')
    op.create_index('survey_invitation_undelivered', 'survey_invitation', ['wave_id', 'delivered', 'invited_at'])
    with op.batch_alter_table('survey_invitation') as table:
        for column in ('read', 'gender', 'type', 'language'):
            table.drop_column(column)
