"""K31: a token of a key that is not here is refused as invalid only once it is known that Vestibule has no such key."""

import asyncio
import base64
import json
import threading
import time
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import httpx
import pytest

from tests.harness.clock import ManualClock
from tests.harness.process import register, run, serving, sign_in
from tests.harness.servers import wait_until
from tests.stories.hostile.forgery import encode, json_bytes
from tests.unit.client.beating import beating
from tests.unit.client.counting import counting
from tests.unit.client.knowing import Knowing, token_of_today
from vestibule.client import CallerRefusedError, TokenInvalidError, Verifier
from vestibule.client.caller_errors import KeyUnknownError
from vestibule.client.keys import LISTED_REFETCH_SECONDS, KeySet
from vestibule.client.memory import LISTED_WITHIN_SECONDS

EMAIL = "ada@example.com"
SETTINGS = {"VESTIBULE_SIGNING_ALGORITHM": "ES256", "VESTIBULE_REVOCATION_STALENESS_SECONDS": "2"}
LONG_AGO = -60
KEYS = "/.well-known/jwks.json"


def renamed(token: str, kid: str) -> str:
    """The same token, as of another key."""
    header, rest = token.split(".", 1)
    said = json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))
    return f"{encode(json_bytes({**said, 'kid': kid}))}.{rest}"


def fate(knowing: Knowing, token: str) -> type[CallerRefusedError]:
    with pytest.raises(CallerRefusedError) as refusal:
        knowing.memory.decide(token)
    return type(refusal.value)


@pytest.mark.parametrize(
    ("issued", "heard", "refusal"),
    [
        (0, [["other"]], KeyUnknownError),
        (LONG_AGO, [["other"]], TokenInvalidError),
        (-LISTED_WITHIN_SECONDS, [["other"]], TokenInvalidError),
        (1 - LISTED_WITHIN_SECONDS, [["other"]], KeyUnknownError),
        (LONG_AGO, [["other", "made up"]], KeyUnknownError),
        (0, [["made up"], ["other"]], TokenInvalidError),
        (LONG_AGO, [], KeyUnknownError),
        (31, [["other"]], TokenInvalidError),
    ],
    ids=[
        "issued now, not listed",
        "issued before the list, not on it",
        "just before",
        "just after",
        "listed, and not fetched yet",
        "withdrawn",
        "before the first list",
        "issued in the future",
    ],
)
def test_k31_only_what_is_known_to_be_no_key_is_invalid(
    issued: float, heard: list[list[str]], refusal: type[CallerRefusedError]
) -> None:
    knowing = Knowing()
    now = int(knowing.clock.now().timestamp() + issued)
    token = renamed(knowing.token(issued_at=now, expires_at=now + 900), "made up")
    for listed in heard:
        knowing.memory.listing.take(listed, knowing.clock.monotonic())
    assert fate(knowing, token) is refusal


def test_k31_what_would_be_refused_under_any_key_is_invalid() -> None:
    knowing = Knowing()
    header, claims, signature = renamed(knowing.token(), "made up").split(".")
    said = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    for odd in ({"aud": "another"}, {"iss": "another"}, {"exp": said["iat"] - 31}, {"iat": "now"}, {"sid": ""}):
        assert fate(knowing, f"{header}.{encode(json_bytes(said | odd))}.{signature}") is TokenInvalidError
    assert fate(knowing, f"{header}.AAAA.{signature}") is TokenInvalidError
    assert fate(knowing, f"{header}.{claims}.{signature}") is KeyUnknownError


def test_k31_by_vestibule_s_clock_and_not_by_that_of_the_service() -> None:
    knowing = Knowing()
    token = renamed(knowing.token(), "made up")
    knowing.memory.listing.take(["other"], knowing.clock.monotonic())
    offset = knowing.clock.now().timestamp() - knowing.clock.monotonic()
    for ahead, refusal in ((0, KeyUnknownError), (LISTED_WITHIN_SECONDS, TokenInvalidError)):
        knowing.memory.clocks.note_offset(offset + ahead)
        assert fate(knowing, token) is refusal


def test_k31_without_a_list_it_is_the_last_fetch_that_tells() -> None:
    """As by a version of Vestibule that lists no keys."""
    knowing = Knowing()
    token = renamed(knowing.token(), "made up")
    for later, refusal in ((0, KeyUnknownError), (LISTED_WITHIN_SECONDS, TokenInvalidError)):
        knowing.memory.keys_as_of = knowing.clock.monotonic() + later
        assert fate(knowing, token) is refusal


def test_k31_what_strangers_make_up_does_not_use_up_what_a_listed_key_needs() -> None:
    """K31: of a key that is not listed once in `key_refetch` seconds, of one that is once a second."""
    clock = ManualClock()
    keys = KeySet(clock, 60)
    assert keys.may_refetch(listed=False)
    keys._asked_at = clock.monotonic()
    assert [keys.may_refetch(listed=listed) for listed in (False, True)] == [False, False]
    clock.advance(seconds=LISTED_REFETCH_SECONDS)
    assert [keys.may_refetch(listed=listed) for listed in (False, True)] == [False, True]
    clock.advance(seconds=59)
    assert keys.may_refetch(listed=False)


