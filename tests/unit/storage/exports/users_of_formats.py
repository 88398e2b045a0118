"""A user in the form that each program documents, and what must be kept of them."""

import base64
import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import bcrypt
from argon2 import PasswordHasher
from argon2.low_level import Type, hash_secret_raw

from tests.unit.crypto.test_derived_hashes import VECTORS
from tests.unit.storage.exports.reading import GIVEN
from vestibule.model.accounts import Role
from vestibule.model.imports import ExportFormat
from vestibule.storage.exports.fields import Given
from vestibule.storage.exports.firebase import read_hash_form

PASSWORD = "correct horse"
UUID = "0f8fad5b-d9cb-469f-a165-70867728950e"
_SALT = b"sixteen bytes of"
BCRYPT = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
_ARGON2 = PasswordHasher(2, 64, 1).hash(PASSWORD)
CONFIG = """hash_config {
  algorithm: SCRYPT,
  base64_signer_key: jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==,
  base64_salt_separator: Bw==,
  rounds: 8,
  mem_cost: 14,
}
"""


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def keycloak_password(algorithm: str, iterations: int, digest: bytes, **parameters: str) -> list[dict[str, Any]]:
    listed = {name: [value] for name, value in parameters.items()}
    data = {"hashIterations": iterations, "algorithm": algorithm, "additionalParameters": listed}
    secret = {"value": b64(digest), "salt": b64(_SALT), "additionalParameters": {}}
    texts = {"credentialData": json.dumps(data), "secretData": json.dumps(secret)}
    return [{"type": "otp"}, {"id": "1", "type": "password", "createdDate": 1715000000000, **texts}]


def pbkdf2(name: str, iterations: int, length: int | None = None) -> bytes:
    return hashlib.pbkdf2_hmac(name, PASSWORD.encode(), _SALT, iterations, length)


KEYCLOAK_USER = {
    "id": UUID,
    "username": "ada",
    "email": "Ada@Example.com",
    "emailVerified": True,
    "firstName": "Ada",
    "lastName": "Lovelace",
    "enabled": True,
    "createdTimestamp": 1715000000000,
    "realmRoles": ["default-roles-shop", "admin"],
}
KEYCLOAK = {
    "PBKDF2-SHA1": keycloak_password("pbkdf2", 1_000, pbkdf2("sha1", 1_000, 64)),
    "PBKDF2-SHA256": keycloak_password("pbkdf2-sha256", 27_500, pbkdf2("sha256", 27_500, 64)),
    "PBKDF2-SHA512": keycloak_password("pbkdf2-sha512", 2_100, pbkdf2("sha512", 2_100)),
    "argon2": keycloak_password(
        "argon2",
        5,
        hash_secret_raw(PASSWORD.encode(), _SALT, 5, 7_168, 1, 32, Type.ID),
        hashLength="32",
        memory="7168",
        type="id",
        version="1.3",
        parallelism="1",
    ),
}


@dataclass(frozen=True)
class Kept:
    """What an account must be after an import with `--admins`."""

    id: str = UUID
    name: str = "Ada Lovelace"
    email: str = "ada@example.com"
    verified: bool = True
    role: Role = Role.ADMIN
    created: datetime | None = None
    password: str | None = PASSWORD
    provider: str | None = None
    disabled: bool = False


THEN = datetime.fromtimestamp(1715000000, UTC)
SUPABASE = (
    "instance_id,id,aud,role,email,encrypted_password,email_confirmed_at,created_at,updated_at,raw_app_meta_data,"
)
SUPABASE += "raw_user_meta_data,is_super_admin,banned_until,deleted_at,is_anonymous\n"
SUPABASE_DATA = '"{""provider"":""email"",""role"":""admin""}","{""full_name"":""Ada Lovelace""}",'
SUPABASE_ROW = (
    f"0,{UUID},authenticated,authenticated,ada@example.com,{{}},2024-05-06 12:53:20+00,2024-05-06 12:53:20+00,"
)
SUPABASE_ROW += "2024-05-06 12:53:20.5+00,"
_FASTAPI = "id,email,hashed_password,is_active,is_superuser,is_verified\n"
AUTH0 = {
    "_id": {"$oid": "6638d2c077e4ec9300000000"},
    "email_verified": True,
    "email": "ada@example.com",
    "passwordHash": BCRYPT.replace("$2b$", "$2a$"),
    "connection": "Username-Password-Authentication",
    "identifiers": [{"type": "email", "value": "ada@example.com", "verified": True}],
}
FIREBASE = {
    "localId": "nAL2wB5Fhdck8kBnoDEr7oIvvrC2",
    "email": "ada@example.com",
    "emailVerified": True,
    "displayName": "Ada Lovelace",
    "passwordHash": VECTORS["Firebase"][1].rpartition("$")[2].replace("/", "_").replace("+", "-"),
    "salt": "42xEC-ixf3L2lw==",
    "createdAt": "1715000000000",
    "customAttributes": '{"role": "admin"}',
}


def keycloak(**changed: object) -> str:
    return json.dumps({"realm": "shop", "users": [{**KEYCLOAK_USER, **changed}]})


def one_line(*objects: object) -> str:
    return "".join(json.dumps(each) + "\n" for each in objects)


