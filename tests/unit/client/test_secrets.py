"""K33: no mistake with a service key shows it: not what is raised where it is given, nor what is logged later."""

import asyncio
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.harness.process import given_keys, run
from tests.harness.servers import free_port
from tests.unit.client.beating import beating
from vestibule.client import AsyncSession, NotReachedError, Session, Verifier, WrongIssuerError, reasons
from vestibule.client.feed_values import require_issuer_and_audience
from vestibule.protocol.claims import Expected
from vestibule.protocol.service_keys import hide_keys

SECRET = "hushhush0123456789"
KEY = f"vsk_{SECRET}"
URL = "https://auth.example.com"

MISTAKES: dict[str, Callable[[], Any]] = {
    "url and key swapped": lambda: Verifier(KEY, URL),
    "the key as the url": lambda: Verifier(KEY, KEY),
    "the key in the url": lambda: Verifier(f"{URL}/{KEY}", KEY),
    "the key as a user of the url": lambda: Verifier(f"https://{KEY}@auth.example.com", KEY),
    "the key as a port": lambda: Verifier(f"{URL}:{KEY}", KEY),
    "over plain HTTP": lambda: Verifier(f"http://{KEY}.example.com", KEY),
    "a line inside the key": lambda: Verifier(URL, f"{KEY}\n{KEY}"),
    "the header as the key": lambda: Verifier(URL, f"Bearer {KEY}"),
    "quotes around the key": lambda: Verifier(URL, f"'{KEY}'"),
    "bytes": lambda: Verifier(URL, KEY.encode()),  # type: ignore[arg-type]
    "the key twice": lambda: Verifier(URL, KEY, KEY),  # type: ignore[arg-type]
    "the key as an origin": lambda: Verifier(URL, KEY, origins=[KEY]),
    "the key as the origins": lambda: Verifier(URL, KEY, origins=KEY),
    "Session": lambda: Session(KEY),
    "Session, in a path": lambda: Session(f"{URL}/{KEY}"),
    "AsyncSession": lambda: AsyncSession(KEY),
    "AsyncSession, over plain HTTP": lambda: AsyncSession(f"http://{KEY}.example.com"),
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_k33_a_mistake_is_refused_where_it_is_made_and_shows_no_key(mistake: Callable[[], Any]) -> None:
    with pytest.raises(ValueError, match=r"\w") as wrong:
        mistake()
    assert SECRET not in f"{wrong.value}{wrong.value!r}{wrong.value.__cause__}{wrong.value.args}"


@pytest.mark.parametrize("around", ["{}\n", " {} ", "\t{}\r\n"])
def test_k33_white_space_around_a_key_is_not_sent(around: str, caplog: pytest.LogCaptureFixture) -> None:
    """K33: as where it was read from a file."""
    caplog.set_level(logging.DEBUG, "vestibule")
    with beating() as url, Verifier(url, around.format(KEY)) as verifier:
        assert verifier.age < 60
    assert caplog.messages == []


def test_k33_no_exception_of_the_transport_is_logged_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    """K33: they may quote what was sent."""
    illegal = httpx.LocalProtocolError(f"Illegal header value b'Bearer {KEY}'")
    network = httpx.ConnectError(f"cannot send {KEY}")
    network.__cause__ = ConnectionRefusedError(111, f"refused {KEY}")
    said = [reasons.why(fault) for fault in (illegal, network, httpx.ReadError(KEY), httpx.ReadTimeout(KEY))]
    assert said == ["LocalProtocolError", "ConnectError: Connection refused", "ReadError", "no answer in time"]
    verifier = Verifier(f"http://127.0.0.1:{free_port()}", KEY)
    verifier.start()
    verifier.close()
    assert "Connection refused" in caplog.text
    assert SECRET not in caplog.text


def test_k33_what_vestibule_or_another_program_says_shows_no_key_either() -> None:
    """K33: whom the key was sent to can repeat it."""
    with pytest.raises(WrongIssuerError) as wrong:
        require_issuer_and_audience({"issuer": KEY}, Expected(KEY + "2", "vestibule", 30.0))
    assert SECRET not in str(wrong.value)
    assert SECRET not in str(NotReachedError(f"the answer is {KEY}"))
    assert hide_keys(f"{KEY}, and {KEY}/") == "vsk_…, and vsk_…/"


DJANGO = """
import django, sys
from django.conf import settings
settings.configure(VESTIBULE={settings!r})
django.setup()
from vestibule.client.django import verifier
verifier()
"""


@pytest.mark.parametrize(
    "settings",
    [
        {"url": KEY, "service_key": URL},
        {"url": URL, "service_key": f"Bearer {KEY}"},
        {"url": URL, "service_key": KEY, "when_stale": KEY},
        {"url": URL, KEY: "service_key"},
    ],
    ids=["swapped", "header", "when_stale", "the key as a name"],
)
def test_k33_in_django_s_settings_too(settings: dict[str, str]) -> None:
    program = DJANGO.format(settings=settings)
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=os.environ, check=False)
    assert ended.returncode == 1
    assert "ImproperlyConfigured: settings.VESTIBULE: " in ended.stderr
    assert SECRET not in ended.stdout + ended.stderr


COMMANDS = [
    ("services", "create", KEY),
    ("services", "create", KEY.upper()),
    ("services", "revoke", KEY),
    ("services", "list", KEY),
    *((name, "--url", KEY) for name in ("whoami", "token", "logout", "doctor")),
    *((name, "--url", f"{URL}/{KEY}") for name in ("whoami", "doctor")),
    ("login", "ada@example.com", "--url", KEY),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_k33_no_command_repeats_a_key(command: tuple[str, ...], tmp_path: Path) -> None:
    ended = run(tmp_path, *command, **given_keys())
    assert ended.returncode != 0
    assert SECRET not in ended.stdout + ended.stderr


@pytest.mark.parametrize("name", ["VESTIBULE_URL", "ORIGIN"])
def test_k33_no_setting_repeats_a_key(name: str, tmp_path: Path) -> None:
    ended = run(tmp_path, "whoami", **{**given_keys(), name: KEY})
    assert ended.returncode != 0
    assert SECRET not in ended.stdout + ended.stderr


def test_k33_sessions_say_no_token_that_cannot_be_sent() -> None:
    session = AsyncSession(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(NotReachedError) as lost:
        asyncio.run(session.sign_in("ada@example.com", SECRET))
    assert SECRET not in str(lost.value)
