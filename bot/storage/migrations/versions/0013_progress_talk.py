"""The day of the last progress talk, as the municipality's file tells it."""

import sqlalchemy as sa
from alembic import op

revision = '0013_progress_talk'
down_revision = '0012_published'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('party', sa.Column('talked_on', sa.Date(), nullable=True))
    op.add_column('survey_phase', sa.Column('talked_on', sa.Date(), nullable=True))


def downgrade() -> None:
    op.drop_column('survey_phase', 'talked_on')
    op.drop_column('party', 'talked_on')
