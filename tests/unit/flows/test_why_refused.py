"""The event of a refused sign-in says why, in words for operators, and never that a password was right."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from tests.harness.backends import Backend
from tests.harness.world import World, mandatory_verification, world_on
from vestibule.cli.event_sentences import sentence
from vestibule.flows.administer import disable_account
from vestibule.flows.find_people import find_account
from vestibule.model.events import Event, EventFilter, EventKind
from vestibule.model.operators import COMMAND_LINE

ADA, RIGHT, WRONG = "ada@example.com", "correct horse", "wrong horse"
CONCEALING = replace(mandatory_verification(), conceal_accounts=True)


async def nothing(_world: World) -> None:
    """Ada is as she registered: with an email that is not verified."""


async def disabled(world: World) -> None:
    account = await find_account(world.env, ADA)
    assert account
    await disable_account(world.env, COMMAND_LINE, account)


async def too_many(world: World) -> None:
    for _ in range(50):
        await attempt(world, ADA, WRONG)
        world.clock.advance(minutes=16)


ROWS: dict[str, tuple[Callable[[World], Awaitable[None]], bool, str, str, str]] = {
    "wrong": (nothing, False, ADA, WRONG, "wrong password"),
    "no account": (nothing, False, "nobody@example.com", RIGHT, "no account has this email"),
    "disabled": (disabled, False, ADA, RIGHT, "the account is disabled"),
    "too many": (too_many, False, ADA, RIGHT, "not checked, after too many wrong passwords"),
    "concealed, right": (nothing, True, ADA, RIGHT, "the email is not verified"),
    "concealed, wrong": (nothing, True, ADA, WRONG, "the email is not verified"),
}


@pytest.mark.parametrize(("given", "concealing", "email", "password", "why"), ROWS.values(), ids=ROWS)
async def test_the_event_says_why(
    backend: Backend,
    given: Callable[[World], Awaitable[None]],
    concealing: bool,
    email: str,
    password: str,
    why: str,
) -> None:
    async with world_on(backend, **({"policy": CONCEALING} if concealing else {})) as world:
        await world.register()
        await given(world)
        await attempt(world, email, password)
        refused = (await refusals(world))[-1]
    assert refused.detail["reason"] == why
    assert sentence(refused) == f"Password not accepted: {why}"


async def test_the_last_one_before_a_pause_says_both(world: World) -> None:
    await world.register()
    await too_many(world)
    last = next(event for event in await refusals(world) if event.detail.get("paused"))
    assert sentence(last) == "Password not accepted: wrong password, the last one before a pause"


async def attempt(world: World, email: str, password: str) -> None:
    answer = await (await world.client()).post("/api/auth/login", json={"email": email, "password": password})
    assert answer.status_code == 400, answer.text


async def refusals(world: World) -> list[Event]:
    async with world.env.store.reading() as read:
        found = await read.events.find(EventFilter(kinds=(EventKind.SIGN_IN_REFUSED,)), 100)
    return [event for _, event in found]
