"""Fill a database with people: accounts, and a live session for every tenth of them.

Rows are made in PostgreSQL itself, in bulk, while the tables have neither indexes nor constraints: to keep indexes up
to date row by row takes most of the time. Ids come from the row's number by a hash, so they are scattered as real ones
are, and a measurement knows them without asking.
"""

import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import asyncpg

from tests.harness.process import PASSWORD
from vestibule.crypto.passwords import Argon2id, Hasher

BYTES_PER_ACCOUNT = 1_000
"""What an account takes on the disk with its share of the other rows, with indexes and room for the log; rounded up."""
SESSION_EVERY = 10
REVOCATION_EVERY = 10
_BATCH = 250_000

_ID = "md5('{kind}' || n)::uuid::text"
_ACCOUNT, _SESSION = _ID.format(kind="account"), _ID.format(kind="session")
_EACH = "FROM generate_series($1::bigint, $2::bigint) AS n"
_SOME = f"{_EACH} WHERE n % {SESSION_EVERY} = 0"
_STATEMENTS = (
    f"""INSERT INTO accounts (id, name, email, role, verified, password_hash, photo, epoch, created_at, updated_at)
    SELECT {_ACCOUNT}, 'Person ' || n, 'person-' || n || '@example.com', 'user', true, $3::text, 'default.png', 1,
    now() - n * interval '1 second', now() {_EACH}""",
    f"""INSERT INTO sessions (id, account_id, user_agent, network_address, created_at, last_seen_at, idle_expires_at,
    expires_at, issued_at, current, parent, base)
    SELECT {_SESSION}, {_ACCOUNT}, 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
    '198.51.100.7', now(), now(), now() + interval '1 day', now() + interval '30 days', now(), 1, 0, 0 {_SOME}""",
    f"""INSERT INTO known_devices (account_id, digest, created_at, last_seen_at)
    SELECT {_ACCOUNT}, md5('device' || n) || md5('d' || n), now(), now() {_SOME}""",
    f"""INSERT INTO events (at, kind, account_id, session_id, network_address, detail)
    SELECT now(), 'signed_in', {_ACCOUNT}, {_SESSION}, '198.51.100.7', '{{}}' {_SOME}""",
    f"""INSERT INTO revocations (at, kind, subject, purge_at)
    SELECT now(), 'session', md5('over' || n)::uuid::text, now() + interval '1 hour'
    {_EACH} WHERE n % {REVOCATION_EVERY} = 0""",
)


# A foreign key needs the primary key that it refers to. So foreign keys are dropped first, and made again last.
_CONSTRAINTS = """SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) AS drop,
    format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) AS make
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype IN ('f', 'p', 'u')
    ORDER BY contype <> 'f', conname"""
_INDEXES = """SELECT format('DROP INDEX %I', indexname) AS drop, indexdef AS make FROM pg_indexes
    WHERE schemaname = 'public' AND indexname NOT IN (SELECT conname FROM pg_constraint) ORDER BY indexname"""
_SECONDS = 1_800.0  # for a statement


async def fill(address: str, have: int, want: int, advance: Callable[[int], None]) -> None:
    """Add accounts from `have` to `want`. `advance` is called with the size of each batch. At the end, the statistics
    are fresh and everything is on the disk.
    """
    password_hash = Hasher(Argon2id()).hash(PASSWORD)
    connection = await asyncpg.connect(address)
    try:
        # What is filled in need not survive a crash; what is measured later is committed as usual, elsewhere.
        await connection.execute("SET synchronous_commit = off")
        async with _without_indexes(connection):
            for first in range(have + 1, want + 1, _BATCH):
                last = min(first + _BATCH - 1, want)
                for number, statement in enumerate(_STATEMENTS):
                    given = (first, last, password_hash) if number == 0 else (first, last)
                    await connection.execute(statement, *given, timeout=_SECONDS)
                advance(last - first + 1)
        await connection.execute("VACUUM ANALYZE", timeout=_SECONDS)
        await connection.execute("CHECKPOINT", timeout=_SECONDS)
    finally:
        await connection.close()


@asynccontextmanager
async def _without_indexes(connection: asyncpg.Connection) -> AsyncIterator[None]:
    """Drop the indexes, and the constraints that need one, for the block, and make them again after it."""
    constraints, indexes = await connection.fetch(_CONSTRAINTS), await connection.fetch(_INDEXES)
    for row in (*constraints, *indexes):
        await connection.execute(row["drop"])
    yield
    for row in (*indexes, *reversed(constraints)):
        await connection.execute(row["make"], timeout=_SECONDS)


def email_of(number: int) -> str:
    """Return the email of person `number`."""
    return f"person-{number}@example.com"


def account_id_of(number: int) -> str:
    """Return the account id of person `number`."""
    return _hashed(f"account{number}")


def session_id_of(number: int) -> str:
    """Return the session id of person `number`. Only every tenth person has one."""
    return _hashed(f"session{number}")


def _hashed(text: str) -> str:
    """Return `md5(text)::uuid` as PostgreSQL writes it."""
    digits = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