class Stranger(threading.Thread):
    """Sends invented key ids as fast as it can, from the moment it is started until the block ends."""

    def __init__(self, verifier: Verifier, token: str) -> None:
        super().__init__(daemon=True)
        self._verifier, self._token = verifier, token
        self._over = threading.Event()
        self.sent = 0

    def run(self) -> None:
        while not self._over.wait(0.001):
            with pytest.raises(CallerRefusedError):
                self._verifier.check(renamed(self._token, f"k{self.sent}"))
            self.sent += 1

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()


def key_of_new_token(browser: httpx.Client) -> str:
    """Sign in, and return the id of the key that signed the access token."""
    sign_in(browser, EMAIL)
    header = str(browser.cookies["access_token"]).partition(".")[0]
    return str(json.loads(base64.urlsafe_b64decode(header + "=="))["kid"])


def test_k31_rotations_and_a_stranger_make_no_genuine_token_invalid(tmp_path: Path) -> None:
    """K31: not while the keys cannot be fetched either; afterwards they are, but not at each of a stranger's."""
    with serving(tmp_path, **SETTINGS) as server, server.browser() as browser, counting(server.port) as way:
        register(browser, EMAIL)
        key = run(tmp_path, "services", "create", "orders", **SETTINGS).stdout.strip()
        sign_in(browser, EMAIL)
        with Verifier(way.base, key) as verifier:
            assert verifier.check(browser.cookies["access_token"])
            with Stranger(verifier, browser.cookies["access_token"]) as stranger:
                begun, way.refuse = time.monotonic(), KEYS
                held = {*verifier._here().memory.keys}
                for _ in range(2):
                    rotated = run(tmp_path, "keys", "rotate", "--use", "access", "--now", **SETTINGS)
                    assert rotated.returncode == 0, rotated.stderr
                # Vestibule learns of the rotations a moment later, one or both at once. The service holds the first
                # one's key, which was published before it signs.
                wait_until(lambda: key_of_new_token(browser) not in held, "a token of a key that the service lacks")
                assert not let_in(verifier, browser.cookies["access_token"])
                way.refuse = ""
                wait_until(lambda: let_in(verifier, browser.cookies["access_token"]), "the new key to be here")
                took = time.monotonic() - begun
            assert stranger.sent > 100
            assert way.asked[KEYS] <= 2 + took / LISTED_REFETCH_SECONDS


def test_k31_only_a_listed_key_waits_for_a_fetch_that_is_under_way() -> None:
    """K31: invented key ids hold no more threads of a service than the one whose fetch it is."""
    with (
        beating() as url,
        counting(urlsplit(url).port or 0) as way,
        Verifier(way.base, "vsk_x", key_refetch=1) as verifier,
    ):
        verifier.wait_ready(20)
        token, keys = token_of_today("s1"), verifier._here().updater.keys
        wait_until(lambda: keys.may_refetch(listed=False), "a second")
        before, way.trick = way.asked[KEYS], "silent"
        first = threading.Thread(target=lambda: fate_of(verifier, renamed(token, "first")))
        first.start()
        wait_until(lambda: way.asked[KEYS] > before, "the fetch")
        assert fate_of(verifier, renamed(token, "second")) is KeyUnknownError
        assert keys._under_way, "the second was answered while the fetch was under way"
        assert [keys.may_refetch(listed=listed) for listed in (False, True)] == [False, True]
        first.join()


def fate_of(verifier: Verifier, token: str) -> type[CallerRefusedError]:
    with pytest.raises(CallerRefusedError) as refusal:
        verifier.check(token)
    return type(refusal.value)


async def test_k31_those_who_wait_for_keys_that_cannot_be_fetched_write_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """K31: strangers write as little into the log as they can spend."""
    with serving(tmp_path, **SETTINGS) as server, server.browser() as browser, counting(server.port) as way:
        register(browser, EMAIL)
        key = run(tmp_path, "services", "create", "orders", **SETTINGS).stdout.strip()
        sign_in(browser, EMAIL)
        token = browser.cookies["access_token"]
        async with Verifier(way.base, key, key_refetch=1) as verifier:
            assert await verifier.check_async(token)
            way.refuse = KEYS
            await asyncio.to_thread(
                wait_until, lambda: verifier._here().updater.keys.may_refetch(listed=False), "a second"
            )
            made_up = [verifier.check_async(renamed(token, f"k{number}")) for number in range(200)]
            fates = await asyncio.gather(*made_up, return_exceptions=True)
        assert {type(fate) for fate in fates} == {KeyUnknownError}
        assert sum("unknown one" in record.getMessage() for record in caplog.records) == 1


def let_in(verifier: Verifier, token: str) -> bool:
    """Whether a genuine token is; anything but 503 is a fault."""
    try:
        return bool(verifier.check(token))
    except KeyUnknownError as refusal:
        assert refusal.status == 503  # noqa: PT017
        return False
