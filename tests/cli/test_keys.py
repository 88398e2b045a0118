"""`vestibule keys`: shown without their private half, and made ready for an environment file."""

import base64
import sqlite3
from pathlib import Path

import httpx
import pytest

from tests.harness.process import given_keys, run, serving
from tests.harness.world import key_ring
from vestibule.crypto import jwk

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
    for use, key in (("access", key_ring().access.signing), ("refresh", key_ring().refresh.signing)):
        row = next(line for line in shown.stdout.splitlines() if key.kid in line)
        assert row.split() == [use, key.kid, "RS256", "2048", "signs"]
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
        published = httpx.get(f"{server.base}/.well-known/jwks.json").json()["keys"]
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
