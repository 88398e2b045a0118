"""Add to letters the account for which each was requested (`asked_of`), and its epoch at that time; add to tokens the
account's email at that time.

A letter or token of an older epoch is not sent, or not accepted.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

# Letters that wait and whose account has not changed since are marked, and stay valid; the others stay unmarked and are
# not sent. A letter requested by email, as by somebody who forgot a password, has no account yet.
_LETTERS = """
UPDATE letters SET asked_of = a.id, epoch = a.epoch FROM accounts AS a
WHERE settled_at IS NULL AND letters.created_at >= a.updated_at
AND (letters.account_id = a.id OR (letters.account_id IS NULL AND letters.address = a.address))
"""
# A new epoch has always deleted the tokens before it, so each that remains belongs to the current one. A link that
# undoes a change of email outlives epochs, and a disabled account's links must stay void.
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
