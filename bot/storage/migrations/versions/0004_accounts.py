"""Accounts of people who work here, their sessions, tries to log in."""

import sqlalchemy as sa
from alembic import op

revision = '0004_accounts'
down_revision = '0006'
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table('account',
    sa.Column('id', ID, nullable=False),
    sa.Column('login', sa.String(length=254), nullable=True),
    sa.Column('name', sa.String(length=64), nullable=False),
    sa.Column('roles', sa.JSON(), nullable=False),
    sa.Column('actor_id', ID, nullable=True),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('is_demo', sa.Boolean(), nullable=False),
    sa.Column('password_hash', sa.Text(), nullable=True),
    sa.Column('must_change_password', sa.Boolean(), nullable=False),
    sa.Column('totp_sealed', sa.Text(), nullable=True),
    sa.Column('totp_pending', sa.Text(), nullable=True),
    sa.Column('totp_used', sa.BigInteger(), nullable=False),
    sa.Column('recovery', sa.JSON(), nullable=False),
    sa.Column('issuer', sa.String(length=200), nullable=True),
    sa.Column('subject', sa.String(length=255), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('login_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['actor_id'], ['actor.id'], ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('login'),
    sa.UniqueConstraint('issuer', 'subject'),
    sqlite_autoincrement=True
    )
    op.create_index('ix_account_actor_id', 'account', ['actor_id'], unique=False)
    op.create_index('ix_account_changed_at', 'account', ['changed_at'], unique=False)
    op.create_table('account_session',
    sa.Column('id', ID, nullable=False),
    sa.Column('hash', sa.String(length=64), nullable=False),
    sa.Column('account_id', ID, nullable=False),
    sa.Column('needs_code', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('seen_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('hash'),
    sqlite_autoincrement=True
    )
    op.create_index('ix_account_session_account_id', 'account_session', ['account_id'], unique=False)
    op.create_index('ix_account_session_created_at', 'account_session', ['created_at'], unique=False)
    op.create_table('login_try',
    sa.Column('id', ID, nullable=False),
    sa.Column('key', sa.String(length=32), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sqlite_autoincrement=True
    )
    op.create_index('ix_login_try_at', 'login_try', ['at'], unique=False)
    op.create_index('login_try_key', 'login_try', ['key', 'at'], unique=False)


def downgrade() -> None:
    for table in ('login_try', 'account_session', 'account'):
        op.drop_table(table)