# A file, its format, and what becomes of its only user.
FILES: dict[str, tuple[str, ExportFormat, Kept]] = {
    "FastAPI-Users, argon2": (
        f'{_FASTAPI}{UUID},ada@example.com,"{_ARGON2}",t,t,t\n',
        ExportFormat.FASTAPI_USERS,
        Kept(name="ada", created=GIVEN.now),
    ),
    "FastAPI-Users, bcrypt, disabled": (
        f"{_FASTAPI}{UUID},ada@example.com,{BCRYPT},false,false,false\n",
        ExportFormat.FASTAPI_USERS,
        Kept(name="ada", created=GIVEN.now, verified=False, role=Role.USER, disabled=True),
    ),
    "Supabase": (
        f"{SUPABASE}{SUPABASE_ROW.format(BCRYPT)}{SUPABASE_DATA},,,false\n",
        ExportFormat.SUPABASE,
        Kept(created=THEN),
    ),
    "Supabase, of Firebase": (
        f"{SUPABASE}{SUPABASE_ROW.format(chr(34) + VECTORS['Firebase'][1] + chr(34))}{SUPABASE_DATA},,,f\n",
        ExportFormat.SUPABASE,
        Kept(created=THEN, password="user1password"),
    ),
    "Supabase, banned": (
        f"{SUPABASE}{SUPABASE_ROW.format(BCRYPT)}{SUPABASE_DATA},2099-01-01 00:00:00+00,,false\n",
        ExportFormat.SUPABASE,
        Kept(created=THEN, disabled=True),
    ),
    "Supabase, banned for good": (
        f"{SUPABASE}{SUPABASE_ROW.format(BCRYPT)}{SUPABASE_DATA},infinity,,false\n",
        ExportFormat.SUPABASE,
        Kept(created=THEN, disabled=True),
    ),
    "Supabase, banned once": (
        f"{SUPABASE}{SUPABASE_ROW.format(BCRYPT)}{SUPABASE_DATA},2020-01-01 00:00:00+00,,false\n",
        ExportFormat.SUPABASE,
        Kept(created=THEN),
    ),
    "Supabase, without a password": (
        f"{SUPABASE}{SUPABASE_ROW.format('')}{SUPABASE_DATA.replace('email', 'google')},,,false\n",
        ExportFormat.SUPABASE,
        Kept(created=THEN, password=None, provider="google"),
    ),
    "Auth0": (
        one_line(AUTH0),
        ExportFormat.AUTH0,
        Kept(id="6638d2c077e4ec9300000000", name="ada", role=Role.USER, created=THEN),
    ),
    "Auth0, with the email among the identifiers": (
        one_line({name: AUTH0[name] for name in ("_id", "passwordHash", "identifiers")}),
        ExportFormat.AUTH0,
        Kept(id="6638d2c077e4ec9300000000", name="ada", role=Role.USER, created=THEN),
    ),
    "Auth0, with an id of its own, blocked": (
        one_line({**AUTH0, "alt_id": "euclid", "blocked": True, "name": "Ada Lovelace"}),
        ExportFormat.AUTH0,
        Kept(id="euclid", role=Role.USER, created=THEN, disabled=True),
    ),
    "Auth0, from elsewhere": (
        one_line({**AUTH0, "passwordHash": None, "user_id": "google-oauth2|108410841084108410841"}),
        ExportFormat.AUTH0,
        Kept(
            id="google-oauth2-108410841084108410841",
            name="ada",
            role=Role.USER,
            created=THEN,
            password=None,
            provider="google-oauth2",
        ),
    ),
    **{
        f"Keycloak, {kind}": (
            json.dumps({"realm": "shop", "roles": {}, "users": [{**KEYCLOAK_USER, "credentials": credentials}]}),
            ExportFormat.KEYCLOAK,
            Kept(created=THEN),
        )
        for kind, credentials in KEYCLOAK.items()
    },
    "Keycloak, disabled, from elsewhere": (
        keycloak(enabled=False, realmRoles=[], federatedIdentities=[{"identityProvider": "github", "userId": "7"}]),
        ExportFormat.KEYCLOAK,
        Kept(created=THEN, role=Role.USER, password=None, provider="github", disabled=True),
    ),
    "Firebase": (
        json.dumps({"users": [FIREBASE]}),
        ExportFormat.FIREBASE,
        Kept(id="nAL2wB5Fhdck8kBnoDEr7oIvvrC2", created=THEN, password="user1password"),
    ),
    "Firebase, disabled, from elsewhere": (
        json.dumps(
            {
                "users": [
                    {
                        **FIREBASE,
                        "passwordHash": "",
                        "disabled": True,
                        "providerUserInfo": [{"providerId": "google.com", "rawId": "1"}],
                    }
                ]
            }
        ),
        ExportFormat.FIREBASE,
        Kept(id="nAL2wB5Fhdck8kBnoDEr7oIvvrC2", created=THEN, password=None, provider="google.com", disabled=True),
    ),
}


def given(folder: Path) -> Given:
    (folder / "hash.txt").write_text(CONFIG)
    return Given(GIVEN.now, hash_form=read_hash_form(folder / "hash.txt"))
