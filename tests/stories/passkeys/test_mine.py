"""One's own passkeys: added by who signed in lately, told to the owner, listed, renamed and removed."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import httpx
import pytest
from fido2.utils import websafe_decode, websafe_encode

from tests.harness.authenticator import AT, ICLOUD, Authenticator, Lie
from tests.harness.world import POLICY, World
from tests.stories.passkeys import EMAIL, MINE, OPTIONS, add, ask, sign_in, step_up
from vestibule.flows.add_factor import allow_new_factors
from vestibule.flows.ceremony import LIFETIME
from vestibule.flows.tell_owner import NOTICES_A_DAY
from vestibule.model.events import EventKind
from vestibule.model.letters import LetterKind
from vestibule.model.passkeys import MOST_PASSKEYS
from vestibule.storage.sql.schema import ceremonies, passkeys

Browser = httpx.AsyncClient


@pytest.fixture
async def browser(world: World) -> Browser:
    return await world.sign_in()


async def mine(browser: Browser) -> list[dict[str, object]]:
    answer = await browser.get(MINE)
    assert answer.status_code == 200, answer.text
    listed: list[dict[str, object]] = answer.json()["data"]["passkeys"]
    return listed


async def test_one_is_added_and_signs_in(world: World, browser: Browser, authenticator: Authenticator) -> None:
    await world.sign_in()
    answer = await add(browser, authenticator)
    assert answer.status_code == 201, answer.text
    data = answer.json()["data"]
    assert (len(data["recovery_codes"]), data["other_sessions"]) == (10, 1)
    assert (data["passkey"]["name"], data["passkey"]["synced"], data["passkey"]["lastUsedAt"]) == (
        "Security key",
        False,
        None,
    )
    assert "ceremony" not in browser.cookies
    assert (await sign_in(await world.client(), authenticator)).status_code == 200
    assert [each["lastUsedAt"] is not None for each in await mine(browser)] == [True]


@pytest.mark.parametrize(
    ("authenticator", "given", "name"),
    [
        (Authenticator(synced=True, aaguid=ICLOUD), {}, "iCloud Keychain"),
        (Authenticator(synced=True), {}, "Passkey"),
        (Authenticator(), {"name": "  Blue key  "}, "Blue key"),
        (Authenticator(), {"name": "  "}, "Security key"),
    ],
)
async def test_it_is_called_as_its_owner_says_or_after_its_maker(
    authenticator: Authenticator, given: dict[str, str], name: str, browser: Browser
) -> None:
    assert (await add(browser, authenticator, **given)).status_code == 201
    assert [each["name"] for each in await mine(browser)] == [name]


async def test_the_question_names_the_account_and_the_passkeys_it_has(world: World, browser: Browser) -> None:
    authenticator = Authenticator()
    await add(browser, authenticator)
    options = await ask(browser, f"{MINE}/options")
    async with world.env.store.reading() as read:
        account = await read.accounts.with_email(EMAIL)
    assert account is not None
    assert websafe_decode(options["user"]["id"]).decode() == account.id
    assert [each["id"] for each in options["excludeCredentials"]] == [websafe_encode(authenticator.passkeys[0].id)]


async def test_only_the_first_comes_with_recovery_codes(browser: Browser) -> None:
    codes = [(await add(browser, Authenticator())).json()["data"]["recovery_codes"] for _ in range(2)]
    assert [len(each) for each in codes] == [10, 0]


async def test_others_can_be_signed_out_with_it(world: World, browser: Browser) -> None:
    other = await world.sign_in()
    answer = await add(browser, Authenticator(), end_others=True)
    assert answer.json()["data"]["other_sessions"] == 0
    assert (await other.get("/api/users/me")).json()["code"] == "session_signed_out_elsewhere"
    assert (await browser.get("/api/users/me")).status_code == 200


async def test_f15_whoever_holds_the_account_is_told(world: World, browser: Browser) -> None:
    """F15: of a passkey that was added, and of one that was removed, by an event and by letter."""
    await browser.get(f"/api/auth/verifyemail/{world.secret(LetterKind.VERIFY_EMAIL)}")
    passkey = (await add(browser, Authenticator())).json()["data"]["passkey"]
    assert (await browser.delete(f"{MINE}/{passkey['id']}")).status_code == 200
    await world.deliver()
    sent = [letter.kind for letter in world.mailer.letters]
    assert sent[-2:] == [LetterKind.FACTOR_ADDED, LetterKind.FACTOR_REMOVED]
    async with world.env.store.reading() as read:
        account = await read.accounts.with_email(EMAIL)
        assert account is not None
        events = [event for event in await read.events.of_account(account.id, 10) if "factor" in event.detail]
    assert [(event.kind, event.detail["factor"]) for event in events] == [
        (EventKind.FACTOR_REMOVED, "passkey"),
        (EventKind.FACTOR_ADDED, "passkey"),
    ]


async def test_it_is_renamed_and_removed(browser: Browser, authenticator: Authenticator, world: World) -> None:
    passkey = (await add(browser, authenticator)).json()["data"]["passkey"]
    assert (await browser.patch(f"{MINE}/{passkey['id']}", json={"name": " Blue key "})).status_code == 200
    assert [each["name"] for each in await mine(browser)] == ["Blue key"]
    removed = await browser.delete(f"{MINE}/{passkey['id']}")
    credential_id = websafe_encode(authenticator.passkeys[0].id)
    assert removed.json()["data"] == {"rpId": "localhost", "credentialId": credential_id}
    assert await mine(browser) == []
    answer = await sign_in(await world.client(), authenticator)
    assert (answer.status_code, answer.json()["code"]) == (404, "passkey_unknown")
    async with world.env.store.reading() as read:
        account = await read.accounts.with_email(EMAIL)
        assert account is not None
        assert (await read.factors.of(account.id)).recovery_codes_left == 0


@pytest.mark.parametrize("passkey_id", ["of-another", "no such one", "a%00b", "x" * 300])
async def test_f12_nobody_changes_anothers(passkey_id: str, world: World, browser: Browser) -> None:
    """F12: nor learns whether there is one."""
    await world.register("grace@example.com")
    grace = await world.sign_in("grace@example.com")
    theirs = (await add(grace, Authenticator())).json()["data"]["passkey"]["id"]
    path = f"{MINE}/{theirs if passkey_id == 'of-another' else passkey_id}"
    for answer in (await browser.patch(path, json={"name": "Mine"}), await browser.delete(path)):
        assert (answer.status_code, answer.json()["code"]) == (404, "passkey_unknown")
    assert [each["name"] for each in await mine(grace)] == ["Security key"]


async def test_f15_whoever_signed_in_long_ago_changes_nothing(world: World, browser: Browser) -> None:
    """F15: nor is a question answered that was asked for in time."""
    passkey = (await add(browser, Authenticator())).json()["data"]["passkey"]["id"]
    world.clock.advance(seconds=(POLICY.reauthentication - timedelta(minutes=1)).total_seconds())
    made = Authenticator().create(await ask(browser, f"{MINE}/options"))
    world.clock.advance(seconds=61)
    late = [
        await browser.post(f"{MINE}/options"),
        await browser.post(MINE, json={"credential": made}),
        await browser.patch(f"{MINE}/{passkey}", json={"name": "Mine"}),
        await browser.delete(f"{MINE}/{passkey}"),
    ]
    assert [answer.json()["code"] for answer in late] == ["reauthentication_required"] * len(late)
    assert [each["name"] for each in await mine(browser)] == ["Security key"]


async def test_f17_an_account_has_twenty(world: World, browser: Browser) -> None:
    """F17: and is told so before anybody touches an authenticator."""
    made = None
    for number in range(MOST_PASSKEYS):
        if number == MOST_PASSKEYS - 1:
            made = Authenticator().create(await ask(browser, f"{MINE}/options"))
            kept = browser.cookies["ceremony"]
        if number == NOTICES_A_DAY:
            await allow_more(world)
        assert (await add(browser, Authenticator())).status_code == 201
    assert (await browser.post(f"{MINE}/options")).json()["code"] == "too_many_passkeys"
    browser.cookies["ceremony"] = kept
    answer = await browser.post(MINE, json={"credential": made})
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_passkeys")


async def allow_more(world: World) -> None:
    """As tomorrow: as many again can be added."""
    async with world.env.store.transaction() as tx:
        ada = await tx.accounts.lock_at("ada@example.com")
        assert ada is not None
        await allow_new_factors(tx, ada.id)


async def test_f17_a_credential_belongs_to_one_account(world: World, browser: Browser) -> None:
    """F17: also if an authenticator sends the id of somebody else's."""
    theirs = Authenticator()
    await add(browser, theirs)
    await world.register("grace@example.com")
    grace = await world.sign_in("grace@example.com")
    thief = Authenticator(make_id=lambda: theirs.passkeys[0].id)
    answer = await add(grace, thief)
    assert (answer.status_code, answer.json()["code"]) == (409, "passkey_taken")
    assert (await sign_in(await world.client(), theirs)).status_code == 200


