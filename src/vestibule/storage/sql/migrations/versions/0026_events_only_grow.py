"""Let nobody change or delete events. Two things stay allowed: to detach events from a deleted account, and to purge
old ones.

An event may be deleted once it is 23 hours old by the database's own clock: an hour less than the shortest that a
setting keeps events, because the clock of the server may be a little ahead. Inserts meet no trigger. On SQLite, a later
migration that makes the table anew has to make the triggers again. Servers of the version before go on as they were.
"""

from alembic import op

revision = "0026"
down_revision = "0025"

_POSTGRESQL = (
    """
    CREATE FUNCTION vestibule_events_only_grow() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'events are append-only';
    END
    $$
    """,
    """
    CREATE TRIGGER events_not_changed BEFORE UPDATE ON events FOR EACH ROW
    WHEN (NOT (
        OLD.account_id IS NOT NULL AND NEW.account_id IS NULL
        AND NEW.sequence = OLD.sequence AND NEW.at = OLD.at AND NEW.kind = OLD.kind
        AND NEW.actor_id IS NOT DISTINCT FROM OLD.actor_id
        AND (NEW.session_id IS NULL OR NEW.session_id IS NOT DISTINCT FROM OLD.session_id)
        AND (NEW.network_address IS NULL OR NEW.network_address IS NOT DISTINCT FROM OLD.network_address)
        AND (NEW.detail = '{}' OR NEW.detail = OLD.detail)
    ))
    EXECUTE FUNCTION vestibule_events_only_grow()
    """,
    """
    CREATE TRIGGER events_not_deleted BEFORE DELETE ON events FOR EACH ROW
    WHEN (OLD.at > now() - interval '23 hours')
    EXECUTE FUNCTION vestibule_events_only_grow()
    """,
    """
    CREATE TRIGGER events_not_truncated BEFORE TRUNCATE ON events
    EXECUTE FUNCTION vestibule_events_only_grow()
    """,
)
_SQLITE = (
    """
    CREATE TRIGGER events_not_changed BEFORE UPDATE ON events
    WHEN NOT (
        OLD.account_id IS NOT NULL AND NEW.account_id IS NULL
        AND NEW.sequence = OLD.sequence AND NEW.at IS OLD.at AND NEW.kind IS OLD.kind
        AND NEW.actor_id IS OLD.actor_id
        AND (NEW.session_id IS NULL OR NEW.session_id IS OLD.session_id)
        AND (NEW.network_address IS NULL OR NEW.network_address IS OLD.network_address)
        AND (NEW.detail IS '{}' OR NEW.detail IS OLD.detail)
    )
    BEGIN
        SELECT RAISE(ABORT, 'events are append-only');
    END
    """,
    """
    CREATE TRIGGER events_not_deleted BEFORE DELETE ON events
    WHEN OLD.at > strftime('%Y-%m-%d %H:%M:%f', 'now', '-23 hours')
    BEGIN
        SELECT RAISE(ABORT, 'events are append-only');
    END
    """,
)


def upgrade() -> None:
    statements = _POSTGRESQL if op.get_bind().dialect.name == "postgresql" else _SQLITE
    for statement in statements:
        op.execute(statement)
