"""The audit log, which the database itself keeps from being changed."""

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0002'
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
DAYS = 730  # what is younger is never deleted; bot/retention.py deletes what is older

SQLITE = [
    """CREATE TRIGGER audit_unchanged BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit log is never changed'); END""",
    f"""CREATE TRIGGER audit_kept BEFORE DELETE ON audit WHEN OLD.at > datetime('now', '-{DAYS} days')
    BEGIN SELECT RAISE(ABORT, 'the audit log is kept for its time'); END""",
]
POSTGRESQL = [
    """CREATE FUNCTION audit_unchanged() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE insufficient_privilege USING MESSAGE = 'the audit log is never changed'; END $$""",
    f"""CREATE FUNCTION audit_kept() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF OLD.at > now() - interval '{DAYS} days' THEN
            RAISE insufficient_privilege USING MESSAGE = 'the audit log is kept for its time';
        END IF;
        RETURN OLD;
    END $$""",
    """CREATE TRIGGER audit_unchanged BEFORE UPDATE ON audit
    FOR EACH ROW EXECUTE FUNCTION audit_unchanged()""",
    """CREATE TRIGGER audit_not_emptied BEFORE TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_unchanged()""",
    """CREATE TRIGGER audit_kept BEFORE DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION audit_kept()""",
]


def upgrade() -> None:
    op.create_table('audit',
    sa.Column('id', ID, nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('account_id', ID, nullable=True),
    sa.Column('who', sa.String(length=64), nullable=False),
    sa.Column('action', sa.String(length=40), nullable=False),
    sa.Column('ticket_id', ID, nullable=True),
    sa.Column('contact_id', ID, nullable=True),
    sa.Column('party_id', ID, nullable=True),
    sa.Column('detail', sa.String(length=120), nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sqlite_autoincrement=True
    )
    op.create_index('ix_audit_at', 'audit', ['at'], unique=False)
    op.create_index('audit_account', 'audit', ['account_id', 'id'], unique=False)
    op.create_index('audit_action', 'audit', ['action', 'id'], unique=False)
    for statement in SQLITE if op.get_bind().dialect.name == 'sqlite' else POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    op.drop_table('audit')
    if op.get_bind().dialect.name == 'postgresql':
        op.execute('DROP FUNCTION audit_unchanged()')
        op.execute('DROP FUNCTION audit_kept()')
