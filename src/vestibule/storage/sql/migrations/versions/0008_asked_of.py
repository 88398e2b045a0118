"""Add to letters the account and epoch they were asked for, and to tokens the account's email at that time."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

# A letter that is not sent yet stays valid if its account has not changed since it was asked for.
_LETTERS = """
UPDATE letters SET asked_of = a.id, epoch = a.epoch FROM accounts AS a
WHERE settled_at IS NULL AND letters.created_at >= a.updated_at
AND (letters.account_id = a.id OR (letters.account_id IS NULL AND letters.address = a.address))
"""
# The tokens that are left belong to the current epoch: beginning another one has always voided the others.
_TOKENS = """
UPDATE one_time_tokens SET epoch = a.epoch, account_email = a.address FROM accounts AS a
WHERE one_time_tokens.account_id = a.id AND a.disabled_at IS NULL AND purpose <> 'undo_address_change'
"""


def upgrade() -> None:
    with op.batch_alter_table("letters") as letters:
        letters.add_column(sa.Column("asked_of", sa.String(36)))
        letters.add_column(sa.Column("epoch", sa.Integer()))
    with op.batch_alter_table("one_time_tokens") as tokens:
        tokens.add_column(sa.Column("account_email", sa.String(254)))
    unsettled = sa.text("settled_at IS NULL")
    op.create_index("letters_asked_of", "letters", ["asked_of"], postgresql_where=unsettled, sqlite_where=unsettled)
    op.execute(_LETTERS)
    op.execute(_TOKENS)
