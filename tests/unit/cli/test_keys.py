"""`vestibule keys`: shown without their private half, and made ready for an environment file."""

import asyncio
import base64
import sqlite3
from pathlib import Path

import httpx
import pytest

from tests.harness import backends
from tests.harness.older_keys import OlderKeyManager
from tests.harness.process import complaint, given_keys, register, run, serving, sign_in
from tests.harness.servers import wait_until
from tests.harness.world import given_key_ring
from vestibule.crypto import jwk
from vestibule.crypto.seal import Seal
from vestibule.flows.open_key_ring import make_keys, open_key_ring
from vestibule.model.clock import SystemClock
from vestibule.model.signing_keys import KeyState, KeyUse
from vestibule.storage.sql import engine
from vestibule.storage.sql.store import SqlStore

SECRET = "a secret of more than thirty-two characters"
NAMES = [
    "JWT_ACCESS_TOKEN_PRIVATE_KEY",
    "JWT_ACCESS_TOKEN_PUBLIC_KEY",
    "JWT_REFRESH_TOKEN_PRIVATE_KEY",
    "JWT_REFRESH_TOKEN_PUBLIC_KEY",
]


def test_list_shows_whole_rows_and_no_private_half(tmp_path: Path) -> None:
    shown = run(tmp_path, "keys", "list", **given_keys())
    assert shown.returncode == 0, shown.stderr
    assert shown.stderr == ""
    for use, key in (("access", given_key_ring().access.signing), ("refresh", given_key_ring().refresh.signing)):
        row = next(line for line in shown.stdout.splitlines() if key.kid in line)
        assert row.split() == [use, key.kid, "RS256", "2048", "current"]
        assert str(key.jwk.as_dict(private=True)["d"]) not in shown.stdout
    assert "PRIVATE" not in shown.stdout


def test_generated_lines_are_all_there_is_on_the_output_and_start_a_server(tmp_path: Path) -> None:
    made = run(tmp_path, "keys", "generate", "--bits", "2048")
    assert made.returncode == 0, made.stderr
    settings = dict(line.split("=", 1) for line in made.stdout.splitlines())
    assert list(settings) == NAMES
    assert list(tmp_path.iterdir()) == []
    (tmp_path / ".env").write_text(made.stdout)
    with serving(tmp_path) as server:
        published = server.ask("GET", "/.well-known/jwks.json").json()["keys"]
        assert server.stop() == 0
    given = jwk.public_key(base64.b64decode(settings["JWT_ACCESS_TOKEN_PUBLIC_KEY"]))
    assert [key["kid"] for key in published] == [given.kid]
    assert not published[0].keys() & {"d", "p", "q", "dp", "dq", "qi"}
    with sqlite3.connect(tmp_path / "vestibule-data" / "vestibule.sqlite3") as database:
        assert database.execute("SELECT count(*) FROM signing_keys").fetchone() == (0,)
    database.close()


@pytest.mark.parametrize("bits", ["1024", "2500"])
def test_keys_of_a_size_nobody_should_use_are_not_made(tmp_path: Path, bits: str) -> None:
    refused = run(tmp_path, "keys", "generate", "--bits", bits)
    assert refused.returncode == 2
    assert refused.stdout == ""
    assert "--bits" in refused.stderr


def test_list_in_an_empty_folder_makes_nothing(tmp_path: Path) -> None:
    shown = run(tmp_path, "keys", "list")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout == ""
    assert "no keys yet" in shown.stderr
    assert list(tmp_path.iterdir()) == []


def test_rotating_given_keys_is_refused_in_one_line(tmp_path: Path) -> None:
    refused = run(tmp_path, "keys", "rotate", **given_keys())
    assert refused.returncode == 1
    assert "JWT_" in complaint(refused.stderr)


