"""Signing in with a passkey alone is a whole sign-in, of level 3, and nobody is told whose passkeys there are."""

from dataclasses import replace

import httpx
import pytest

from tests.harness.authenticator import BS, Authenticator, Lie
from tests.harness.backends import Backend
from tests.harness.world import POLICY, World, world_on
from tests.stories.passkeys import EMAIL, OPTIONS, VERIFY, ask, sign_in, store_passkey
from vestibule.flows.administer import disable_account
from vestibule.flows.identify import read_token
from vestibule.model.events import EventKind
from vestibule.model.letters import LetterKind
from vestibule.model.operators import COMMAND_LINE
from vestibule.model.passkeys import Passkey
from vestibule.model.policy import Policy

EVENTS = 100


async def kinds_of(world: World, passkey: Passkey) -> list[EventKind]:
    async with world.env.store.reading() as read:
        return [event.kind for event in await read.events.of_account(passkey.account_id, EVENTS)]


@pytest.mark.parametrize(("synced", "held"), [(False, "hwk"), (True, "swk")])
async def test_a_passkey_alone_signs_in_with_level_3(world: World, synced: bool, held: str) -> None:
    authenticator = Authenticator(synced=synced)
    await store_passkey(world, authenticator)
    client = await world.client()
    answer = await sign_in(client, authenticator)
    assert answer.status_code == 200, answer.text
    assert set(answer.json()) == {"status", "access_token"}
    token = await read_token(world.env, answer.json()["access_token"])
    assert (token.methods, token.level.acr) == ((held, "user", "mfa"), "urn:vestibule:3")
    assert (await client.get("/api/users/me")).json()["data"]["user"]["email"] == EMAIL
    assert (await client.get("/api/auth/refresh")).status_code == 200
    assert "ceremony" not in client.cookies


async def test_it_notes_when_the_passkey_was_used_and_whether_it_is_backed_up(world: World) -> None:
    authenticator = Authenticator(synced=True)
    stored = await store_passkey(world, authenticator)
    world.clock.advance(seconds=60)
    assert (await sign_in(await world.client(), authenticator, Lie(off=BS))).status_code == 200
    async with world.env.store.reading() as read:
        found = await read.passkeys.with_credential(stored.credential_id)
    assert found == replace(stored, last_used_at=world.clock.now(), backed_up=False)


async def test_f19_it_is_a_whole_sign_in(world: World, authenticator: Authenticator) -> None:
    """F19: the browser is known from now on, one that is new is told of, and the session it held ends."""
    first = await world.client()
    await first.get(f"/api/auth/verifyemail/{world.secret(LetterKind.VERIFY_EMAIL)}")
    passkey = await store_passkey(world, authenticator)
    assert (await sign_in(first, authenticator)).status_code == 200
    assert [name for name in first.cookies if name.startswith("device_")]
    old = first.cookies["access_token"]
    assert (await sign_in(first, authenticator)).status_code == 200
    asked = await (await world.client()).get("/api/users/me", headers={"Authorization": f"Bearer {old}"})
    assert asked.json()["code"] == "session_signed_out"
    stranger = await world.client()
    stranger.headers["User-Agent"] = "Mozilla/5.0 (Windows NT 10.0) Firefox/140.0"
    assert (await sign_in(stranger, authenticator)).status_code == 200
    await world.deliver()
    assert [letter.kind for letter in world.mailer.letters][-1] is LetterKind.NEW_DEVICE
    kinds = await kinds_of(world, passkey)
    assert (kinds.count(EventKind.SIGNED_IN), kinds.count(EventKind.SESSION_ENDED)) == (3, 1)


