"""Add the second factors of accounts, sign-ins that wait for one, used challenges, and resets of factors to come.

Servers of the version before know none of these tables, and sign in by password alone. So let no server of that version
run once somebody has set up a factor.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _create_factors()
    _create_sign_ins()


def _create_factors() -> None:
    op.create_table(
        "totps",
        sa.Column("id", sa.String(36), primary_key=True),
        _owner(),
        sa.Column("sealed_secret", sa.Text(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("confirmed_at", _INSTANT),
        sa.Column("session_id", sa.String(36)),
        sa.Column("last_step", sa.BigInteger()),
        sa.Column("last_used_at", _INSTANT),
    )
    op.create_index("totps_of_account", "totps", ["account_id"])
    op.create_table(
        "recovery_codes",
        _owner(),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("used_at", _INSTANT),
        sa.PrimaryKeyConstraint("account_id", "number"),
    )
    op.create_table(
        "passkeys",
        sa.Column("id", sa.String(36), primary_key=True),
        _owner(),
        sa.Column("domain", sa.String(253), nullable=False),
        sa.Column("credential_id", sa.Text(), nullable=False, unique=True),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("aaguid", sa.String(36), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("transports", sa.Text(), nullable=False),
        sa.Column("user_verified", sa.Boolean(), nullable=False),
        sa.Column("backup_eligible", sa.Boolean(), nullable=False),
        sa.Column("backed_up", sa.Boolean(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("last_used_at", _INSTANT),
    )
    op.create_index("passkeys_of_account", "passkeys", ["account_id"])


def _create_sign_ins() -> None:
    op.create_table(
        "ceremonies",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("expires_at", _INSTANT, nullable=False),
    )
    op.create_index("ceremonies_to_purge", "ceremonies", ["expires_at"])
    op.create_table(
        "pending_sign_ins",
        sa.Column("digest", sa.String(64), primary_key=True),
        _owner(),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("methods", sa.Text(), nullable=False),
        sa.Column("held_session", sa.String(36)),
        sa.Column("counter_keys", sa.Text(), nullable=False),
        sa.Column("return_to", sa.Text()),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("expires_at", _INSTANT, nullable=False),
    )
    op.create_index("pending_sign_ins_of_account", "pending_sign_ins", ["account_id", "created_at"])
    op.create_index("pending_sign_ins_to_purge", "pending_sign_ins", ["expires_at"])
    op.create_table(
        "factor_resets",
        _owner(primary_key=True),
        sa.Column("asked_at", _INSTANT, nullable=False),
        sa.Column("due_at", _INSTANT, nullable=False),
        sa.Column("asked_by", sa.String(16), nullable=False),
    )
    op.create_index("factor_resets_due", "factor_resets", ["due_at"])


def _owner(*, primary_key: bool = False) -> sa.Column[Any]:
    return sa.Column(
        "account_id",
        sa.String(36),
        sa.ForeignKey("accounts.id", ondelete="CASCADE"),
        nullable=False,
        primary_key=primary_key,
    )
