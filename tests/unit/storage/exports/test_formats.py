"""Each format, in the form that its program documents: what is kept of a user, and what is refused."""

import base64
import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import bcrypt
import pytest
from argon2 import PasswordHasher
from argon2.low_level import Type, hash_secret_raw

from tests.unit.crypto.test_derived_hashes import VECTORS
from tests.unit.storage.exports.reading import GIVEN, judged, rows_of
from vestibule.crypto.passwords import Argon2id, Hasher
from vestibule.model.accounts import Account, Role
from vestibule.model.imports import ExportFormat
from vestibule.storage.exports.faults import UnusableFile
from vestibule.storage.exports.fields import Given
from vestibule.storage.exports.firebase import read_hash_form

PASSWORD = "correct horse"
UUID = "0f8fad5b-d9cb-469f-a165-70867728950e"
_SALT = b"sixteen bytes of"
_BCRYPT = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
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
_SUPABASE = (
    "instance_id,id,aud,role,email,encrypted_password,email_confirmed_at,created_at,updated_at,raw_app_meta_data,"
)
_SUPABASE += "raw_user_meta_data,is_super_admin,banned_until,deleted_at,is_anonymous\n"
_SUPABASE_DATA = '"{""provider"":""email"",""role"":""admin""}","{""full_name"":""Ada Lovelace""}",'
_SUPABASE_ROW = (
    f"0,{UUID},authenticated,authenticated,ada@example.com,{{}},2024-05-06 12:53:20+00,2024-05-06 12:53:20+00,"
)
_SUPABASE_ROW += "2024-05-06 12:53:20.5+00,"
_FASTAPI = "id,email,hashed_password,is_active,is_superuser,is_verified\n"
_AUTH0 = {
    "_id": {"$oid": "6638d2c077e4ec9300000000"},
    "email_verified": True,
    "email": "ada@example.com",
    "passwordHash": _BCRYPT.replace("$2b$", "$2a$"),
    "connection": "Username-Password-Authentication",
    "identifiers": [{"type": "email", "value": "ada@example.com", "verified": True}],
}
_FIREBASE = {
    "localId": "nAL2wB5Fhdck8kBnoDEr7oIvvrC2",
    "email": "ada@example.com",
    "emailVerified": True,
    "displayName": "Ada Lovelace",
    "passwordHash": VECTORS["Firebase"][1].rpartition("$")[2].replace("/", "_").replace("+", "-"),
    "salt": "42xEC-ixf3L2lw==",
    "createdAt": "1715000000000",
    "customAttributes": '{"role": "admin"}',
}


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
        f"{_FASTAPI}{UUID},ada@example.com,{_BCRYPT},false,false,false\n",
        ExportFormat.FASTAPI_USERS,
        Kept(name="ada", created=GIVEN.now, verified=False, role=Role.USER, disabled=True),
    ),
    "Supabase": (
        f"{_SUPABASE}{_SUPABASE_ROW.format(_BCRYPT)}{_SUPABASE_DATA},,,false\n",
        ExportFormat.SUPABASE,
        Kept(created=THEN),
    ),
    "Supabase, of Firebase": (
        f"{_SUPABASE}{_SUPABASE_ROW.format(chr(34) + VECTORS['Firebase'][1] + chr(34))}{_SUPABASE_DATA},,,f\n",
        ExportFormat.SUPABASE,
        Kept(created=THEN, password="user1password"),
    ),
    "Supabase, banned": (
        f"{_SUPABASE}{_SUPABASE_ROW.format(_BCRYPT)}{_SUPABASE_DATA},2099-01-01 00:00:00+00,,false\n",
        ExportFormat.SUPABASE,
        Kept(created=THEN, disabled=True),
    ),
    "Supabase, banned for good": (
        f"{_SUPABASE}{_SUPABASE_ROW.format(_BCRYPT)}{_SUPABASE_DATA},infinity,,false\n",
        ExportFormat.SUPABASE,
        Kept(created=THEN, disabled=True),
    ),
    "Supabase, banned once": (
        f"{_SUPABASE}{_SUPABASE_ROW.format(_BCRYPT)}{_SUPABASE_DATA},2020-01-01 00:00:00+00,,false\n",
        ExportFormat.SUPABASE,
        Kept(created=THEN),
    ),
    "Supabase, without a password": (
        f"{_SUPABASE}{_SUPABASE_ROW.format('')}{_SUPABASE_DATA.replace('email', 'google')},,,false\n",
        ExportFormat.SUPABASE,
        Kept(created=THEN, password=None, provider="google"),
    ),
    "Auth0": (
        one_line(_AUTH0),
        ExportFormat.AUTH0,
        Kept(id="6638d2c077e4ec9300000000", name="ada", role=Role.USER, created=THEN),
    ),
    "Auth0, with the email among the identifiers": (
        one_line({name: _AUTH0[name] for name in ("_id", "passwordHash", "identifiers")}),
        ExportFormat.AUTH0,
        Kept(id="6638d2c077e4ec9300000000", name="ada", role=Role.USER, created=THEN),
    ),
    "Auth0, with an id of its own, blocked": (
        one_line({**_AUTH0, "alt_id": "euclid", "blocked": True, "name": "Ada Lovelace"}),
        ExportFormat.AUTH0,
        Kept(id="euclid", role=Role.USER, created=THEN, disabled=True),
    ),
    "Auth0, from elsewhere": (
        one_line({**_AUTH0, "passwordHash": None, "user_id": "google-oauth2|108410841084108410841"}),
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
        json.dumps(
            {
                "realm": "shop",
                "users": [
                    {
                        **KEYCLOAK_USER,
                        "enabled": False,
                        "realmRoles": [],
                        "federatedIdentities": [{"identityProvider": "github", "userId": "7"}],
                    }
                ],
            },
            indent=2,
        ),
        ExportFormat.KEYCLOAK,
        Kept(created=THEN, role=Role.USER, password=None, provider="github", disabled=True),
    ),
    "Firebase": (
        json.dumps({"users": [_FIREBASE]}),
        ExportFormat.FIREBASE,
        Kept(id="nAL2wB5Fhdck8kBnoDEr7oIvvrC2", created=THEN, password="user1password"),
    ),
    "Firebase, disabled, from elsewhere": (
        json.dumps(
            {
                "users": [
                    {
                        **_FIREBASE,
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


@pytest.mark.parametrize("named", [False, True], ids=["recognised", "named"])
@pytest.mark.parametrize(("content", "format_", "kept"), FILES.values(), ids=FILES)
def test_a_user_of_each_format_is_kept_with_everything(
    tmp_path: Path, content: str, format_: ExportFormat, kept: Kept, named: bool
) -> None:
    (tmp_path / "users").write_text(content)
    [account] = judged(rows_of(tmp_path / "users", format_ if named else None, given(tmp_path)), admins=True).values()
    assert isinstance(account, Account), account
    assert (
        Kept(
            account.id,
            account.name,
            account.email,
            account.verified,
            account.role,
            account.created_at,
            kept.password,
            account.provider,
            account.disabled_at is not None,
        )
        == kept
    )
    hasher = Hasher(Argon2id(memory_kib=64, iterations=1))
    if kept.password is None:
        assert account.password_hash is None
    else:
        assert hasher.matches(kept.password, account.password_hash or "")
        assert not hasher.matches("wrong horse", account.password_hash or "")


def keycloak(**changed: object) -> str:
    return json.dumps({"realm": "shop", "users": [{**KEYCLOAK_USER, **changed}]})


# A file with one user, and why that is left out.
REFUSED: dict[str, tuple[str, str]] = {
    "no JSON": ('{"_id": 1}\n{"_id": canary}\n', "it is not JSON"),
    "no object": ('{"_id": 1}\n["canary"]\n', "it is no JSON object"),
    "deep": ('{"_id": 1}\n' + "[" * 100_000 + "\n", "it is not JSON"),
    "half a character": (one_line({**_AUTH0, "name": "\ud800"}), "its name is not UTF-8"),
    "no email": (one_line({"_id": {"$oid": "1"}}), "its email is not one that Vestibule sends to"),
    "an id that is too long": (one_line({**_AUTH0, "user_id": "x|" * 30}), "its id is not 1 to 36 letters"),
    "deleted": (
        f"{_SUPABASE}{_SUPABASE_ROW.format(_BCRYPT)}{_SUPABASE_DATA},,2024-05-06 12:53:20+00,false\n",
        "it is a user who was deleted there",
    ),
    "a service account": (keycloak(serviceAccountClientId="shop"), "it is a client's service account, and no person"),
    "an algorithm": (
        keycloak(credentials=keycloak_password("canary", 1, b"0" * 32)),
        "its hash has no form that Vestibule can check",
    ),
    "iterations": (
        keycloak(credentials=keycloak_password("pbkdf2-sha256", 10**9, b"0" * 32)),
        "checking its hash would",
    ),
    "memory": (
        keycloak(
            credentials=keycloak_password(
                "argon2", 5, b"0" * 32, memory="71680000", type="id", version="1.3", parallelism="1"
            )
        ),
        "checking its hash would",
    ),
    "no number": (
        keycloak(credentials=[{"type": "password", "credentialData": '{"algorithm": "pbkdf2"}', "secretData": "{}"}]),
        "its password hash is malformed",
    ),
    "no data": (keycloak(credentials=[{"type": "password"}]), "its password hash is malformed"),
    "a date": (keycloak(createdTimestamp=10**30), "its createdAt is no date"),
    "a salt": (json.dumps({"users": [{**_FIREBASE, "salt": "é"}]}), "its password hash is malformed"),
    "an entry": (json.dumps({"users": [{"localId": "canary"}, 7]}), "it is no JSON object"),
}


@pytest.mark.parametrize(("content", "reason"), REFUSED.values(), ids=REFUSED)
def test_i11_each_wrong_user_has_its_reason(tmp_path: Path, content: str, reason: str) -> None:
    (tmp_path / "users").write_text(content)
    *_, told = judged(rows_of(tmp_path / "users", given=given(tmp_path))).values()
    assert isinstance(told, str)
    assert told.startswith(reason)
    assert "canary" not in told


# A file, the format that is named, and what is said of it.
WRONG: dict[str, tuple[str, ExportFormat | None, str]] = {
    "unknown JSON": (
        '{"people": []}',
        None,
        "is JSON of no format that is recognised; give --format: django",
    ),
    "JSON, named CSV": (
        '{"people": []}',
        ExportFormat.CSV,
        "is JSON, and --format csv is CSV; JSON may be dj",
    ),
    "CSV, named JSON": ("email\nada@example.com\n", ExportFormat.KEYCLOAK, "is no JSON, and --format keycloak is"),
    "broken JSON": ('{"realm": "shop", "users": [{', None, ": entry 1 is not JSON, or the file ends in it"),
    "no users": ('{"realm": "shop"}', None, ": it has no list of users"),
    "columns of another": (
        "id,email\n1,2\n",
        ExportFormat.DJANGO,
        "lacks the columns date_joined, is_active",
    ),
    "no entries": ('{"realm": "shop", "users": []}', None, "has no users in it"),
}


@pytest.mark.parametrize(("content", "format_", "said"), WRONG.values(), ids=WRONG)
def test_i11_each_wrong_file_of_a_format_has_its_sentence(
    tmp_path: Path, content: str, format_: ExportFormat | None, said: str
) -> None:
    (tmp_path / "users").write_text(content)
    with pytest.raises(UnusableFile) as refused:
        rows_of(tmp_path / "users", format_)
    assert said in str(refused.value)


def test_hashes_of_firebase_need_the_parameters_of_the_project(tmp_path: Path) -> None:
    (tmp_path / "users").write_text(json.dumps({"users": [_FIREBASE]}))
    with pytest.raises(UnusableFile, match="give --hash-config FILE"):
        rows_of(tmp_path / "users")
    for content, said in (
        ("", "lacks base64_signer_key, base64_salt_separator, rounds, mem_cost; copy all"),
        (CONFIG.replace("rounds", "canary"), "lacks rounds"),
        (CONFIG.replace("14", "many"), "has a number that is none"),
        (CONFIG.replace("Bw==", "B"), "or a key that is no base64"),
    ):
        (tmp_path / "hash.txt").write_text(content)
        with pytest.raises(UnusableFile, match=f"--hash-config: .*{said}"):
            read_hash_form(tmp_path / "hash.txt")
    with pytest.raises(UnusableFile, match="cannot be read: No such file"):
        read_hash_form(tmp_path / "none.txt")
