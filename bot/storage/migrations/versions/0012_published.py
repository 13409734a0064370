"""Figures as they were first shown; open answers that somebody read; answers by wave."""

import sqlalchemy as sa
from alembic import op

revision = '0012_published'
down_revision = '0011_held'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('published',
    sa.Column('wave', sa.String(length=56), nullable=False),
    sa.Column('kind', sa.String(length=8), nullable=False),
    sa.Column('people', sa.Integer(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('document', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('wave', 'kind', 'people')
    )
    op.add_column('survey_answer', sa.Column('reviewed_on', sa.Date(), nullable=True))
    op.add_column('survey_answer', sa.Column('shown', sa.Text(), nullable=True))
    op.create_index('survey_answer_wave', 'survey_answer', ['wave'])


def downgrade() -> None:
    op.drop_index('survey_answer_wave', 'survey_answer')
    op.drop_column('survey_answer', 'shown')
    op.drop_column('survey_answer', 'reviewed_on')
    op.drop_table('published')
