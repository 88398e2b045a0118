"""What a letter and a token were asked of: the account, its epoch, and for a token its email at that moment."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

# What is on its way stays good if the account has not been touched since it was asked for.
_LETTERS = """
UPDATE letters SET asked_of = a.id, epoch = a.epoch FROM accounts AS a
WHERE settled_at IS NULL AND letters.created_at >= a.updated_at
AND (letters.account_id = a.id OR (letters.account_id IS NULL AND letters.address = a.address))
"""
# Whatever began another epoch has killed the tokens of the one before.
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