async def _of_another_session(world: World, browser: Browser) -> httpx.Response:
    other = await world.sign_in()
    made = Authenticator().create(await ask(other, f"{MINE}/options"))
    browser.cookies["ceremony"] = other.cookies["ceremony"]
    return await browser.post(MINE, json={"credential": made})


async def _of_another_account(world: World, browser: Browser) -> httpx.Response:
    await world.register("grace@example.com")
    grace = await world.sign_in("grace@example.com")
    made = Authenticator().create(await ask(grace, f"{MINE}/options"))
    browser.cookies["ceremony"] = grace.cookies["ceremony"]
    return await browser.post(MINE, json={"credential": made})


async def _asked_for_a_sign_in(world: World, browser: Browser) -> httpx.Response:
    asked = await ask(browser)
    options = {**await ask(await world.sign_in(), f"{MINE}/options"), "challenge": asked["challenge"]}
    return await browser.post(MINE, json={"credential": Authenticator().create(options)})


async def _too_late(world: World, browser: Browser) -> httpx.Response:
    made = Authenticator().create(await ask(browser, f"{MINE}/options"))
    world.clock.advance(seconds=LIFETIME.total_seconds())
    return await browser.post(MINE, json={"credential": made})


async def _twice(_world: World, browser: Browser) -> httpx.Response:
    authenticator = Authenticator()
    options = await ask(browser, f"{MINE}/options")
    kept, first, second = browser.cookies["ceremony"], authenticator.create(options), Authenticator().create(options)
    assert (await browser.post(MINE, json={"credential": first})).status_code == 201
    assert (await step_up(browser, authenticator)).status_code == 200
    browser.cookies["ceremony"] = kept
    return await browser.post(MINE, json={"credential": second})


