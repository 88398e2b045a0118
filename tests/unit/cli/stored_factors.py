"""Factors that are put into the database of a server, for commands that only show them."""

import sqlite3

_APP = """
INSERT INTO totps (id, account_id, sealed_secret, created_at, confirmed_at, last_used_at)
SELECT 'an-app-of-' || id, id, 'sealed', created_at, created_at, created_at FROM accounts WHERE email = ?
"""
_PASSKEY = """
INSERT INTO passkeys (id, account_id, domain, credential_id, public_key, sign_count, aaguid, name, transports,
    user_verified, backup_eligible, backed_up, created_at)
SELECT 'a-key-of-' || id, id, 'localhost', 'credential-of-' || id, 'a-key', 0, '', ?, 'internal', 1, 1, 1, created_at
FROM accounts WHERE email = ?
"""
_CODE = """
INSERT INTO recovery_codes (account_id, number, hash, created_at) SELECT id, ?, 'a hash', created_at FROM accounts
WHERE email = ?
"""
CODES = 7


def add_factors(database: sqlite3.Connection, email: str, name: str) -> None:
    """Give an account an authenticator app that was used, a passkey with this name that was not, and seven codes."""
    database.execute(_APP, (email,))
    database.execute(_PASSKEY, (name[:64], email))
    for number in range(CODES):
        database.execute(_CODE, (number, email))
