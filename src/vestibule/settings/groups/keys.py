"""Settings about secrets and password hashes, and about signing tokens."""

from typing import ClassVar, Literal

from pydantic import SecretStr

from vestibule.settings.groups.group import Group, setting
from vestibule.settings.types import OneLine, Pem, SealingSecret, Whole

_TAKES_SECRET = "a secret of 32 characters or more"
_TAKES_PEM = "a PEM file, encoded as base64"
_MADE_HERE = "keys are made here"


class Secrets(Group):
    """Read this before the first start on PostgreSQL, and when a secret has to be replaced."""

    title: ClassVar[str] = "Keep secrets"

    secret_key: SealingSecret = setting(
        "VESTIBULE_SECRET_KEY",
        SecretStr(""),
        "Encrypts the private keys in the database. Needed with PostgreSQL, the same on every machine.",
        takes=_TAKES_SECRET,
        unset="the file `secret.key` in VESTIBULE_DATA, which `vestibule serve` makes at its first start on SQLite",
    )
    secret_key_old: SealingSecret = setting(
        "VESTIBULE_SECRET_KEY_OLD",
        SecretStr(""),
        "Former VESTIBULE_SECRET_KEY: opens what is still encrypted with it, until `vestibule keys reencrypt` has run.",
        takes=_TAKES_SECRET,
    )
    pepper: SealingSecret = setting(
        "VESTIBULE_PEPPER",
        SecretStr(""),
        "A secret kept outside the database, without which stolen hashes cannot be cracked. Hashes without it are made "
        "anew at the next sign-in. Keep a copy: if you lose the pepper, every password is lost.",
        takes=_TAKES_SECRET,
        unset="no pepper",
    )
    pepper_old: SealingSecret = setting(
        "VESTIBULE_PEPPER_OLD",
        SecretStr(""),
        "Former VESTIBULE_PEPPER, for hashes that have not been made anew: keep it until everybody has signed in.",
        takes=_TAKES_SECRET,
    )
    password_hash: Literal["argon2id", "bcrypt"] = setting(
        "VESTIBULE_PASSWORD_HASH",
        "argon2id",
        "`bcrypt` (cost 12) only where another program must read new hashes; passwords are then limited to 72 bytes.",
    )


class SigningTokens(Group):
    """Read this when services check tokens themselves, or when you bring keys of your own."""

    title: ClassVar[str] = "Sign tokens"

    issuer: OneLine = setting("VESTIBULE_ISSUER", "vestibule", "`iss` of every token.", takes="text on one line")
    audience: OneLine = setting("VESTIBULE_AUDIENCE", "vestibule", "`aud` of access tokens.", takes="text on one line")
    signing: Literal["RS256", "RS256-2048", "RS256-4096", "ES256", "EdDSA"] = setting(
        "VESTIBULE_SIGNING_ALGORITHM",
        "RS256",
        "Algorithm of new access keys: `RS256`, as in the contract, with RSA of 3072 bits (or of the number after the "
        "hyphen), `ES256` (ECDSA on P-256) or `EdDSA` (Ed25519). Existing keys keep theirs: "
        "after a change, run `vestibule keys rotate --use access` twice. Refresh keys made here are always Ed25519.",
    )
    published_keys_seconds: Whole = setting(
        "VESTIBULE_JWKS_SECONDS",
        300,
        "Seconds for which services may cache the published keys. A new key signs only after that time.",
        ge=1,
        le=86400,
    )
    clock_leeway_seconds: Whole = setting(
        "VESTIBULE_CLOCK_LEEWAY_SECONDS", 30, "Allowed clock skew, in seconds.", ge=0, le=60
    )
    jwt_access_private: Pem = setting(
        "JWT_ACCESS_TOKEN_PRIVATE_KEY",
        SecretStr(""),
        "Private RSA key for access tokens. Set all four JWT_… settings, or none.",
        takes=_TAKES_PEM,
        unset="keys are made at the first start, and kept in the database, encrypted with VESTIBULE_SECRET_KEY",
    )
    jwt_access_public: Pem = setting(
        "JWT_ACCESS_TOKEN_PUBLIC_KEY",
        SecretStr(""),
        "Public half of the private key for access tokens.",
        takes=_TAKES_PEM,
        unset=_MADE_HERE,
    )
    jwt_refresh_private: Pem = setting(
        "JWT_REFRESH_TOKEN_PRIVATE_KEY",
        SecretStr(""),
        "Private RSA key for refresh tokens; not the one for access tokens.",
        takes=_TAKES_PEM,
        unset=_MADE_HERE,
    )
    jwt_refresh_public: Pem = setting(
        "JWT_REFRESH_TOKEN_PUBLIC_KEY",
        SecretStr(""),
        "Public half of the private key for refresh tokens.",
        takes=_TAKES_PEM,
        unset=_MADE_HERE,
    )
