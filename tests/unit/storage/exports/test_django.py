"""Django's own users: made by Django with each of its hashers, and exported by `dumpdata` and as a table."""

import csv
import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.unit.storage.exports.reading import GIVEN, judged, rows_of
from vestibule.crypto.passwords import Argon2id, Hasher
from vestibule.model.accounts import Account, Role
from vestibule.storage.exports.fields import Given

PASSWORD = "correct horse"
HASHERS = [
    "PBKDF2PasswordHasher",
    "PBKDF2SHA1PasswordHasher",
    "Argon2PasswordHasher",
    "BCryptSHA256PasswordHasher",
    "BCryptPasswordHasher",
    "ScryptPasswordHasher",
]
SCRIPT = f"""
import django
from django.conf import settings
settings.configure(
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"],
    DATABASES={{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": "django.sqlite3"}}}},
    PASSWORD_HASHERS=["django.contrib.auth.hashers." + name for name in {HASHERS}],
    DEFAULT_AUTO_FIELD="django.db.models.AutoField", USE_TZ=True,
)
django.setup()
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import get_hasher, make_password
from django.core.management import call_command
call_command("migrate", verbosity=0)
users = get_user_model().objects
for hasher in ("pbkdf2_sha256", "pbkdf2_sha1", "argon2", "bcrypt_sha256", "bcrypt", "scrypt"):
    email = hasher.replace("_", "-") + "@Example.com"
    user = users.create(username=hasher, email=email, first_name="Ada", last_name="L")
    user.password = make_password({PASSWORD!r}, hasher=hasher)
    user.save()
users.create_user("none", "none@example.com").save()
users.create_user("off", "off@example.com", {PASSWORD!r}, is_active=False)
users.create_superuser("boss", "boss@example.com", {PASSWORD!r})
call_command("dumpdata", "auth.user", output="users.json", indent=2)
"""


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the users of a Django project, as `users.json` and `users.csv`."""
    folder = tmp_path_factory.mktemp("django")
    subprocess.run([sys.executable, "-W", "ignore", "-c", SCRIPT], cwd=folder, check=True, timeout=300)
    with closing(sqlite3.connect(folder / "django.sqlite3")) as database, (folder / "users.csv").open("w") as file:
        found = database.execute("SELECT * FROM auth_user")
        csv.writer(file).writerows([[column[0] for column in found.description], *found])
    return folder


@pytest.mark.parametrize("name", ["users.json", "users.csv"])
def test_everybody_keeps_id_name_role_date_and_password(exported: Path, name: str) -> None:
    told = judged(rows_of(exported / name), admins=True)
    accounts = {found.email.partition("@")[0]: found for found in told.values() if isinstance(found, Account)}
    assert len(accounts) == len(told) == 9
    dumped = {entry["fields"]["username"]: entry for entry in json.loads((exported / "users.json").read_text())}
    hasher = Hasher(Argon2id(memory_kib=64, iterations=1))
    for entry in dumped.values():
        fields, account = entry["fields"], accounts[entry["fields"]["username"].replace("_", "-")]
        assert account.id == str(entry["pk"])
        assert account.created_at.isoformat()[:19] == fields["date_joined"][:19]
        assert not account.verified
        assert (account.disabled_at is not None) is (fields["username"] == "off")
        assert account.role is (Role.ADMIN if fields["username"] == "boss" else Role.USER)
        if fields["username"] == "none":
            assert (account.password_hash, account.provider) == (None, "django")
        else:
            assert hasher.matches(PASSWORD, account.password_hash or "")
            assert not hasher.matches("wrong horse", account.password_hash or "")
    assert accounts["scrypt"].name == "Ada L"
    assert accounts["boss"].name == "boss"


def test_emails_are_verified_where_the_importer_says_so(exported: Path) -> None:
    for found in judged(rows_of(exported / "users.json", given=Given(GIVEN.now, verified=True))).values():
        assert isinstance(found, Account)
        assert found.verified


def test_what_is_dumped_beside_users_is_left_out(tmp_path: Path) -> None:
    group = {"model": "auth.group", "pk": 1, "fields": {"name": "staff", "permissions": []}}
    (tmp_path / "all.json").write_text(json.dumps([group, {"model": "auth.user"}]))
    assert set(judged(rows_of(tmp_path / "all.json")).values()) == {"it is no user: it lacks fields of auth.user"}
