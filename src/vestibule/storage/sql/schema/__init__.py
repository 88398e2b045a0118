"""The tables as the code sees them. `migrations/` creates them; a test keeps the two alike."""

from vestibule.storage.sql.schema.accounts import (
    accounts,
    beginning_of_hash,
    has_other_hash,
    is_unverified,
    known_devices,
)
from vestibule.storage.sql.schema.factors import (
    ceremonies,
    factor_resets,
    passkeys,
    pending_sign_ins,
    recovery_codes,
    totps,
)
from vestibule.storage.sql.schema.keys import service_keys, signing_keys
from vestibule.storage.sql.schema.mail import letters, one_time_tokens
from vestibule.storage.sql.schema.parts import Sequence, metadata
from vestibule.storage.sql.schema.records import events, login_attempts, rate_counters
from vestibule.storage.sql.schema.roles import account_roles, custom_roles
from vestibule.storage.sql.schema.sessions import revocations, sessions

REVISION = "0031"
"""The migration this code was written for. A server does not start on a database with another."""

__all__ = [
    "REVISION",
    "Sequence",
    "account_roles",
    "accounts",
    "beginning_of_hash",
    "ceremonies",
    "custom_roles",
    "events",
    "factor_resets",
    "has_other_hash",
    "is_unverified",
    "known_devices",
    "letters",
    "login_attempts",
    "metadata",
    "one_time_tokens",
    "passkeys",
    "pending_sign_ins",
    "rate_counters",
    "recovery_codes",
    "revocations",
    "service_keys",
    "sessions",
    "signing_keys",
    "totps",
]
