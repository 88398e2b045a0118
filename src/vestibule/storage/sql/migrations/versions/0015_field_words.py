"""Rename tables, columns and stored values to the field's words: email, login attempts, rate counters, purge.

Every row is kept. Rate counters of letters begin anew, because each is named by a digest that includes the letter's
kind. Stop the servers of the version before first: they do not know the new names.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

_TABLES = {"tallies": "rate_counters", "guesses": "login_attempts"}
_COLUMNS = (
    ("accounts", "address", "email"),
    ("one_time_tokens", "address", "email"),
    ("letters", "address", "email"),
    ("login_attempts", "budget", "counter"),
    ("revocations", "forget_at", "purge_at"),
)
_INDEXES = (
    ("sessions", "sessions_to_forget", "sessions_to_purge", "expires_at"),
    ("one_time_tokens", "one_time_tokens_to_forget", "one_time_tokens_to_purge", "expires_at"),
    ("letters", "letters_to_forget", "letters_to_purge", "created_at"),
    ("known_devices", "known_devices_to_forget", "known_devices_to_purge", "last_seen_at"),
    ("rate_counters", "tallies_to_forget", "rate_counters_to_purge", "ends_at"),
    ("login_attempts", "guesses_of_account", "login_attempts_of_account", "account_id"),
    ("login_attempts", "guesses_to_forget", "login_attempts_to_purge", "last_at"),
    ("revocations", "revocations_to_forget", "revocations_to_purge", "purge_at"),
    ("events", "events_to_forget", "events_to_purge", "at"),
)
# PostgreSQL names these after the table and the column.
_CONSTRAINTS = {
    "tallies_pkey": "rate_counters_pkey",
    "guesses_pkey": "login_attempts_pkey",
    "accounts_address_key": "accounts_email_key",
}
_LETTERS = {
    "verify_address": "verify_email",
    "confirm_new_address": "confirm_new_email",
    "address_changed": "email_changed",
    "address_taken": "email_taken",
}
_VALUES = (
    (
        "one_time_tokens",
        "purpose",
        {
            "verify_address": "verify_email",
            "change_address": "change_email",
            "undo_address_change": "undo_email_change",
        },
    ),
    ("letters", "kind", _LETTERS),
    ("sessions", "end_reason", {"address_changed": "email_changed"}),
    (
        "events",
        "kind",
        {
            "address_verified": "email_verified",
            "address_changed": "email_changed",
            "address_taken_back": "email_taken_back",
            "service_added": "service_created",
            "service_removed": "service_revoked",
        },
    ),
)
# The same values in the `detail` of events: why a session ended, and which letter was refused.
_DETAILS = {"session_ended": {"address_changed": "email_changed"}, "letter_refused": _LETTERS}


def upgrade() -> None:
    _rename_tables_and_columns()
    for table, old, new, column in _INDEXES:
        _rename_index(table, old, new, column)
    _rename_values()


def _rename_tables_and_columns() -> None:
    for old, new in _TABLES.items():
        op.rename_table(old, new)
    for table, old, new in _COLUMNS:
        op.alter_column(table, old, new_column_name=new)
    if op.get_bind().dialect.name == "postgresql":
        for old, new in _CONSTRAINTS.items():
            op.execute(_index_renamed(old, new))


def _rename_values() -> None:
    for table, column, values in _VALUES:
        for old, new in values.items():
            op.execute(_renamed(table, column, old, new))
    for kind, values in _DETAILS.items():
        for old, new in values.items():
            op.execute(_told(kind, old, new))


def _rename_index(table: str, old: str, new: str, column: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_index_renamed(old, new))
    else:
        op.drop_index(old, table_name=table)
        op.create_index(new, table, [column])


def _index_renamed(old: str, new: str) -> sa.DDL:
    return sa.DDL("ALTER INDEX %(old)s RENAME TO %(new)s", context={"old": old, "new": new})  # type: ignore[no-untyped-call]


def _renamed(table: str, column: str, old: str, new: str) -> sa.Update:
    named = sa.table(table, sa.column(column, sa.String()))
    return sa.update(named).where(named.c[column] == old).values({column: new})


def _told(kind: str, old: str, new: str) -> sa.Update:
    events = sa.table("events", sa.column("kind", sa.String()), sa.column("detail", sa.Text()))
    telling = events.c.kind == kind, events.c.detail.like(f'%"{old}"%')
    return sa.update(events).where(*telling).values(detail=sa.func.replace(events.c.detail, f'"{old}"', f'"{new}"'))