async def _from_elsewhere(_world: World, browser: Browser) -> httpx.Response:
    return await add(browser, Authenticator(origin="https://evil.example"))


async def _without_a_credential(_world: World, browser: Browser) -> httpx.Response:
    return await add(browser, Authenticator(), Lie(off=AT))


ATTEMPTS: dict[str, tuple[Callable[[World, Browser], Awaitable[httpx.Response]], str]] = {
    "f11 of another session": (_of_another_session, "ceremony_over"),
    "f11 of another account": (_of_another_account, "ceremony_over"),
    "f11 asked for a sign-in": (_asked_for_a_sign_in, "ceremony_over"),
    "f11 too late": (_too_late, "ceremony_over"),
    "f11 answered twice": (_twice, "ceremony_over"),
    "from elsewhere": (_from_elsewhere, "passkey_refused"),
    "without a credential": (_without_a_credential, "passkey_refused"),
}


@pytest.mark.parametrize("name", ATTEMPTS)
async def test_f11_none_is_added_by_an_answer_to_another_question(name: str, world: World, browser: Browser) -> None:
    act, code = ATTEMPTS[name]
    answer = await act(world, browser)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    async with world.engines.sqlalchemy_reading() as connection:
        stored = [len((await connection.execute(table.select())).all()) for table in (passkeys, ceremonies)]
    assert stored == ([1, 2] if name == "f11 answered twice" else [0, 0])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"credential": {}, "name": 7}, "Expected string, received number"),
        ({"credential": {}, "name": "x" * 65}, "String must contain at most 64 character(s)"),
        ({"credential": {}, "name": "a\0b"}, "A NUL character is not allowed"),
        ({"credential": {}, "end_others": "yes"}, "Expected boolean, received string"),
        ({"credential": {}, "end_others": 1}, "Expected boolean, received number"),
        ({"credential": 1}, "Expected object, received number"),
    ],
)
async def test_what_is_wrong_with_a_body_is_said(body: object, message: str, browser: Browser) -> None:
    answer = await browser.post(MINE, json=body)
    assert (answer.status_code, answer.json()["errors"][0]["message"]) == (400, message)
    confirmed = await browser.post("/api/users/me/factors/totp/confirm", json={"code": "000000", "end_others": "yes"})
    assert (confirmed.status_code, confirmed.json()["code"]) == (400, "body_invalid")


async def test_a_name_is_asked_for(browser: Browser) -> None:
    for body in ({}, {"name": ""}, {"name": " "}):
        answer = await browser.patch(f"{MINE}/x", json=body)
        assert (answer.status_code, answer.json()["errors"][0]["message"]) == (400, "Name is required")


async def test_nobody_adds_one_without_a_session(world: World) -> None:
    client = await world.client()
    assert (await client.post(f"{MINE}/options")).status_code == 401
    assert (await client.post(OPTIONS)).status_code == 200
