"""The second factors of accounts, used WebAuthn challenges (`ceremonies`), pending sign-ins, and resets of factors.
`model` has a class that describes the columns of each: `Totp`, `Passkey`, `PendingSignIn`, `FactorReset`.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, PrimaryKeyConstraint, String, Table, Text, false

from vestibule.storage.sql.instant import Instant
from vestibule.storage.sql.schema.parts import DIGEST, ID, metadata, owner

totps = Table(
    "totps",
    metadata,
    Column("id", ID, primary_key=True),
    owner(),
    Column("sealed_secret", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("confirmed_at", Instant),
    Column("session_id", ID),  # the session or pending sign-in that began it (`model.totp.Totp`)
    Column("last_step", BigInteger),
    Column("last_used_at", Instant),
    Index("totps_of_account", "account_id"),
)

recovery_codes = Table(
    "recovery_codes",
    metadata,
    owner(),
    Column("number", Integer, nullable=False),
    Column("hash", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("used_at", Instant),
    PrimaryKeyConstraint("account_id", "number"),
)

passkeys = Table(
    "passkeys",
    metadata,
    Column("id", ID, primary_key=True),
    owner(),
    Column("domain", String(253), nullable=False),
    Column("credential_id", Text, nullable=False, unique=True),
    Column("public_key", Text, nullable=False),
    Column("sign_count", BigInteger, nullable=False),
    Column("aaguid", ID, nullable=False),
    Column("name", String(64), nullable=False),
    Column("transports", Text, nullable=False),
    Column("user_verified", Boolean, nullable=False),
    Column("backup_eligible", Boolean, nullable=False),
    Column("backed_up", Boolean, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("last_used_at", Instant),
    Column("needs_password", Boolean, nullable=False, server_default=false()),
    Index("passkeys_of_account", "account_id"),
)

# The challenges that were used, so that none is used twice. Only the browser that asked for one has it before its use.
ceremonies = Table(
    "ceremonies",
    metadata,
    Column("digest", DIGEST, primary_key=True),
    Column("expires_at", Instant, nullable=False),
    Index("ceremonies_to_purge", "expires_at"),
)

pending_sign_ins = Table(
    "pending_sign_ins",
    metadata,
    Column("digest", DIGEST, primary_key=True),
    owner(),
    Column("epoch", Integer, nullable=False),
    Column("methods", Text, nullable=False),
    Column("held_session", ID),
    Column("counter_keys", Text, nullable=False),
    Column("return_to", Text),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("origin", String(64)),
    Index("pending_sign_ins_of_account", "account_id", "created_at"),
    Index("pending_sign_ins_to_purge", "expires_at"),
)

factor_resets = Table(
    "factor_resets",
    metadata,
    owner(primary_key=True),
    Column("asked_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("asked_by", String(16), nullable=False),
    Index("factor_resets_due", "due_at"),
)
