"""Surveys: waves, invitations and consent; and, on the other side of the wall, answers."""

import sqlalchemy as sa
from alembic import op

revision = '0007b'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    big = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
    moment = sa.DateTime(timezone=True)
    op.create_table('survey_wave',
    sa.Column('id', big, nullable=False),
    sa.Column('code', sa.String(length=48), nullable=False),
    sa.Column('survey', sa.String(length=30), nullable=False),
    sa.Column('state', sa.String(length=8), nullable=False),
    sa.Column('sample_size', sa.Integer(), nullable=True),
    sa.Column('part', sa.SmallInteger(), nullable=False),
    sa.Column('seed', sa.Integer(), nullable=False),
    sa.Column('items', sa.JSON(), nullable=False),
    sa.Column('previewed', sa.JSON(), nullable=False),
    sa.Column('trial_code', sa.String(length=8), nullable=True),
    sa.Column('created_by', sa.String(length=64), nullable=False),
    sa.Column('created_at', moment, nullable=False),
    sa.Column('live_at', moment, nullable=True),
    sa.Column('closes_on', sa.Date(), nullable=True),
    sa.Column('closed_at', moment, nullable=True),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('code'),
    sa.UniqueConstraint('trial_code'),
    sqlite_autoincrement=True
    )
    op.create_table('survey_invitation',
    sa.Column('id', big, nullable=False),
    sa.Column('wave_id', big, nullable=False),
    sa.Column('contact_id', big, nullable=True),
    sa.Column('state', sa.String(length=12), nullable=False),
    sa.Column('trial', sa.Boolean(), nullable=False),
    sa.Column('due_at', moment, nullable=True),
    sa.Column('invited_at', moment, nullable=True),
    sa.Column('reminded_at', moment, nullable=True),
    sa.Column('started', sa.Boolean(), nullable=False),
    sa.Column('delivered', sa.Boolean(), nullable=False),
    sa.Column('channel', sa.String(length=24), nullable=False),
    sa.Column('outbox_key', sa.String(length=160), nullable=True),
    sa.Column('made_at', moment, nullable=False),
    sa.ForeignKeyConstraint(['wave_id'], ['survey_wave.id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['contact_id'], ['contact.id'], ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('wave_id', 'contact_id'),
    sqlite_autoincrement=True
    )
    op.create_index('ix_survey_invitation_contact_id', 'survey_invitation', ['contact_id'])
    op.create_index('ix_survey_invitation_made_at', 'survey_invitation', ['made_at'])
    op.create_index('survey_invitation_due', 'survey_invitation', ['due_at'],
                    sqlite_where=sa.text('due_at IS NOT NULL'), postgresql_where=sa.text('due_at IS NOT NULL'))
    op.create_index('survey_invitation_undelivered', 'survey_invitation', ['wave_id', 'delivered', 'invited_at'])
    op.create_table('survey_consent',
    sa.Column('contact_id', big, nullable=False),
    sa.Column('state', sa.String(length=8), nullable=False),
    sa.Column('at', moment, nullable=False),
    sa.ForeignKeyConstraint(['contact_id'], ['contact.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('contact_id')
    )
    op.create_table('survey_answer',
    sa.Column('respondent', sa.String(length=32), nullable=False),
    sa.Column('wave', sa.String(length=56), nullable=False),
    sa.Column('item', sa.String(length=30), nullable=False),
    sa.Column('version', sa.SmallInteger(), nullable=False),
    sa.Column('study', sa.String(length=4), nullable=False),
    sa.Column('value', sa.Text(), nullable=True),
    sa.Column('status', sa.String(length=12), nullable=False),
    sa.Column('asked_on', sa.Date(), nullable=False),
    sa.Column('language', sa.String(length=8), nullable=False),
    sa.Column('channel', sa.String(length=24), nullable=False),
    sa.Column('type', sa.String(length=12), nullable=False),
    sa.Column('gender', sa.String(length=12), nullable=False),
    sa.Column('age_group', sa.String(length=8), nullable=False),
    sa.Column('route', sa.String(length=12), nullable=False),
    sa.Column('phase', sa.String(length=20), nullable=False),
    sa.Column('work_status', sa.String(length=12), nullable=False),
    sa.PrimaryKeyConstraint('respondent', 'wave', 'item'),
    sqlite_with_rowid=False
    )
    op.create_index('survey_answer_item', 'survey_answer', ['item', 'status'])
    op.create_index('survey_answer_day', 'survey_answer', ['asked_on'])
    op.create_index('outbox_ready', 'outbox', ['channel', 'priority', 'id'],
                    sqlite_where=sa.text('state = 0'), postgresql_where=sa.text('state = 0'))