def test_a_running_server_follows_a_rotation_and_a_new_secret(tmp_path: Path) -> None:
    """Compressed: services keep the published keys for a second, and processes trust what they know for two."""
    quick = {
        "VESTIBULE_SIGNING_ALGORITHM": "RS256-2048",
        "VESTIBULE_JWKS_SECONDS": "1",
        "VESTIBULE_REVOCATION_STALENESS_SECONDS": "2",
        "VESTIBULE_CLOCK_LEEWAY_SECONDS": "0",
    }
    with serving(tmp_path, **quick) as server, server.browser() as browser:
        register(browser, "ada@example.com")
        sign_in(browser, "ada@example.com")
        first = browser.get("/.well-known/jwks.json").json()["keys"][0]["kid"]
        wait_until(lambda: "next" in run(tmp_path, "keys", "list").stdout, "the next keys")
        too_early = run(tmp_path, "keys", "rotate", **quick | {"VESTIBULE_JWKS_SECONDS": "300"})
        assert "at the earliest" in complaint(too_early.stderr)
        rotated = run(tmp_path, "keys", "rotate", "--now", **quick)
        assert rotated.returncode == 0, rotated.stderr
        wait_until(lambda: _signing(browser) != first, "the rotation")
        assert browser.get("/api/users/me").status_code == 200
        assert browser.get("/api/auth/refresh").status_code == 200
        assert browser.get("/api/users/me").status_code == 200
        rows = [line.split() for line in run(tmp_path, "keys", "list").stdout.splitlines()]
        assert [(row[0], *row[2:4]) for row in rows if row[0] != "use"] == [
            (use, kind, state)
            for use, kind in (("access", "RS256"), ("refresh", "EdDSA"))
            for state in ("next", "current", "retired")
        ]
        assert "--now" in complaint(run(tmp_path, "keys", "withdraw", first, **quick).stderr)
        assert server.stop() == 0
    old = (tmp_path / "vestibule-data" / "secret.key").read_text().strip()
    secrets = {"VESTIBULE_SECRET_KEY": "n" * 43, "VESTIBULE_SECRET_KEY_OLD": old}
    plain = run(tmp_path, "keys", "reencrypt", **quick)
    assert (plain.returncode, "VESTIBULE_SECRET_KEY" in plain.stdout, "secret.key" in plain.stdout) == (0, False, True)
    reencrypted = run(tmp_path, "keys", "reencrypt", **quick, **secrets)
    assert reencrypted.returncode == 0
    assert reencrypted.stdout.strip().endswith("VESTIBULE_SECRET_KEY. VESTIBULE_SECRET_KEY_OLD is no longer needed.")
    again = run(tmp_path, "keys", "reencrypt", **quick, VESTIBULE_SECRET_KEY="n" * 43)
    assert again.stdout.strip().endswith("keys are encrypted with VESTIBULE_SECRET_KEY.")
    with serving(tmp_path, **quick, VESTIBULE_SECRET_KEY="n" * 43) as server, server.browser() as again:
        again.cookies = browser.cookies
        assert again.get("/api/auth/refresh").status_code == 200
    refused = run(tmp_path, "keys", "rotate", **quick)
    assert "VESTIBULE_SECRET_KEY" in complaint(refused.stderr)


def test_its_help_says_which_uses_a_rotation_is_about(tmp_path: Path) -> None:
    helped = " ".join(run(tmp_path, "keys", "rotate", "--help").stdout.split())
    assert "both uses, or none; with --use access or --use refresh only the keys of that use" in helped


def test_a_rotation_says_that_the_next_key_is_of_another_kind(tmp_path: Path) -> None:
    """In a database from before decision 0038, whose refresh keys are RSA."""
    quick = {"VESTIBULE_REVOCATION_STALENESS_SECONDS": "2", "VESTIBULE_SECRET_KEY": SECRET}
    backends.embedded(tmp_path / "vestibule-data")
    asyncio.run(_older_keys(f"sqlite:///{tmp_path}/vestibule-data/vestibule.sqlite3"))
    said = []
    for _ in range(3):
        rotated = run(tmp_path, "keys", "rotate", "--use", "refresh", "--now", **quick)
        assert rotated.returncode == 0, rotated.stderr
        said.append("The next refresh key is of another kind, EdDSA." in " ".join(rotated.stderr.split()))
    assert said == [True, False, False]
    states = [
        line.split()[2:4] for line in run(tmp_path, "keys", "list", **quick).stdout.splitlines() if "refresh" in line
    ]
    assert states == [
        ["EdDSA", "next"],
        ["EdDSA", "current"],
        *[[kind, "retired"] for kind in ("EdDSA", "RS256", "RS256")],
    ]


async def _older_keys(address: str) -> None:
    engines = engine.connect(address)
    store, key_manager = SqlStore(engines), OlderKeyManager(Seal(SECRET), "RS256", 2048)
    await open_key_ring(store, SystemClock(), key_manager)
    await make_keys(store, SystemClock(), key_manager, list(KeyUse), KeyState.NEXT)
    await engines.close()


def test_an_id_may_begin_with_a_dash(tmp_path: Path) -> None:
    for kid in ("-Lh0", "--h"):  # an id has 43 signs, so that -h is none
        assert complaint(run(tmp_path, "keys", "withdraw", kid, VESTIBULE_SECRET_KEY="n" * 43).stderr).startswith(
            f"there is no key {kid};"
        )
    assert "--now" in run(tmp_path, "keys", "withdraw", "--help").stdout


def _signing(browser: httpx.Client) -> str:
    return str(browser.get("/.well-known/jwks.json").json()["keys"][0]["kid"])
