"""Operators in a browser of their own, signed in as a test wants it."""

from dataclasses import dataclass, replace
from datetime import timedelta

import httpx

from tests.harness.authenticator import Authenticator
from tests.harness.world import World
from tests.stories.passkeys import made_passkey
from vestibule.crypto import bound_tokens
from vestibule.crypto.entropy import new_id
from vestibule.flows.create_account import create_account
from vestibule.flows.issue_tokens import issue_tokens
from vestibule.model.accounts import Account, Role
from vestibule.model.operators import COMMAND_LINE
from vestibule.protocol.authentication import Method

ONE_FACTOR = (Method.PASSWORD.value,)
TWO_FACTORS = (Method.PASSWORD.value, Method.ONE_TIME_CODE.value, Method.MORE_THAN_ONE_FACTOR.value)


@dataclass(frozen=True)
class SignIn:
    """How an operator signed in, how long ago, and whether the account has a second factor."""

    methods: tuple[str, ...] = TWO_FACTORS
    ago: timedelta = timedelta()
    has_factor: bool = True


@dataclass(frozen=True)
class Browser:
    """A browser whose cookie is an access token of this sign-in, and what a form of its pages carries."""

    client: httpx.AsyncClient
    account: Account
    form: dict[str, str]


async def operator_in(world: World, role: Role, sign_in: SignIn = SignIn()) -> Browser:
    """Somebody new with this role, who signed in so."""
    email = f"{new_id()}@example.com"
    account, password = await create_account(world.env, COMMAND_LINE, "Olive", email, role)
    await world.sign_in(email, password)
    async with world.env.store.transaction() as tx:
        (session,) = await tx.sessions.of_account(account.id, 2, world.clock.now())
        if sign_in.has_factor:
            await tx.passkeys.add(made_passkey(Authenticator(), account, world.clock.now()))
    begun = replace(session, methods=sign_in.methods, authenticated_at=world.clock.now() - sign_in.ago)
    tokens = await issue_tokens(world.env, begun, account, world.clock.now())
    client = await world.client("http://localhost:8000")
    client.headers["Cookie"] = f"access_token={tokens.access_token}; refresh_token={tokens.refresh_token}"
    csrf = bound_tokens.mint(world.env.keys.refresh.form_key, session.id)
    return Browser(client, account, {"csrf": csrf})