async def test_f14_everybody_is_asked_the_same(world: World, authenticator: Authenticator, passkey: Passkey) -> None:
    """F14: with passkeys and without, known or not, signed in or not: but for the challenge, the same bytes."""
    asked = []
    known = await world.client()
    await sign_in(known, authenticator)
    for client in (known, await world.client(), await world.client()):
        answer = await client.post(OPTIONS)
        options = answer.json()["data"]["publicKey"]
        names = sorted(name for name in answer.headers if name != "set-cookie")
        asked.append((answer.content.replace(options["challenge"].encode(), b""), names))
        assert options["allowCredentials"] == []
        assert len(options["challenge"]) == 43
    assert asked == [asked[0]] * 3


async def test_f19_a_disabled_account_is_refused_like_no_proof(
    world: World, authenticator: Authenticator, passkey: Passkey
) -> None:
    """F19: and its session does not begin."""
    async with world.env.store.reading() as read:
        account = await read.accounts.get(passkey.account_id)
    assert account is not None
    await disable_account(world.env, COMMAND_LINE, account)
    answer = await sign_in(await world.client(), authenticator)
    assert (answer.status_code, answer.json()["code"]) == (400, "passkey_refused")
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(("conceals", "said"), [(False, (401, "email_not_verified")), (True, (400, "passkey_refused"))])
async def test_f19_where_verification_is_mandatory_nobody_signs_in_unverified(
    conceals: bool, said: tuple[int, str], backend: Backend
) -> None:
    """F19: in the words that a password would be answered with."""
    policy: Policy = replace(POLICY, verification_mandatory=True, conceal_accounts=conceals)
    async with world_on(backend, policy=policy) as world:
        await world.register()
        authenticator = Authenticator()
        await store_passkey(world, authenticator)
        answer = await sign_in(await world.client(), authenticator)
        assert (answer.status_code, answer.json()["code"]) == said
        await (await world.client()).get(f"/api/auth/verifyemail/{world.secret(LetterKind.VERIFY_EMAIL)}")
        await store_passkey(world, authenticator)  # the one of before is gone
        assert (await sign_in(await world.client(), authenticator)).status_code == 200


async def test_f16_a_counter_that_does_not_grow_is_an_event_and_no_refusal(
    world: World, authenticator: Authenticator, passkey: Passkey
) -> None:
    """F16: the copy of a key is told of at its next use, and so is the key itself once the copy was ahead."""
    for count in (7, 7, 3):
        assert (await sign_in(await world.client(), authenticator, Lie(count=count))).status_code == 200
    kinds = await kinds_of(world, passkey)
    assert kinds.count(EventKind.PASSKEY_MAY_BE_COPIED) == 2
    synced = Authenticator(synced=True)
    await store_passkey(world, synced)
    for _ in range(3):
        assert (await sign_in(await world.client(), synced)).status_code == 200
    assert (await kinds_of(world, passkey)).count(EventKind.PASSKEY_MAY_BE_COPIED) == 2


async def test_where_there_are_no_passkeys_that_is_said(backend: Backend) -> None:
    async with world_on(backend, policy=replace(POLICY, relying_party=None)) as world:
        client = await world.client()
        for answer in (await client.post(OPTIONS), await client.post(VERIFY, json={"credential": {}})):
            assert (answer.status_code, answer.json()["code"]) == (404, "passkeys_unavailable")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "Credential is required"),
        ({"credential": "text"}, "Expected object, received string"),
        ({"credential": []}, "Expected object, received array"),
        ({"credential": None}, "Expected object, received null"),
    ],
)
async def test_a_body_without_a_credential_is_explained(body: object, message: str, world: World) -> None:
    answer = await (await world.client()).post(VERIFY, json=body)
    assert (answer.status_code, answer.json()["errors"][0]["message"]) == (400, message)


async def test_another_site_can_neither_ask_nor_answer(world: World, authenticator: Authenticator) -> None:
    client: httpx.AsyncClient = await world.client(origin="https://evil.example")
    for path in (OPTIONS, VERIFY):
        answer = await client.post(path, json={"credential": {}})
        assert (answer.status_code, answer.json()["code"]) == (403, "cross_site")
    assert await ask(await world.client())
