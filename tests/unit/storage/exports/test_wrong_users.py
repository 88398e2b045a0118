"""Each format: what a wrong user and a wrong file are told."""

import json
from pathlib import Path

import pytest

from tests.unit.storage.exports.reading import judged, rows_of
from tests.unit.storage.exports.users_of_formats import (
    AUTH0,
    BCRYPT,
    CONFIG,
    FIREBASE,
    SUPABASE,
    SUPABASE_DATA,
    SUPABASE_ROW,
    given,
    keycloak,
    keycloak_password,
    one_line,
)
from vestibule.model.imports import ExportFormat
from vestibule.storage.exports.faults import UnusableFile
from vestibule.storage.exports.firebase import read_hash_form

# A file with one user, and why that is left out.
REFUSED: dict[str, tuple[str, str]] = {
    "no JSON": ('{"_id": 1}\n{"_id": canary}\n', "it is not JSON"),
    "no object": ('{"_id": 1}\n["canary"]\n', "it is no JSON object"),
    "deep": ('{"_id": 1}\n' + "[" * 100_000 + "\n", "it is not JSON"),
    "half a character": (one_line({**AUTH0, "name": "\ud800"}), "its name is not UTF-8"),
    "no email": (one_line({"_id": {"$oid": "1"}}), "its email is not one that Vestibule sends to"),
    "an id that is too long": (one_line({**AUTH0, "user_id": "x|" * 30}), "its id is not 1 to 36 letters"),
    "deleted": (
        f"{SUPABASE}{SUPABASE_ROW.format(BCRYPT)}{SUPABASE_DATA},,2024-05-06 12:53:20+00,false\n",
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
    "a salt": (json.dumps({"users": [{**FIREBASE, "salt": "é"}]}), "its password hash is malformed"),
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
    (tmp_path / "users").write_text(json.dumps({"users": [FIREBASE]}))
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
