"""What waits for a person is found by an index; wiped words are NULL and not the JSON word null."""

from alembic import op

revision = '0011_held'
down_revision = '0010b_survey_budget'
branch_labels = None
depends_on = None

WIPED = (('inbox', 'body'), ('outbox', 'payload'))


def upgrade() -> None:
    op.create_index('outbox_address', 'outbox', ['address_id', 'state'])
    for table, column in WIPED:
        op.execute(f"UPDATE {table} SET {column} = NULL WHERE CAST({column} AS TEXT) = 'null'")


def downgrade() -> None:
    op.drop_index('outbox_address', 'outbox')
