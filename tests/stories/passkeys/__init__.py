"""Passkeys, by an authenticator that the tests hold: who signs in with them, and who does not."""

from datetime import datetime
from typing import Any

import httpx

from tests.harness.authenticator import HONEST, Authenticator, Json, Lie
from tests.harness.world import POLICY, World
from vestibule.crypto import webauthn
from vestibule.crypto.entropy import new_id, random_bytes
from vestibule.model.accounts import Account
from vestibule.model.passkeys import Passkey

assert POLICY.relying_party
PARTY = POLICY.relying_party
STEP_UP = "/api/users/me/step-up"
OPTIONS, VERIFY = "/api/auth/passkeys/options", "/api/auth/passkeys/verify"
MINE = "/api/users/me/factors/passkeys"
EMAIL = "ada@example.com"


def made_passkey(authenticator: Authenticator, account: Account, now: datetime) -> Passkey:
    """A passkey of an account, on the authenticator, and not stored yet."""
    challenge = random_bytes(32)
    options = webauthn.creation_options(PARTY, challenge, account.id, account.email, [])
    made = webauthn.check_registration(PARTY, challenge, authenticator.create(options))
    return Passkey(new_id(), account.id, PARTY.domain, name="Passkey", created_at=now, **vars(made))


async def store_passkey(world: World, authenticator: Authenticator, email: str = EMAIL) -> Passkey:
    """A passkey of an account, on the authenticator and in the database."""
    async with world.env.store.transaction() as tx:
        account = await tx.accounts.lock_at(email)
        assert account is not None
        passkey = made_passkey(authenticator, account, world.clock.now())
        assert await tx.passkeys.add(passkey)
    return passkey


async def ask(client: httpx.AsyncClient, path: str = OPTIONS) -> Json:
    """The question for any passkey, or for a new one; the browser keeps the cookie with it."""
    answer = await client.post(path)
    assert answer.status_code == 200, answer.text
    options: Json = answer.json()["data"]["publicKey"]
    return options


async def sign_in(client: httpx.AsyncClient, authenticator: Authenticator, lie: Lie = HONEST) -> httpx.Response:
    """A whole sign-in with the newest passkey on the authenticator."""
    return await client.post(VERIFY, json={"credential": authenticator.get(await ask(client), lie)})


async def add(
    client: httpx.AsyncClient, authenticator: Authenticator, lie: Lie = HONEST, **more: Any
) -> httpx.Response:
    """A whole registration, in a browser that is signed in, and a step-up: from now on the account needs a passkey."""
    made = authenticator.create(await ask(client, f"{MINE}/options"), lie)
    answer = await client.post(MINE, json={"credential": made, **more})
    if answer.status_code == 201:
        assert (await step_up(client, authenticator)).status_code == 200
    return answer


async def step_up(client: httpx.AsyncClient, authenticator: Authenticator, lie: Lie = HONEST) -> httpx.Response:
    """A whole step-up."""
    signed = authenticator.get(await ask(client, f"{STEP_UP}/options"), lie)
    return await client.post(STEP_UP, json={"credential": signed})
