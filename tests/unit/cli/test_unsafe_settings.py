"""What production does not start with: each refused in one line that says what to type."""

import sys
from pathlib import Path

import pytest

from tests.harness import backends
from tests.harness.process import PRODUCTION, complaint, given_keys, run, serving
from tests.unit.cli.conftest import Refusal
from vestibule.crypto.opaque import mint_secret
from vestibule.settings import reading


@pytest.mark.parametrize(
    ("given", "named", "typed"),
    [
        ({"VESTIBULE_URL": "http://auth.example.com"}, "VESTIBULE_URL", "use https://auth.example.com"),
        ({"ORIGIN": "https://a.example,http://b.example:3000"}, "ORIGIN", "use https://b.example:3000"),
        ({"ORIGIN": "*"}, "ORIGIN", "no *"),
        ({"VESTIBULE_URL": ""}, "VESTIBULE_URL", "is needed in production"),
        (
            {"VESTIBULE_SECRET_KEY": "changeme-changeme-changeme-changeme"},
            "VESTIBULE_SECRET_KEY",
            "make one with: python",
        ),
        ({"VESTIBULE_SECRET_KEY": "0123" * 10}, "VESTIBULE_SECRET_KEY", "make one with"),
        (
            {"VESTIBULE_PEPPER": "salt and pepper salt and pepper, my secret"},
            "VESTIBULE_PEPPER",
            "make one with: python",
        ),
        (
            {"VESTIBULE_CONCEAL_ACCOUNTS": "true"},
            "VESTIBULE_CONCEAL_ACCOUNTS",
            "set VESTIBULE_EMAIL_VERIFICATION=mandatory",
        ),
        ({"NODE_ENV": "development", "VESTIBULE_COOKIE_PREFIX": "__Host-"}, "VESTIBULE_COOKIE_PREFIX", "NODE_ENV="),
    ],
)
def test_what_would_be_unsafe_does_not_start_and_says_what_to_type(
    given: dict[str, str], named: str, typed: str, refusal: Refusal
) -> None:
    """L5: production starts with no plain HTTP, no wildcard, no default secret and no cookie that would be dropped."""
    safe = {"NODE_ENV": "production", "VESTIBULE_URL": "https://auth.example.com", **given_keys()}
    said = complaint(refusal(**{**safe, **given}))
    assert said.startswith(f"{named}: ")
    assert typed in said
    if named in {"VESTIBULE_SECRET_KEY", "VESTIBULE_PEPPER"}:
        assert given[named] not in said


@pytest.mark.parametrize("local", ["http://localhost:8000", "http://127.0.0.1:8000", "http://auth.localhost"])
def test_plain_http_may_stay_on_this_machine_and_a_drawn_secret_is_taken(
    local: str, nowhere: pytest.MonkeyPatch
) -> None:
    given = {"NODE_ENV": "production", "VESTIBULE_URL": local, "ORIGIN": local}
    for name, value in {**given, "VESTIBULE_SECRET_KEY": mint_secret()}.items():
        nowhere.setenv(name, value)
    assert reading.read().production


def test_an_origin_that_nobody_set_may_call_in_development_only(nowhere: pytest.MonkeyPatch) -> None:
    assert reading.read().front_ends == ("http://localhost:3000",)
    nowhere.setenv("NODE_ENV", "production")
    nowhere.setenv("VESTIBULE_URL", "https://auth.example.com")
    assert reading.read().front_ends == ()
    nowhere.setenv("ORIGIN", "https://app.example.com")
    assert reading.read().front_ends == ("https://app.example.com",)


def test_c25_what_weakens_a_server_is_a_line_of_its_log(tmp_path: Path) -> None:
    """C25: once, however many workers there are, and it starts."""
    weak = {"VESTIBULE_TRUSTED_PROXIES": "0.0.0.0/0,::/0", "VESTIBULE_REFRESH_ROTATION": "off"}
    with serving(tmp_path, **{**PRODUCTION, **given_keys(), **weak}) as server:
        lines = [line for line in server.output.splitlines() if "setting_weakens" in line]
    assert len(lines) == 3
    for words in (
        "0.0.0.0/0",
        "::/0",
        "do not rotate",
        "VESTIBULE_TRUSTED_PROXIES with",
        "VESTIBULE_REFRESH_ROTATION=on",
    ):
        assert any(words in line for line in lines), lines


# What any ASGI server does with an application: start it, and end it.
ASGI_SERVER = """
import asyncio
from vestibule.{module} import application

async def main():
    told = [{{"type": "lifespan.shutdown"}}, {{"type": "lifespan.startup"}}]

    async def receive():
        return told.pop()

    async def send(message):
        assert message["type"].endswith("complete"), message

    await application()({{"type": "lifespan", "asgi": {{"version": "3.0"}}, "state": {{}}}}, receive, send)

asyncio.run(main())
"""


@pytest.mark.parametrize("module", ["app", "wiring.traced"])
def test_c25_so_it_is_where_another_asgi_server_starts_it(module: str, tmp_path: Path) -> None:
    backends.embedded(tmp_path / "vestibule-data")
    script = (sys.executable, "-c", ASGI_SERVER.format(module=module))
    settings = {**PRODUCTION, **given_keys(), "VESTIBULE_REFRESH_ROTATION": "off"}
    ended = run(tmp_path, program=script, **settings)
    assert ended.returncode == 0, ended.stderr
    lines = [line for line in (ended.stdout + ended.stderr).splitlines() if "setting_weakens" in line]
    assert len(lines) == 1
    assert "do not rotate" in lines[0]
