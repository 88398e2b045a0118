"""F11, F12, F13: an answer serves once, for who was asked, what was asked, and the account that holds the passkey."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx
import pytest
from fido2.utils import websafe_encode

from tests.harness.authenticator import UV, Authenticator, Json, Lie
from tests.harness.world import World
from tests.stories.passkeys import VERIFY, ask, sign_in, store_passkey
from vestibule.flows.ceremony import LIFETIME, begin_ceremony
from vestibule.model.passkeys import CeremonyPurpose, Passkey
from vestibule.storage.sql.schema import ceremonies

OVER, REFUSED, UNKNOWN = (400, "ceremony_over"), (400, "passkey_refused"), (404, "passkey_unknown")


@dataclass
class Attempt:
    """Ada's passkey and Grace's, each with its authenticator; and a browser."""

    world: World
    client: httpx.AsyncClient
    ada: Authenticator
    grace: Authenticator
    passkey: Passkey

    async def say(self, credential: Json) -> httpx.Response:
        return await self.client.post(VERIFY, json={"credential": credential})

    async def lie(self, lie: Lie) -> httpx.Response:
        return await sign_in(self.client, self.ada, lie)


async def used_twice(attempt: Attempt) -> httpx.Response:
    kept, credential = await asked(attempt)
    assert (await attempt.say(credential)).status_code == 200
    attempt.client.cookies["ceremony"] = kept
    return await attempt.say(credential)


async def asked(attempt: Attempt) -> tuple[str, Json]:
    options = await ask(attempt.client)
    return attempt.client.cookies["ceremony"], attempt.ada.get(options)


async def too_late(attempt: Attempt) -> httpx.Response:
    credential = (await asked(attempt))[1]
    attempt.world.clock.advance(seconds=LIFETIME.total_seconds())
    return await attempt.say(credential)


async def without_the_cookie(attempt: Attempt) -> httpx.Response:
    credential = (await asked(attempt))[1]
    attempt.client.cookies.clear()
    return await attempt.say(credential)


async def with_a_cookie_changed(attempt: Attempt) -> httpx.Response:
    kept, credential = await asked(attempt)
    attempt.client.cookies["ceremony"] = kept[:-2] + ("AA" if kept[-2:] != "AA" else "BB")
    return await attempt.say(credential)


async def with_no_cookie_of_ours(attempt: Attempt) -> httpx.Response:
    credential = (await asked(attempt))[1]
    attempt.client.cookies["ceremony"] = "v1.e30"
    return await attempt.say(credential)


async def in_another_browser(attempt: Attempt) -> httpx.Response:
    credential = (await asked(attempt))[1]
    other = await attempt.world.client()
    await ask(other)
    return await other.post(VERIFY, json={"credential": credential})


async def asked_for_another_purpose(attempt: Attempt) -> httpx.Response:
    challenge, kept = begin_ceremony(attempt.world.env, CeremonyPurpose.STEP_UP)
    options = {**await ask(attempt.client), "challenge": websafe_encode(challenge)}
    attempt.client.cookies["ceremony"] = kept
    return await attempt.say(attempt.ada.get(options))


async def asked_about_a_session(attempt: Attempt) -> httpx.Response:
    challenge, kept = begin_ceremony(attempt.world.env, CeremonyPurpose.SIGN_IN, "a session")
    options = {**await ask(attempt.client), "challenge": websafe_encode(challenge)}
    attempt.client.cookies["ceremony"] = kept
    return await attempt.say(attempt.ada.get(options))


async def removed_meanwhile(attempt: Attempt) -> httpx.Response:
    credential = (await asked(attempt))[1]
    async with attempt.world.env.store.transaction() as tx:
        assert await tx.passkeys.remove(attempt.passkey.account_id, attempt.passkey.id)
    return await attempt.say(credential)


async def of_nobody_here(attempt: Attempt) -> httpx.Response:
    stray = Authenticator()
    stray.create({**(await ask(attempt.client)), "user": {"id": "YQ"}, "rp": {"id": "localhost"}})
    return await sign_in(attempt.client, stray)


def handle_of(account_id: str) -> Lie:
    return Lie(answer=lambda answer: with_response(answer, userHandle=websafe_encode(account_id.encode())))


def with_response(answer: Json, **members: object) -> Json:
    return {**answer, "response": {**answer["response"], **members}}


async def that_names_another_account(attempt: Attempt) -> httpx.Response:
    async with attempt.world.env.store.reading() as read:
        grace = await read.accounts.with_email("grace@example.com")
    assert grace is not None
    return await attempt.lie(handle_of(grace.id))


async def with_the_id_of_anothers(attempt: Attempt) -> httpx.Response:
    other = websafe_encode(attempt.grace.passkeys[-1].id)
    return await attempt.lie(Lie(answer=lambda answer: {**answer, "id": other, "rawId": other}))


async def with_id_and_handle_of_another(attempt: Attempt) -> httpx.Response:
    theirs = attempt.grace.passkeys[-1]
    other, handle = websafe_encode(theirs.id), websafe_encode(theirs.user_handle)
    return await attempt.lie(
        Lie(answer=lambda answer: with_response({**answer, "id": other, "rawId": other}, userHandle=handle))
    )


ATTEMPTS: dict[str, tuple[Callable[[Attempt], Awaitable[httpx.Response]], tuple[int, str]]] = {
    "f11 used twice": (used_twice, OVER),
    "f11 too late": (too_late, OVER),
    "f11 without the cookie": (without_the_cookie, OVER),
    "f11 with a cookie changed": (with_a_cookie_changed, OVER),
    "f11 with no cookie of ours": (with_no_cookie_of_ours, OVER),
    "f11 in another browser": (in_another_browser, REFUSED),
    "f11 asked for another purpose": (asked_for_another_purpose, OVER),
    "f11 asked about a session": (asked_about_a_session, OVER),
    "f12 removed meanwhile": (removed_meanwhile, UNKNOWN),
    "f12 of nobody here": (of_nobody_here, UNKNOWN),
    "f12 that names another account": (that_names_another_account, REFUSED),
    "f12 that names no account": (lambda it: it.lie(Lie(answer=lambda a: with_response(a, userHandle=None))), REFUSED),
    "f12 that names nobody": (lambda it: it.lie(handle_of("nobody")), REFUSED),
    "f12 with the id of another's": (with_the_id_of_anothers, REFUSED),
    "f12 with id and handle of another": (with_id_and_handle_of_another, REFUSED),
    "f13 without verification": (lambda it: it.lie(Lie(off=UV)), REFUSED),
    "from another origin": (lambda it: it.lie(Lie(client={"origin": "https://evil.example"})), REFUSED),
    "in a frame": (lambda it: it.lie(Lie(client={"crossOrigin": True})), REFUSED),
    "of another rp": (lambda it: it.lie(Lie(rp_id="evil.example")), REFUSED),
    "signed by nobody": (lambda it: it.lie(Lie(signature=lambda _: b"x")), REFUSED),
    "nothing": (lambda it: it.say({}), OVER),
}


@pytest.mark.parametrize("name", ATTEMPTS)
async def test_f11_f12_f13_nobody_is_let_in(
    name: str, world: World, authenticator: Authenticator, passkey: Passkey
) -> None:
    """F11, F12, F13: neither a session begins nor is a question spent that was not answered."""
    await world.register("grace@example.com")
    grace = Authenticator()
    await store_passkey(world, grace, "grace@example.com")
    act, expected = ATTEMPTS[name]
    answer = await act(Attempt(world, await world.client(), authenticator, grace, passkey))
    assert (answer.status_code, answer.json()["code"]) == expected
    assert "set-cookie" not in answer.headers
    async with world.engines.sqlalchemy_reading() as connection:
        spent = (await connection.execute(ceremonies.select())).all()
    assert len(spent) == (1 if name == "f11 used twice" else 0)


async def test_a_body_beyond_the_limit_is_not_read(world: World) -> None:
    client = await world.client()
    await ask(client)
    answer = await client.post(VERIFY, json={"credential": {"id": "A" * 11_000}})
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
